import { describe, expect, it } from "vitest";
import { respondSlowly, respondSlowlyInText } from "../src/slow-json.ts";
import { FirnError } from "../src/errors.ts";
import { millis } from "../src/units.ts";

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

  it("tells the work when the client has left, and answers nobody", async () => {
    const left = Promise.withResolvers<void>();
    const response = respondSlowly(async (client) => {
      client.addEventListener("abort", () => left.resolve());
      await left.promise;
      return {};
    });

    await response.body?.cancel();

    await expect(left.promise).resolves.toBeUndefined();
  });
});

describe("respondSlowlyInText()", () => {
  it("sends empty lines while the work goes on, then the text", async () => {
    const work = Promise.withResolvers<string>();
    const response = respondSlowlyInText(() => work.promise, millis(1));
    const texts: string[] = [];

    for await (const piece of response.body ?? []) {
      texts.push(new TextDecoder().decode(piece));
      work.resolve("done\n");
    }

    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(texts[0]).toBe("\n");
    expect(texts.join("").trimStart()).toBe("done\n");
  });

  it("says what failed", async () => {
    const response = respondSlowlyInText(() => Promise.reject(new FirnError("internal", "Cannot examine")));

    expect(await response.text()).toBe('{"complete":false,"errors":[{"message":"Cannot examine"}]}\n');
  });
});
