/** Every form of the archive through the whole worker: what is sent, what then stands in R2, what replay gives back. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { formatExtension, formatContentType, type ObjectForm } from "../../src/archive/object-form.ts";
import { joinBytes } from "../../src/bytes.ts";
import { formatShardName } from "../../src/buffer/shard-name.ts";
import { inflateStream } from "../../src/compression/inflate-stream.ts";
import type { Signal } from "../../src/signal.ts";
import { call, JSON_TYPE, makeLogs, makeReplayPath, PROTOBUF } from "../app-kit.ts";
import { FORMS, profilesDocument, profilesMessage } from "../reader/archive-forms.ts";
import { request } from "../reader/otlp-sample.ts";

const PROFILES_PATH = "/v1development/profiles";

const toVars = ({ marshaler, compression }: ObjectForm): Record<string, string> => ({
  ARCHIVE_MARSHALER: marshaler,
  ARCHIVE_COMPRESSION: compression,
});
const evict = (signal: Signal): Promise<void> => {
  const name = formatShardName({ tenant: "", signal, shard: 0 });
  return evictDurableObject(env.SHARD_BUFFER.get(env.SHARD_BUFFER.idFromName(name)));
};

async function send(path: string, body: BodyInit, options: { type: Record<string, string>; form: ObjectForm }) {
  const response = await call(path, { method: "POST", headers: options.type, body }, toVars(options.form));
  expect(response.status).toBe(200);
}

async function listKeys(): Promise<Set<string>> {
  return new Set((await env.ARCHIVE.list()).objects.map(({ key }) => key));
}

interface Stored {
  readonly key: string;
  readonly contentType: string | undefined;
  readonly raw: Uint8Array;
}

/** Flushes a signal and reads the objects that this made. */
async function flush(signal: Signal, known: ReadonlySet<string>, { compression }: ObjectForm): Promise<Stored[]> {
  const report = await (await call(`/admin/flush?signal=${signal}`, { method: "POST" })).json();
  expect(report).toMatchObject({ complete: true, remaining_batches: 0 });
  const keys = [...(await listKeys())].filter((key) => !known.has(key));
  const stored: Stored[] = [];
  for (const key of keys) {
    const object = await env.ARCHIVE.get(key);
    const pieces: Uint8Array[] = [];
    if (object !== null) for await (const piece of inflateStream(object.body, compression)) pieces.push(piece.slice());
    expect(object?.httpMetadata?.contentEncoding).toBeUndefined();
    stored.push({ key, contentType: object?.httpMetadata?.contentType, raw: joinBytes(pieces) });
  }
  return stored;
}

const replayText = async (signal: Signal, query = ""): Promise<string> =>
  (await call(`${makeReplayPath(signal)}${query}`)).text();

describe("a batch", () => {
  it.each(FORMS)(
    "in $marshaler and $compression is one object, filled on after an eviction",
    { timeout: 60_000 },
    async (form) => {
      const known = await listKeys();
      const names = ["n-1", "n-2", "n-3", "n-4"].map((name) => `${name}-${form.marshaler}-${form.compression}`);
      const [first = "", second = "", third = "", fourth = ""] = names;
      await send("/v1/logs", makeLogs(first), { type: JSON_TYPE, form });
      await evict("logs");
      await Promise.all([
        send("/v1/logs", request("logs", [second]), { type: PROTOBUF, form }),
        send("/v1/logs", makeLogs(third), { type: JSON_TYPE, form }),
      ]);
      await evict("logs");
      await send("/v1/logs", makeLogs(fourth), { type: JSON_TYPE, form });

      const [object, ...others] = await flush("logs", known, form);

      const text = new TextDecoder().decode(object?.raw);
      expect(others).toEqual([]);
      expect(object?.key).toMatch(new RegExp(`/logs_[^/.]+${formatExtension(form).replaceAll(".", "\\.")}$`));
      expect(object?.contentType).toBe(formatContentType(form));
      for (const name of names) expect(text.split(name), name).toHaveLength(2);
      if (form.marshaler === "otlp_json") {
        expect(Object.keys(JSON.parse(text) as object)).toEqual(["resourceLogs"]);
        expect(text.indexOf("\n")).toBe(text.length - 1);
      }
      for (const format of ["jsonl", "json", "proto", "proto-delimited"]) {
        const answer = await replayText("logs", `&format=${format}`);
        for (const name of names) expect(answer.split(name), `${format} ${name}`).toHaveLength(2);
      }
    },
  );
});

describe("a profiles request", () => {
  it.each(FORMS)(
    "in $marshaler and $compression is an object of its own, in its own encoding",
    { timeout: 60_000 },
    async (form) => {
      const known = await listKeys();
      const isJson = form.marshaler === "otlp_json";
      const names = [1, 2, 3].map((number) => `p-${number}-${form.marshaler}-${form.compression}`);
      const toBody = (name: string): BodyInit => (isJson ? profilesDocument(name, 2) : profilesMessage(name));
      const options = { type: isJson ? JSON_TYPE : PROTOBUF, form: { ...form, marshaler: "otlp_proto" } as const };
      await send(PROFILES_PATH, toBody(names[0] ?? ""), options);
      await evict("profiles");
      await Promise.all(names.slice(1).map((name) => send(PROFILES_PATH, toBody(name), options)));
      await send(PROFILES_PATH, toBody(names[1] ?? ""), options);

      const stored = await flush("profiles", known, form);

      expect(stored).toHaveLength(3);
      const texts = stored.map(({ raw }) => new TextDecoder().decode(raw));
      for (const name of names) expect(texts.filter((text) => text.includes(name))).toHaveLength(1);
      for (const [index, { key, contentType, raw }] of stored.entries()) {
        expect(key.endsWith(formatExtension(form))).toBe(true);
        expect(contentType).toBe(formatContentType(form));
        const name = names.find((each) => texts[index]?.includes(each)) ?? "";
        if (!isJson) expect(raw).toEqual(profilesMessage(name));
        else expect(JSON.parse(texts[index] ?? "")).toEqual(JSON.parse(profilesDocument(name)));
        if (isJson) expect(texts[index]?.indexOf("\n")).toBe((texts[index]?.length ?? 0) - 1);
      }
      for (const format of ["jsonl", "proto-delimited"]) {
        const answer = await replayText("profiles", `&format=${format}`);
        for (const name of names) expect(answer.split(name), `${format} ${name}`).toHaveLength(2);
      }
      expect((await call(`${makeReplayPath("profiles")}&format=json`)).status).toBe(400);
    },
  );

  it("is counted in the status, and holds its watermark back no longer than it takes to store it", async () => {
    const form = { marshaler: "otlp_proto", compression: "gzip" } as const;
    await send(PROFILES_PATH, profilesMessage("p-status"), { type: PROTOBUF, form });
    await (await call("/admin/flush?signal=profiles", { method: "POST" })).text();

    const status: { shards: { signal: string; counters: object }[]; watermark: object } = await (
      await call("/status")
    ).json();

    const shard = status.shards.find(({ signal }) => signal === "profiles");
    expect(Object.keys(status.watermark)).toContain("profiles");
    expect(shard).toMatchObject({ backlog_bytes: 0, backlog_items: 0 });
  });
});

describe("GET /replay", () => {
  it("answers 406 with a Status that lists what it has", async () => {
    const response = await call(makeReplayPath("traces"), { headers: { accept: "image/png" } });

    expect(response.status).toBe(406);
    expect(response.headers.get("vary")).toBe("Accept, Accept-Encoding");
    expect(await response.json()).toMatchObject({ code: 3, message: expect.stringContaining("application/x-ndjson") });
  });
});
