import { describe, expect, it } from "vitest";
import { chooseShard, openIdentity, type RequestIdentityInput } from "../../src/ingest/identity.ts";

const computeIdentity = openIdentity();
const BASE: RequestIdentityInput = {
  tenant: "acme",
  signal: "traces",
  encoding: "protobuf",
  body: new Uint8Array([10, 0]),
};

async function identify(change: Partial<RequestIdentityInput> = {}): Promise<string> {
  return (await computeIdentity({ ...BASE, ...change })).toHex();
}

describe("openIdentity()", () => {
  it("is pinned: shards of two versions have to know the same request", async () => {
    expect(await identify()).toBe("8c9d7c9730095a059cceb51ce316c8340f9e83f03ef72a4c2d4a8154a8366188");
  });

  it("differs with tenant, signal, encoding and body, and with nothing else", async () => {
    const changes: Partial<RequestIdentityInput>[] = [
      { tenant: "" },
      { signal: "logs" },
      { encoding: "json" },
      { body: new Uint8Array([10, 1]) },
      { body: new Uint8Array() },
    ];
    const identities = await Promise.all([identify(), ...changes.map(identify)]);

    expect(new Set(identities).size).toBe(changes.length + 1);
    expect(await identify()).toBe(identities[0]);
  });

  it("can't be moved from one part into the next", async () => {
    const moved = await identify({ tenant: "acme\ntraces" });

    expect(moved).not.toBe(await identify());
  });
});

describe("chooseShard()", () => {
  it("spreads requests over all shards and nowhere else", async () => {
    const seen = new Set<number>();
    for (let number = 0; number < 200; number += 1) {
      seen.add(chooseShard(await computeIdentity({ ...BASE, body: new Uint8Array([number]) }), 16));
    }

    expect([...seen].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, index) => index));
  });
});
