import { describe, expect, it } from "vitest";
import { FirnError } from "../../../src/errors.ts";
import { send, type Fetch } from "../../../src/object-store/http/send.ts";
import { millis } from "../../../src/units.ts";

const REQUEST = { method: "GET", url: "https://store.example/key?sig=secret", headers: new Headers() };
const FAILURE = 'Cannot get object "key"';

function optionsWith(fetch: Fetch): Parameters<typeof send>[1] {
  return { fetch, failure: FAILURE, timeout: millis(20) };
}

describe("send()", () => {
  it.each([
    ["GET", "no-store"],
    ["HEAD", "no-store"],
    ["PUT", undefined],
  ])("asks for no cached answer to %s where the object is not marked by it", async (method, cache) => {
    let sent: RequestInit | undefined;

    await send(
      { ...REQUEST, method },
      optionsWith(async (_url, init) => {
        sent = init;
        return new Response(null);
      }),
    );

    expect(sent?.cache).toBe(cache);
  });

  it("follows no redirect and decodes bodies unless they are to be raw", async () => {
    let sent: RequestInit | undefined;

    const response = await send(
      REQUEST,
      optionsWith(async (_url, init) => {
        sent = init;
        return new Response(null, { status: 307, headers: { location: "https://elsewhere.example/" } });
      }),
    );

    expect(response.status).toBe(307);
    expect(sent).toMatchObject({ redirect: "manual", encodeResponseBody: "automatic" });
  });

  it("makes a network failure store_unavailable and leaves the query out of the message", async () => {
    const failing = send(
      REQUEST,
      optionsWith(() => Promise.reject(new TypeError(`Fetch API cannot load: ${REQUEST.url}`))),
    );

    const error: unknown = await failing.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      kind: "store_unavailable",
      message: `${FAILURE}: the store cannot be reached (Fetch API cannot load: …)`,
    });
    expect(error).not.toHaveProperty("cause");
  });

  it("gives up a store that does not answer, and ends the request", async () => {
    let isAborted = false;
    const silent: Fetch = (_url, { signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener("abort", () => {
          isAborted = true;
          reject(new Error("aborted"));
        });
      });

    await expect(send(REQUEST, optionsWith(silent))).rejects.toMatchObject({
      kind: "store_unavailable",
      message: `${FAILURE}: the store cannot be reached (no answer within 20 ms)`,
    });
    expect(isAborted).toBe(true);
  });

  it("gives up a request whose signal fires, with the signal's error", async () => {
    const controller = new AbortController();
    const reason = new FirnError("store_unavailable", "nobody waits");
    const silent: Fetch = (_url, { signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(new Error("aborted")));
        controller.abort(reason);
      });

    const asked = send(REQUEST, { fetch: silent, failure: FAILURE, timeout: null, signal: controller.signal });

    await expect(asked).rejects.toBe(reason);
  });

  it("cannot reach a closed port", async () => {
    const request = { ...REQUEST, url: "http://127.0.0.1:1/key" };

    await expect(
      send(request, { fetch: (url, init) => fetch(url, init), failure: FAILURE, timeout: millis(5_000) }),
    ).rejects.toMatchObject({ kind: "store_unavailable" });
  });
});
