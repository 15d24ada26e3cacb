import { describe, expect, it } from "vitest";
import { readBody } from "../../src/ingest/request-body.ts";
import { millis } from "../../src/units.ts";

const LIMITS = { maxBytes: 8, timeout: millis(30_000) };
const BYTES = new Uint8Array([1, 2, 3, 4, 5]);

/** A request of one piece after which nothing comes; `cancelled` resolves once nobody waits for more. */
function openStalled(headers: Record<string, string>): { request: Request; cancelled: Promise<void> } {
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream({
    type: "bytes",
    start: (controller) => controller.enqueue(BYTES.slice()),
    cancel: () => cancelled.resolve(),
  });
  return { request: post(body, headers), cancelled: cancelled.promise };
}

function post(body: BodyInit, headers: Record<string, string> = {}): Request {
  return new Request("http://firn/v1/logs", { method: "POST", headers, body });
}

describe("readBody()", () => {
  it.each([
    ["declared", post(BYTES, { "content-length": "5" })],
    ["chunked", post(new Blob([BYTES.subarray(0, 2), BYTES.subarray(2)]).stream())],
  ])("reads what comes %s", async (_name, request) => {
    expect(await readBody(request, LIMITS)).toEqual(BYTES);
  });

  it("reads no further than was declared: the protocol ends the body there", async () => {
    const request = post(new Blob([BYTES]).stream(), { "content-length": "3" });

    expect(await readBody(request, LIMITS)).toEqual(BYTES.subarray(0, 3));
  });

  it("asks again for a body that is shorter than was declared", async () => {
    const read = readBody(post(new Blob([BYTES]).stream(), { "content-length": "6" }), LIMITS);

    await expect(read).rejects.toMatchObject({ kind: "unavailable" });
  });

  it("reads nothing from a request without a body", async () => {
    const request = new Request("http://firn/v1/logs", { method: "POST" });

    expect(await readBody(request, LIMITS)).toEqual(new Uint8Array());
  });

  it.each([
    ["declared", post(BYTES, { "content-length": "5" })],
    ["chunked", post(new Blob([BYTES]).stream())],
  ])("refuses a body that is too large, %s", async (_name, request) => {
    await expect(readBody(request, { ...LIMITS, maxBytes: 4 })).rejects.toMatchObject({ kind: "too_large" });
  });

  it.each([["chunked", {}] as const, ["declared", { "content-length": "6" }] as const])(
    "S7: gives up and cancels a body that stops arriving, %s",
    async (_name, headers) => {
      const { request, cancelled } = openStalled(headers);

      const read = readBody(request, { ...LIMITS, timeout: millis(1) });

      await expect(read).rejects.toMatchObject({ kind: "unavailable", retryAfterSeconds: 1 });
      await expect(read).rejects.toThrow("it did not arrive within 1 ms, send it again");
      await cancelled;
    },
  );

  it("asks for a body again that broke off", async () => {
    const body = new ReadableStream({ type: "bytes", pull: (controller) => controller.error(new Error("reset")) });

    const read = readBody(post(body), LIMITS);

    await expect(read).rejects.toMatchObject({ kind: "unavailable", retryAfterSeconds: 1 });
    await expect(read).rejects.toThrow("it broke off");
  });
});
