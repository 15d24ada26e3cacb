import { describe, expect, it } from "vitest";
import type { AppendOutcome } from "../../src/buffer/contract.ts";
import { compressMember } from "../../src/compression/member.ts";
import { inflateBody } from "../../src/compression/request-body.ts";
import { failureOf, makeLogs, openDeps, post, send } from "./ingest-kit.ts";

/** The first call fails with an error that carries the platform's flags. */
function failOnce(flags: object): (call: number) => AppendOutcome {
  return (call) => {
    if (call === 1) throw Object.assign(new Error("reset"), flags);
    return { kind: "stored" };
  };
}

const GZIP = { "content-encoding": "gzip" };

describe("ingest()", () => {
  it("keeps the client's own gzip bytes as the member", async () => {
    const { deps, appended } = openDeps();
    const wire = compressMember(makeLogs("kept"), "gzip");

    expect((await send(post(wire, GZIP), deps)).status).toBe(200);
    expect(appended[0]?.member).toEqual(wire);
  });

  it("compresses anew what came plain, padded, or as JSON", async () => {
    const body = makeLogs("made");
    const padded = new Uint8Array([...compressMember(body, "gzip"), 0, 0]);
    const json = JSON.stringify({
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: "made" } }] }] }],
    });
    for (const request of [
      post(body),
      post(padded, GZIP),
      post(new TextEncoder().encode(json), { "content-type": "application/json" }),
    ]) {
      const { deps, appended } = openDeps();
      await send(request, deps);
      const [first] = appended;
      const inflated = inflateBody("gzip", first?.member ?? new Uint8Array(), 1e6);

      expect(inflated.isClean).toBe(true);
      expect(inflated.body).toEqual(body);
    }
  });

  it("gives a retry the same hash and shard, whatever its compression", async () => {
    const { deps, appended } = openDeps();
    const body = makeLogs("again");
    await send(post(body), deps);
    await send(post(compressMember(body, "gzip"), GZIP), deps);
    await send(post(new Uint8Array([...compressMember(body, "gzip"), 0]), GZIP), deps);

    expect(new Set(appended.map(({ head }) => head.hash.toHex())).size).toBe(1);
    expect(new Set(appended.map(({ head }) => head.identity.shard)).size).toBe(1);
  });

  it("hands a member above 1 MiB over as a stream", async () => {
    const { deps, appended } = openDeps();
    const noise = Array.from({ length: 40 }, () => crypto.getRandomValues(new Uint8Array(60_000)).toHex()).join("");
    await send(post(makeLogs(noise)), deps);

    expect(appended[0]?.isStream).toBe(true);
    expect(appended[0]?.head.memberBytes).toBe(appended[0]?.member.length);
    const { body } = inflateBody("gzip", appended[0]?.member ?? new Uint8Array(), 1e7);
    const sent = makeLogs(noise);
    expect(body.length === sent.length && body.every((byte, index) => byte === sent[index])).toBe(true);
  });

  it("stores nothing for a request without items", async () => {
    const { deps, appended } = openDeps();
    for (const body of [new Uint8Array(), new Uint8Array([10, 0])]) await send(post(body), deps);

    expect(appended).toEqual([]);
  });

  it("turns a refusal of the shard into 503 with its Retry-After", async () => {
    const { deps } = openDeps(() => ({ kind: "unavailable", reason: "backlog", retryAfterSeconds: 5 }));

    await expect(send(post(makeLogs("a")), deps)).rejects.toMatchObject({ kind: "unavailable", retryAfterSeconds: 5 });
  });

  it("asks the shard once more only where the platform says that repeating is safe", async () => {
    expect((await send(post(makeLogs("b")), openDeps(failOnce({ retryable: true })).deps)).status).toBe(200);
    for (const flags of [{}, { retryable: true, overloaded: true }, { remote: true }]) {
      const { deps } = openDeps(failOnce(flags));
      await expect(send(post(makeLogs("b")), deps)).rejects.toMatchObject({ kind: "unavailable" });
    }
  });

  it("never calls a shard twice that would not know the copy", async () => {
    const { deps, appended } = openDeps(failOnce({ retryable: true }));

    const failure = await failureOf(send(post(makeLogs("b")), { ...deps, isDeduped: false }));

    expect([failure.kind, appended.length]).toEqual(["unavailable", 0]);
    expect(failure.message).toMatch(/may have been stored, .* may store it twice/);
  });

  it("says after a lost answer that the request may be stored and is safe to send again", async () => {
    const { deps } = openDeps(failOnce({}));

    const failure = await failureOf(send(post(makeLogs("b")), deps));

    expect(failure).toMatchObject({ kind: "unavailable", retryAfterSeconds: 1 });
    expect(failure.message).toContain("it may have been stored, sending it again is safe");
  });

  it("takes a kind that a newer shard added for unavailable", async () => {
    const newer: AppendOutcome = JSON.parse('{"kind":"stored_later"}');
    const { deps } = openDeps(() => newer);

    await expect(send(post(makeLogs("c")), deps)).rejects.toMatchObject({ kind: "unavailable", retryAfterSeconds: 1 });
  });
});
