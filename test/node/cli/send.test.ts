/** `firn send` against a receiver that is told how to answer; protobufjs reads what came. */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listItems, type Signal } from "../../../scripts/otlp-items.ts";
import { decodeProtobuf, encodeProtobuf } from "../../../scripts/otlp-protobuf.ts";
import { encodeMark } from "../../../src/replay/mark.ts";
import type { ReplayFormat } from "../../../src/replay/format.ts";
import { runCli } from "./run-cli.ts";
import { startScriptedFirn, type Act, type ScriptedFirn } from "./scripted-firn.ts";

const OK: Act = { kind: "status", status: 200 };
const MARK = { items: 3, complete: true, next: null, watermark: "unknown", unreadable: 0, retired: 0, expired: 0 };

let directory: string;
let fileCount = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "firn-send-"));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function write(ending: string, content: Uint8Array | string): Promise<string> {
  fileCount += 1;
  const file = join(directory, `${fileCount}.${ending}`);
  await writeFile(file, content);
  return file;
}

function toRequest(name: string): { readonly resourceSpans: readonly object[] } {
  const span = { traceId: "5b8efff798038103d269b633813fc60c", spanId: "eee19b7ec3c1b174", name, kind: 1 };
  return { resourceSpans: [{ resource: {}, scopeSpans: [{ scope: {}, spans: [{ ...span, status: {} }] }] }] };
}

const LOG_LINE = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}\n';
const METRIC_LINE =
  '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asInt":"1"}]}}]}]}]}\n';

function toLines(names: readonly string[]): string {
  return names.map((name) => `${JSON.stringify(toRequest(name))}\n`).join("");
}

/** Such as hour objects have between their members. */
const SKIPPABLE_FRAME = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]);

/** Names of what came, a list a request. */
function namesOf({ seen }: ScriptedFirn): readonly (readonly string[])[] {
  return seen.map(({ path, body, headers }) => {
    const signal = path.slice("/v1/".length) as Signal;
    const plain = headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
    return listItems(signal, decodeProtobuf(signal, plain)).map(({ content }) => {
      const { span, logRecord, metric } = content as Record<string, { name?: string; body?: { stringValue: string } }>;
      return span?.name ?? metric?.name ?? logRecord?.body?.stringValue ?? "?";
    });
  });
}

function encodeReplay(format: ReplayFormat): Buffer {
  const names = ["a", "b", "c"];
  const messages = names.map((name) => encodeProtobuf("traces", toRequest(name) as never));
  const framed: Readonly<Record<ReplayFormat, () => Buffer>> = {
    jsonl: () => Buffer.from(toLines(names)),
    json: () =>
      Buffer.from(
        `{"resourceSpans":[${names.map((name) => JSON.stringify(toRequest(name).resourceSpans[0])).join(",")}]`,
      ),
    proto: () => Buffer.concat(messages),
    "proto-delimited": () => Buffer.concat(messages.flatMap((bytes) => [Buffer.of(0, 0, 0, bytes.length), bytes])),
  };
  const body = framed[format]();
  return Buffer.concat([body, encodeMark({ ...MARK, bytes: body.length }, { format, signal: "traces" })]);
}

