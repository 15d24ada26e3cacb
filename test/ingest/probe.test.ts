/** The word by which a platform asks whether a destination is there (otlp-http 8, last row and consequences). */
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { call, digest, JSON_TYPE, PROTOBUF } from "../app-kit.ts";
import { openDeps, post, send, toBytes } from "./ingest-kit.ts";

const GZIP = { "content-encoding": "gzip" };

/** A request without a media type, which a Request with a text as body would add. */
function bare(body: BodyInit, headers: Record<string, string> = {}): Request {
  const request = post(body, headers);
  if (headers["content-type"] === undefined) request.headers.delete("content-type");
  return request;
}

describe("the probe of a platform's export", () => {
  const types = [undefined, "", "text/plain", "application/octet-stream", "application/protobuf", "application/ndjson"];
  it.each(types)("test with the media type %j is 200 {} and stores nothing, plain, gzip and chunked", async (type) => {
    const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
    for (const request of [
      bare("test", headers),
      bare(gzipSync(toBytes("test")), { ...headers, ...GZIP }),
      bare(new Blob(["test"]).stream(), headers),
      bare("test", { ...headers, "content-length": "4" }),
    ]) {
      const { deps, appended } = openDeps();
      const response = await send(request, deps);
      expect([response.status, response.headers.get("content-type"), await response.text(), appended]).toEqual([
        200,
        "application/json",
        "{}",
        [],
      ]);
    }
  });

  it.each([
    [JSON_TYPE, "{}"],
    [PROTOBUF, ""],
  ])("test with a media type of OTLP, %j, is answered in it", async (headers, text) => {
    for (const signal of ["traces", "metrics", "logs", "profiles"] as const) {
      const { deps, appended } = openDeps();
      for (const request of [post("test", headers), post(gzipSync(toBytes("test")), { ...headers, ...GZIP })]) {
        const response = await send(request, deps, signal);
        expect([response.status, response.headers.get("content-type")]).toEqual([200, headers["content-type"]]);
        expect(await response.text()).toBe(text);
      }
      expect(appended).toEqual([]);
    }
  });

  it("is an authenticated request like any other", async () => {
    const vars = { INGEST_TOKEN_SHA256: await digest("writer") };
    const ask = (headers: Record<string, string>): Promise<Response> =>
      call("/v1/logs", { method: "POST", headers, body: "test" }, vars);

    expect((await ask({})).status).toBe(401);
    expect((await ask({ authorization: "writer" })).status).toBe(200);
  });

  it.each(["", "tes", "Test", "test\n", " test", '"test"', "testtest", "{}"])(
    "%j with an unknown media type is 415",
    async (body) => {
      for (const request of [bare(body), bare(gzipSync(toBytes(body)), GZIP)]) {
        await expect(send(request, openDeps().deps)).rejects.toMatchObject({ kind: "unsupported_media_type" });
      }
    },
  );

  it("a small JSON object of unknown keys is an empty request", async () => {
    const { deps, appended } = openDeps();
    const response = await send(post(gzipSync(toBytes('{"content":"test"}')), { ...JSON_TYPE, ...GZIP }), deps);

    expect([response.status, await response.text(), appended]).toEqual([200, "{}", []]);
  });

  it.each([
    ["no gzip", "test", GZIP],
    ["an unknown coding", "test", { "content-encoding": "br" }],
    ["a bomb", gzipSync(new Uint8Array(100_000)), GZIP],
    ["a declared length above the limit", "test", { "content-length": "257" }],
  ] as const)(
    "a body of unknown media type is 415, whatever else is wrong with it: %s",
    async (_name, body, headers) => {
      await expect(send(bare(body, headers), openDeps().deps)).rejects.toMatchObject({
        kind: "unsupported_media_type",
      });
    },
  );

  it("a large body of unknown media type is 415 after hardly any of it", async () => {
    let sent = 0;
    const pull = (controller: ReadableByteStreamController): void => {
      sent += 100;
      controller.enqueue(new Uint8Array(100));
    };
    const stream = new ReadableStream({ type: "bytes", pull }, { highWaterMark: 0 });

    await expect(send(bare(stream), openDeps().deps)).rejects.toMatchObject({ kind: "unsupported_media_type" });
    expect(sent).toBeLessThan(1000);
  });
});
