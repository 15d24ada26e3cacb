import { describe, expect, it } from "vitest";
import { respondSlowly } from "../../src/admin/slow-json.ts";
import { FirnError } from "../../src/errors.ts";
import { millis } from "../../src/units.ts";

describe("respondSlowly()", () => {
  it("sends white space while the work goes on, then one JSON document", async () => {
    const work = Promise.withResolvers<object>();
    const response = respondSlowly(() => work.promise, millis(1));
    const texts: string[] = [];

    // The work ends only after the first piece was read: nothing here waits for a time.
    for await (const piece of response.body ?? []) {
      texts.push(new TextDecoder().decode(piece));
      work.resolve({ complete: true });
    }

    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(texts[0]).toBe(" ");
    expect(texts.join("").trimStart()).toBe('{"complete":true}\n');
  });

  it("says in the document what failed", async () => {
    const response = respondSlowly(() => Promise.reject(new FirnError("unavailable", "Cannot list the shards")));

    expect(await response.json()).toEqual({ complete: false, errors: [{ message: "Cannot list the shards" }] });
  });
});