describe("firn send", () => {
  test.each([
    ["jsonl", "jsonl", []],
    ["json", "json", []],
    ["proto", "binpb", ["--signal", "traces"]],
    ["proto-delimited", "delimited.binpb", ["--signal", "traces"]],
    ["proto-delimited", "otlp", ["--signal", "traces", "--format", "proto-delimited"]],
  ] as const)("sends every item of %s once and no mark, plain, in gzip and in zstd", async (format, ending, args) => {
    const bytes = encodeReplay(format);
    const half = Math.ceil(bytes.length / 2);
    const frames = Buffer.concat([
      SKIPPABLE_FRAME,
      zstdCompressSync(bytes.subarray(0, half)),
      SKIPPABLE_FRAME,
      zstdCompressSync(bytes.subarray(half)),
    ]);
    const files = [
      await write(ending, bytes),
      await write(`${ending}.gz`, gzipSync(bytes)),
      await write(`${ending}.zst`, zstdCompressSync(bytes)),
      await write(`${ending}.zst`, frames),
    ];

    for (const file of files) {
      await using receiver = await startScriptedFirn(() => OK);
      const ended = await runCli(["send", file, "--to", receiver.url, ...args]);

      expect(ended.stderr).toContain("Sent 3 items in 1 requests");
      expect(ended.code).toBe(0);
      expect(namesOf(receiver)).toEqual([["a", "b", "c"]]);
      expect(receiver.seen[0]?.body.includes("firn")).toBe(false);
      expect(existsSync(`${file}.firn-sent`)).toBe(false);
    }
  });

  test("sends lines of several signals each to its path, from stdin too", async () => {
    await using receiver = await startScriptedFirn(() => OK);
    const stdin = Buffer.from(toLines(["a"]) + METRIC_LINE + LOG_LINE + LOG_LINE);

    const ended = await runCli(["send", "-", "--to", `${receiver.url}/base/`, "--compression", "none"], { stdin });

    expect(ended.code).toBe(0);
    expect(receiver.seen.map(({ path }) => path)).toEqual(["/base/v1/traces", "/base/v1/metrics", "/base/v1/logs"]);
    expect(receiver.seen.map(({ headers }) => headers["content-encoding"])).toEqual([undefined, undefined, undefined]);
  });

  test.each([
    ["gz", gzipSync(toLines(["a", "b"])), "a truncated"],
    ["zst", zstdCompressSync(toLines(["a", "b"])), "a truncated zstd frame"],
  ])("says that a file in %s is cut short", async (ending, bytes, found) => {
    await using receiver = await startScriptedFirn(() => OK);
    const file = await write(`jsonl.${ending}`, bytes.subarray(0, bytes.length - 3));

    const ended = await runCli(["send", file, "--to", receiver.url]);

    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining(found)]);
  });

  test("--quiet says nothing where all was taken", async () => {
    await using receiver = await startScriptedFirn(() => OK);
    const file = await write("jsonl", toLines(["a"]));

    const ended = await runCli(["send", file, "--to", receiver.url, "--quiet"]);

    expect([ended.code, ended.stderr]).toEqual([0, ""]);
  });

  test("batches by size, and keeps to both rates", async () => {
    await using receiver = await startScriptedFirn(() => OK);
    const file = await write("jsonl", toLines(["a", "b", "c", "d"]));
    const unit = encodeProtobuf("traces", toRequest("a") as never).length;

    const batches = ["--batch_bytes", String(2 * unit)];
    const byBytes = await runCli([
      "send",
      file,
      "--to",
      receiver.url,
      ...batches,
      "--rate_bytes_per_second",
      String(unit),
    ]);
    const byCount = await runCli(["send", file, "--to", receiver.url, ...batches, "--rate_requests_per_second", "4"]);

    expect(namesOf(receiver)).toEqual([
      ["a", "b"],
      ["c", "d"],
      ["a", "b"],
      ["c", "d"],
    ]);
    expect(byBytes.waits).toEqual([2_000]);
    expect(byCount.waits).toEqual([250]);
  });

  test.each([429, 502, 503, 504])("sends the same request again after %i, as Retry-After says", async (status) => {
    await using receiver = await startScriptedFirn((_seen, count) =>
      count === 0 ? { kind: "status", status, headers: { "retry-after": "3" } } : OK,
    );
    const file = await write("jsonl", toLines(["a"]));

    const ended = await runCli(["send", file, "--to", receiver.url]);

    expect(ended.code).toBe(0);
    expect(ended.waits).toEqual([3_000]);
    expect(receiver.seen[1]?.body.equals(receiver.seen[0]?.body ?? Buffer.alloc(0))).toBe(true);
  });

  test.each([400, 401, 408, 413, 500, 301])(
    "does not send again after %i, and says where it stopped",
    async (status) => {
      await using receiver = await startScriptedFirn((_seen, count) =>
        count === 1 ? { kind: "status", status, body: '{"message":"No"}', headers: { location: "http://there" } } : OK,
      );
      const file = await write("jsonl", toLines(["a", "b", "c"]));
      const args = ["send", file, "--to", receiver.url, "--batch_bytes", "1"];

      const stopped = await runCli(args);
      const count = receiver.seen.length;
      const resumed = await runCli(args);

      expect([stopped.code, count]).toEqual([1, 2]);
      expect(stopped.stderr).toContain(
        `Cannot send the request after 1 items of the input: ${receiver.url}/v1/traces answers ${status}, `,
      );
      // What was taken is not sent again.
      expect(resumed.code).toBe(0);
      expect(namesOf(receiver)).toEqual([["a"], ["b"], ["b"], ["c"]]);
    },
  );

  test("--on_error skip leaves a refused request out and ends with 3", async () => {
    await using receiver = await startScriptedFirn((_seen, count) =>
      count === 1 ? { kind: "status", status: 400 } : OK,
    );
    const file = await write("jsonl", toLines(["a", "b", "c"]));

    const ended = await runCli(["send", file, "--to", receiver.url, "--batch_bytes", "1", "--on_error", "skip"]);

    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain("1 refused and skipped");
    expect(receiver.seen.length).toBe(3);
  });

  test.each([
    ["protobuf", Buffer.concat([Buffer.of(0x0a, 6, 0x08, 1, 0x12, 2), Buffer.from("no")])],
    ["JSON", Buffer.from('{"partialSuccess":{"rejectedSpans":"1","errorMessage":"no"}}')],
  ])("reports a partial success in %s and ends with 3", async (_encoding, body) => {
    const answer = { kind: "status", status: 200, body: body as unknown as string } as const;
    await using receiver = await startScriptedFirn(() => answer);
    const file = await write("jsonl", toLines(["a", "b"]));

    const ended = await runCli(["send", file, "--to", receiver.url]);

    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain("The receiver rejected 1 of 2 items in the request after 0 items of the input: no");
    expect(ended.stderr).toContain("1 rejected");
  });

  test("a receiver that took nothing does not bind the file to it", async () => {
    await using wrong = await startScriptedFirn(() => ({ kind: "status", status: 404 }));
    await using right = await startScriptedFirn(() => OK);
    const file = await write("jsonl", toLines(["a"]));
    const sendTo = async ({ url }: ScriptedFirn): Promise<number> => (await runCli(["send", file, "--to", url])).code;

    expect([await sendTo(wrong), await sendTo(right), ...namesOf(right)]).toEqual([1, 0, ["a"]]);
  });

  test("goes on in another run after the connection broke for good, and repeats a request byte for byte", async () => {
    let isDown = true;
    await using receiver = await startScriptedFirn((_seen, count) =>
      isDown && count >= 1 ? { kind: "cut", body: Buffer.of(1), at: 0, isClean: false } : OK,
    );
    const file = await write("jsonl", toLines(["a", "b", "c", "d", "e"]));
    const args = ["send", file, "--to", receiver.url, "--batch_bytes", "200", "--retries", "1"];

    const broken = await runCli(args);
    isDown = false;
    const whole = await runCli(args);

    expect([broken.code, whole.code]).toEqual([1, 0]);
    const [first, tried, again, repeated] = receiver.seen.map(({ body }) => body.toString("hex"));
    expect(first).not.toBe(tried);
    expect([again, repeated]).toEqual([tried, tried]);
    expect(new Set(namesOf(receiver).flat())).toEqual(new Set(["a", "b", "c", "d", "e"]));
  });

  test("sends headers of the environment and of options, the token of its file, and never FIRN_TOKEN", async () => {
    await using receiver = await startScriptedFirn(() => OK);
    const file = await write("jsonl", toLines(["a"]));
    const token = await write("token", "firn_theirs\n");
    const env = { FIRN_TOKEN: "firn_ours", OTEL_EXPORTER_OTLP_HEADERS: "x-a=1%202,x-b=2" };

    const args = ["send", file, "--to", receiver.url, "--header", "X-B: 3", "--header=x-c=4"];
    await runCli(args, { env });
    await runCli([...args, "--token_file", token], { env });

    const [plain, signed] = receiver.seen.map(({ headers }) => headers);
    expect(plain).toMatchObject({ "x-a": "1 2", "x-b": "3", "x-c": "4", "content-type": "application/x-protobuf" });
    expect([plain?.authorization, signed?.authorization]).toEqual([undefined, "Bearer firn_theirs"]);
  });

  test.each([
    ["jsonl", "jsonl", '{"a":1}\n', "Cannot send line 1: it is no OTLP JSON request"],
    ["jsonl", "jsonl", `${toLines(["a"])}{"resourceSpans":[{]}\n`, "Cannot send line 2: "],
    ["json", "json", '{"resourceSpans":[', "Cannot send what follows element 0: "],
    ["proto", "pb", Buffer.of(10, 200, 1), "Cannot send what follows field 0: "],
    ["proto", "pb", Buffer.of(10, 2, 10, 9), "Cannot send field 1: it is no request of traces"],
    ["proto-delimited", "x", Buffer.of(0, 0, 0, 9, 1), "Cannot send what follows message 1: the input ends inside"],
    ["jsonl", "jsonl", Buffer.of(0x28, 0xb5, 0x2f, 0xfd), "jsonl: Cannot inflate object: found a truncated zstd frame"],
    ["proto", "pb", Buffer.of(0x1f, 0x8b, 8), "pb: Cannot inflate object: found a truncated gzip header"],
  ] as const)("says what in %s it cannot read (%#)", async (format, ending, content, sentence) => {
    await using receiver = await startScriptedFirn(() => OK);
    const file = await write(ending, content);
    const said = format.startsWith("proto") ? ["--signal", "traces", "--format", format] : [];

    const ended = await runCli(["send", file, "--to", receiver.url, ...said]);

    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(sentence);
  });
});
