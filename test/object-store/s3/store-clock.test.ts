import { describe, expect, it } from "vitest";
import { hexOf, sourceOf } from "../../conformance/put-source.ts";
import { errorAnswer, headAnswer, NOW, openScripted } from "./s3-kit.ts";

const BYTES = new TextEncoder().encode("the bytes of an object");
const OFF = 20 * 60_000;
const date = (time: number): Record<string, string> => ({ date: new Date(time).toUTCString() });
const datesOf = (sent: readonly { readonly headers: Headers }[]): readonly (string | null)[] =>
  sent.map(({ headers }) => headers.get("x-amz-date"));

describe("openS3Store() with a wrong clock", () => {
  it("signs again with the store's time, once, reads the source again, and remembers", async () => {
    const skewed = errorAnswer(403, "RequestTimeTooSkewed", "", date(NOW + OFF));
    const proof = headAnswer(BYTES.length, await hexOf(BYTES));
    const { store, sent } = openScripted([skewed, new Response(null), proof]);
    const source = { ...(await sourceOf(BYTES)), md5: new Uint8Array(16) };

    expect(await store.put("a", source)).toMatchObject({ kind: "stored" });

    expect(datesOf(sent)).toEqual(["20261130T120000Z", "20261130T122000Z", "20261130T122000Z"]);
    expect(sent.map(({ body }) => body)).toEqual(["the bytes of an object", "the bytes of an object", ""]);
    expect(source.state).toEqual({ opens: 2, closes: 2 });
  });

  it("finds out from a HEAD, whose answer has no code", async () => {
    const { store, sent } = openScripted([
      new Response(null, { status: 403, headers: date(NOW - OFF) }),
      headAnswer(1),
    ]);

    expect(await store.head("a")).toMatchObject({ length: 1 });
    expect(datesOf(sent)).toEqual(["20261130T120000Z", "20261130T114000Z"]);
  });

  it("signs every call again that was refused for the same wrong clock", async () => {
    const refusals = [1, 2].map(() => errorAnswer(403, "RequestTimeTooSkewed", "", date(NOW + OFF)));
    const { store, sent } = openScripted([...refusals, headAnswer(1), headAnswer(2)]);

    const found = await Promise.all([store.head("a"), store.head("b")]);

    expect(found.map((info) => info?.length)).toEqual([1, 2]);
    expect(datesOf(sent).slice(2)).toEqual(["20261130T122000Z", "20261130T122000Z"]);
  });

  it("says so when the second signature is refused too, and does not try a third", async () => {
    const { store, sent } = openScripted([
      errorAnswer(403, "RequestTimeTooSkewed", "", date(NOW + OFF)),
      errorAnswer(403, "RequestTimeTooSkewed", "", date(NOW + OFF)),
    ]);

    await expect(store.get("a")).rejects.toMatchObject({
      kind: "store_refused",
      message:
        'Cannot get object "a" in S3: RequestTimeTooSkewed (403), ' +
        "the clock here is 1200 s behind the store's, set the clock",
    });
    expect(sent).toHaveLength(2);
  });

  it("does not sign again where the clocks agree or the store tells no time", async () => {
    for (const headers of [date(NOW + 60_000), {}]) {
      const { store, sent } = openScripted([errorAnswer(403, "AccessDenied", "", headers)]);

      await expect(store.get("a")).rejects.toMatchObject({ kind: "store_refused" });
      expect(sent).toHaveLength(1);
    }
  });
});
