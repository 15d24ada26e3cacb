import { expect, test } from "vitest";
import { parseReplayRequest } from "../../src/replay/parameters.ts";

const parse = (query: string, accept: string | null = null): unknown =>
  parseReplayRequest({ query: new URLSearchParams(query), accept });
const WINDOW = "start=2026-05-01&end=2026-05-02";

test("parseReplayRequest() has these defaults", () => {
  expect(parse(`signal=traces&${WINDOW}`)).toEqual({
    signal: "traces",
    signals: ["traces"],
    window: { start: Date.UTC(2026, 4, 1), end: Date.UTC(2026, 4, 2) },
    arrivals: { start: Date.UTC(2026, 4, 1), end: Date.UTC(2026, 4, 2) },
    filter: null,
    format: "jsonl",
    onError: "stop",
    maxLineBytes: 1_000_000,
    hasMark: true,
    limitBytes: null,
    coding: "identity",
    dryRun: null,
    cursor: null,
  });
});

test("parseReplayRequest() reads every parameter", () => {
  const query = "format=jsonl&on_error=skip&max_line_bytes=16000000&mark=false&time=arrival&cursor=v1.logs.29627409";

  expect(parse(`signal=logs&${WINDOW}&${query}`)).toMatchObject({
    onError: "skip",
    maxLineBytes: 16_000_000,
    hasMark: false,
    cursor: { position: { signal: "logs", minute: 29_627_409 * 60_000, place: null } },
  });
});

const KNOWN =
  "signal, start, end, format, on_error, max_line_bytes, mark, cursor, time, limit_bytes, dry_run, exact, service, " +
  "trace_id, span_name, metric_name, severity, attr.<key>, resource.<key>";

test.each([
  [WINDOW, "signal", 'Cannot replay without "signal": expected one of traces, metrics, logs, profiles, all'],
  [
    `signal=spans&${WINDOW}`,
    "signal",
    'Cannot parse "signal": found "spans", expected traces or metrics or logs or profiles or all',
  ],
  [`signal=all&${WINDOW}&format=json`, "format", 'Cannot use format "json" with signal "all": only lines can be of'],
  [`signal=traces&end=2026-05-02`, "start", 'Cannot read a window without "start"'],
  [`signal=traces&start=2026-05-02`, "end", 'Cannot read a window without "end"'],
  [`signal=traces&start=2026-05-02&end=2026-05-02`, "end", "Cannot read the window"],
  [
    `signal=traces&${WINDOW}&format=csv`,
    "format",
    'Cannot parse "format": found "csv", expected jsonl or json or proto or proto-delimited',
  ],
  [
    `signal=profiles&${WINDOW}&format=json`,
    "format",
    'Cannot use format "json" with signal "profiles": its requests do not concatenate, expected jsonl or proto-del',
  ],
  [`signal=profiles&${WINDOW}&format=proto`, "format", 'Cannot use format "proto" with signal "profiles"'],
  [`signal=traces&${WINDOW}&on_error=ignore`, "on_error", 'found "ignore", expected stop or skip'],
  [`signal=traces&${WINDOW}&mark=1`, "mark", 'found "1", expected true or false'],
  [
    `signal=traces&${WINDOW}&max_line_bytes=999`,
    "max_line_bytes",
    "expected a whole number of bytes from 1000 to 16777216",
  ],
  [`signal=traces&${WINDOW}&max_line_bytes=16777217`, "max_line_bytes", 'found "16777217"'],
  [`signal=traces&${WINDOW}&max_line_bytes=1e6`, "max_line_bytes", 'found "1e6"'],
  [`signal=traces&${WINDOW}&max_line_bytes=5000&format=proto`, "max_line_bytes", 'only "jsonl" has lines'],
  [`signal=traces&${WINDOW}&cursor=x`, "cursor", 'Cannot parse "cursor"'],
  [`signal=traces&${WINDOW}&dry_run=1`, "dry_run", 'Cannot parse "dry_run": found "1", expected true or false'],
  [`signal=traces&${WINDOW}&dry_run=true&exact=yes`, "exact", 'found "yes", expected true or false'],
  [`signal=traces&${WINDOW}&exact=true`, "exact", 'Cannot use "exact" without dry_run=true'],
  [
    `signal=traces&${WINDOW}&limit_bytes=65535`,
    "limit_bytes",
    "expected a whole number of bytes from 65536 to 8589934592",
  ],
  [`signal=traces&${WINDOW}&limit_bytes=8589934593`, "limit_bytes", 'found "8589934593"'],
  [`signal=traces&${WINDOW}&limit_bytes=1MB`, "limit_bytes", 'found "1MB"'],
  [`signal=traces&${WINDOW}&limit_bytes=65536&mark=false`, "limit_bytes", "only the mark says that there is more"],
  [`signal=traces&${WINDOW}&sginal=x`, "sginal", `Cannot use "sginal": unknown parameter, expected one of ${KNOWN}`],
  [`signal=traces&${WINDOW}&Format=proto`, "Format", 'Cannot use "Format": unknown parameter'],
  [`signal=traces&signal=logs&${WINDOW}`, "signal", 'Cannot read "signal": it is given more than once'],
])("parseReplayRequest() refuses %s, naming %s", (query, field, message) => {
  let thrown: unknown = null;
  try {
    parse(query);
  } catch (error) {
    thrown = error;
  }

  expect(thrown).toMatchObject({ kind: "invalid_request", field, message: expect.stringContaining(message) });
});

test("parseReplayRequest() follows the header Accept only where the query names no format", () => {
  const query = `signal=traces&${WINDOW}`;

  expect(parse(query, "application/x-protobuf")).toMatchObject({ format: "proto" });
  expect(parse(`${query}&format=jsonl`, "application/x-protobuf")).toMatchObject({ format: "jsonl" });
  expect(parse(`${query}&format=jsonl`, "image/png")).toMatchObject({ format: "jsonl" });
});

test("parseReplayRequest() offers profiles only what they have", () => {
  const query = `signal=profiles&${WINDOW}`;

  expect(parse(query)).toMatchObject({ signal: "profiles", format: "jsonl" });
  expect(parse(query, "application/json, application/*;q=0.1")).toMatchObject({ format: "jsonl" });
  expect(() => parse(query, "application/json")).toThrow(
    "expected one of application/x-ndjson, application/octet-stream",
  );
});
