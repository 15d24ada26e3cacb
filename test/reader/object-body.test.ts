import { describe, expect, it } from "vitest";
import { openBody } from "../../src/reader/object-body.ts";
import { millis } from "../../src/units.ts";

async function drain(body: AsyncGenerator<Uint8Array, void, void>): Promise<number> {
  let bytes = 0;
  for await (const piece of body) bytes += piece.length;
  return bytes;
}

/** Thirty pieces, one every 10 ms. */
function trickle(pieceBytes: number): ReadableStream<Uint8Array> {
  let left = 30;
  const pull = async (controller: ReadableByteStreamController): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    controller.enqueue(new Uint8Array(pieceBytes));
    left--;
    if (left > 0) return;
    controller.close();
    controller.byobRequest?.respond(0);
  };
  return new ReadableStream({ type: "bytes", pull }, { highWaterMark: 0 });
}

it("openBody() gives up a body that stalls, and gives back its connection", async () => {
  let cancels = 0;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(5)),
    cancel: () => {
      cancels++;
    },
  });
  const body = openBody(stream, 10, millis(20));

  await expect(drain(body.read())).rejects.toMatchObject({
    kind: "store_unavailable",
    message: "Cannot read from the store: no byte came within 20 ms",
  });
  await body.close();

  expect(cancels).toBe(1);
});

it("openBody() waits for a body that trickles, however short the timeout, not for one that nearly stands", async () => {
  expect(await drain(openBody(trickle(1000), 30_000, millis(100), "passing").read())).toBe(30_000);
  expect(await openBody(trickle(1000), 30_000, millis(100)).readWhole()).toEqual(new Uint8Array(30_000));
  await expect(drain(openBody(trickle(10), 300_000, millis(100), "passing").read())).rejects.toMatchObject({
    kind: "store_unavailable",
    message: "Cannot read from the store: fewer than 1747 bytes came, and no end, within 100 ms",
  });
});

it("openBody() says that a body broke off", async () => {
  const error = new Error("connection lost");
  const body = openBody(new ReadableStream<Uint8Array>({ start: (controller) => controller.error(error) }), 10);

  await expect(drain(body.read())).rejects.toMatchObject({ kind: "store_unavailable", cause: error });
});

it("openBody() counts the bytes against the listing", async () => {
  const object = new Blob([new Uint8Array(10)]);

  expect(await drain(openBody(object.stream(), 10).read())).toBe(10);
  await expect(drain(openBody(object.stream(), 11).read())).rejects.toMatchObject({ kind: "corrupt_object" });
});

describe("openBody() reads whole", () => {
  const content = Uint8Array.from({ length: 3_000_000 }, (_, index) => index % 251);

  /** A stream that takes memory, and one that gives its own. */
  const STREAMS: Readonly<Record<string, () => ReadableStream<Uint8Array>>> = {
    bytes: () => new Blob([content]).stream(),
    objects: () =>
      new ReadableStream({
        start: (controller) => {
          for (let at = 0; at < content.length; at += 70_000) controller.enqueue(content.slice(at, at + 70_000));
          controller.close();
        },
      }),
  };

  it.each(Object.entries(STREAMS))("a stream of %s, into memory that is lent", async (_, open) => {
    const memory = new Uint8Array(content.length + 100);
    memory.fill(255);

    const whole = await openBody(open(), content.length).readWhole(memory);

    expect(whole.every((byte, index) => byte === content[index])).toBe(true);
    expect(whole).toHaveLength(content.length);
    expect(new Uint8Array(whole.buffer).subarray(content.length)).toEqual(new Uint8Array(100).fill(255));
  });

  it.each(Object.entries(STREAMS))("a stream of %s, and counts it against the listing", async (_, open) => {
    for (const listed of [0, content.length - 1, content.length + 1]) {
      await expect(openBody(open(), listed).readWhole()).rejects.toMatchObject({ kind: "corrupt_object" });
    }
  });
});
