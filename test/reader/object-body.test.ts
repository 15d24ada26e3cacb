import { expect, it } from "vitest";
import { openBody } from "../../src/reader/object-body.ts";
import { millis } from "../../src/units.ts";

async function drain(body: AsyncGenerator<Uint8Array, void, void>): Promise<number> {
  let bytes = 0;
  for await (const piece of body) bytes += piece.length;
  return bytes;
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
