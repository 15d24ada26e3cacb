import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatShardName, parseShardName } from "../../src/buffer/shard-name.ts";
import { SIGNALS } from "../../src/signal.ts";

const identities = fc.record({
  tenant: fc.stringMatching(/^$|^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/),
  signal: fc.constantFrom(...SIGNALS),
  shard: fc.integer({ min: 0, max: 255 }),
});

describe("formatShardName()", () => {
  it("is pinned: a Durable Object is found by it for ever", () => {
    expect(formatShardName({ tenant: "", signal: "traces", shard: 0 })).toBe("/traces/0");
    expect(formatShardName({ tenant: "acme", signal: "logs", shard: 255 })).toBe("acme/logs/255");
  });

  it("is undone by parseShardName()", () => {
    fc.assert(
      fc.property(identities, (identity) => {
        expect(parseShardName(formatShardName(identity))).toEqual(identity);
      }),
    );
  });
});

describe("parseShardName()", () => {
  it.each(["", "traces/0", "/traces/256", "/traces/00", "/traces/1x", "/spans/0", "/traces/0/1", "a/b/traces/0"])(
    "rejects %j",
    (name) => {
      expect(parseShardName(name)).toBeNull();
    },
  );
});
