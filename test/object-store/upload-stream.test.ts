import { describe, expect, it } from "vitest";
import type { ObjectInfo } from "../../src/object-store/contract.ts";
import { proveStored, uploadStream } from "../../src/object-store/upload-stream.ts";
import { hexOf, patternOf, read, sourceOf } from "../conformance/put-source.ts";

const BYTES = patternOf(200_000);
const ERROR = new Error("the rows are gone");

/** Reads a first piece of a body and then no more. */
async function readOnce(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  await reader.read();
  reader.releaseLock();
}

describe("uploadStream()", () => {
  it("sends the source in its length and answers with what the call gave", async () => {
    const source = await sourceOf(BYTES);

    const sent = await uploadStream(source, async (body) => hexOf(await read(body)));

    expect(sent).toBe(await hexOf(BYTES));
    expect(source.state).toEqual({ opens: 1, closes: 1 });
  });

  it("sends an empty source", async () => {
    expect(await uploadStream(await sourceOf(new Uint8Array(0)), read)).toEqual(new Uint8Array(0));
  });

  it.each([0, 100_000, 200_000])("throws what the source throws at %s, and breaks off the body", async (failAt) => {
    const source = await sourceOf(BYTES, { failAt, error: ERROR });
    let received: unknown = null;

    const asked = uploadStream(source, async (body) => {
      received = await read(body).catch((error: unknown) => error);
    });

    await expect(asked).rejects.toBe(ERROR);
    expect(received).toBeInstanceOf(Error);
    expect(source.state.closes).toBe(1);
  });

  it.each([
    { what: "fewer", length: 200_001 },
    { what: "more", length: 120_000 },
    { what: "more at the end of a piece", length: 150_000 },
  ])("throws RangeError for $what bytes than promised, before the body is whole", async ({ length }) => {
    const source = await sourceOf(BYTES, { length });
    let received = 0;

    const asked = uploadStream(source, async (body) => {
      for await (const piece of body) received += piece.length;
    });

    await expect(asked).rejects.toThrow(RangeError);
    expect(received).toBeLessThan(length);
    expect(source.state.closes).toBe(1);
  });

  it("prefers what the source throws to what the call makes of it", async () => {
    const source = await sourceOf(BYTES, { failAt: 100_000, error: ERROR });

    const asked = uploadStream(source, async (body) => {
      await read(body).catch(() => undefined);
      throw new Error("broken pipe");
    });

    await expect(asked).rejects.toBe(ERROR);
  });

  it.each([
    ["nothing", async () => undefined],
    ["a piece", readOnce],
  ])("ends when the call ends and has read %s", async (_what, send: (body: ReadableStream) => Promise<unknown>) => {
    const source = await sourceOf(BYTES);

    expect(await uploadStream(source, send)).toBeUndefined();

    expect(source.state.closes).toBe(source.state.opens);
  });

  it.each([
    ["nothing", async () => undefined],
    ["a piece", readOnce],
    ["everything", read],
  ])("throws what the call throws after %s", async (_what, before: (body: ReadableStream) => Promise<unknown>) => {
    const source = await sourceOf(BYTES);
    const error = new Error("403");

    const asked = uploadStream(source, async (body) => {
      await before(body);
      throw error;
    });

    await expect(asked).rejects.toBe(error);
    expect(source.state.closes).toBe(source.state.opens);
  });

  it("breaks off a body that nobody reads when the source's signal fires", async () => {
    const controller = new AbortController();
    const source = { ...(await sourceOf(BYTES)), signal: controller.signal };
    const firstRead = Promise.withResolvers<void>();

    const asked = uploadStream(source, async (body) => {
      await readOnce(body);
      firstRead.resolve();
      await body.getReader().closed;
    });
    await firstRead.promise;
    controller.abort(ERROR);

    await expect(asked).rejects.toBe(ERROR);
    expect(source.state.closes).toBe(1);
  });

  it("does not begin when the signal has fired", async () => {
    const source = { ...(await sourceOf(BYTES)), signal: AbortSignal.abort(ERROR) };

    await expect(uploadStream(source, read)).rejects.toBe(ERROR);

    expect(source.state.opens).toBe(0);
  });
});

function infoOf(sha256Hex: string | null, length: number = BYTES.length): ObjectInfo {
  return { key: "key", length, etag: "e", sha256Hex };
}

describe("proveStored()", () => {
  it("passes on what agrees in everything", async () => {
    const source = await sourceOf(BYTES);
    const info = infoOf(await hexOf(BYTES));

    expect(proveStored(info, source)).toBe(info);
    expect(proveStored(info, source, await hexOf(BYTES))).toBe(info);
  });

  it("throws store_unavailable for anything else", async () => {
    const source = await sourceOf(BYTES);
    const right = await hexOf(BYTES);
    const wrong = await hexOf(new Uint8Array(1));
    const proofs: (() => ObjectInfo)[] = [
      () => proveStored(infoOf(right, 1), source),
      () => proveStored(infoOf(wrong), source),
      () => proveStored(infoOf(null), source),
      () => proveStored(infoOf(right), source, wrong),
      () => proveStored(infoOf(right), source, null),
      () => proveStored(infoOf(null), source, right),
    ];

    for (const prove of proofs) {
      expect(prove).toThrow(expect.objectContaining({ kind: "store_unavailable" }));
    }
  });
});
