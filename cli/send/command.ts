/** `firn send`: a file that a replay has written, back to any OTLP/HTTP endpoint. */
import { FORMATS } from "../../src/replay/format.ts";
import { isSignal, SIGNALS } from "../../src/signal.ts";
import { EXIT, type Command, type World } from "../command.ts";
import { formatCount, formatSize } from "../figures.ts";
import { isOn, numberOf, usageError, valueOf, type Values } from "../options.ts";
import { checkUrl, readToken } from "../place.ts";
import { openProgress, type ProgressLine } from "../progress.ts";
import { gatherBatches } from "./batches.ts";
import { parseHeaders } from "./headers.ts";
import { openInput, toFormat } from "./input.ts";
import { openPace } from "./pace.ts";
import type { SendTarget } from "./post.ts";
import { openSendResume } from "./resume.ts";
import { sendBatch, type SendRules, type SentTotals } from "./send-batch.ts";
import { readUnits } from "./units.ts";

/** Of OTLP protobuf: far below the 4 MiB that every receiver takes. */
const BATCH_BYTES = 1024 * 1024;
const RETRIES = 8;

/** `firn send`. */
export const SEND: Command = {
  name: "send",
  summary: "Sends a file of any replay format to any OTLP/HTTP endpoint",
  operands: "FILE|-",
  options: [
    {
      name: "to",
      value: "URL",
      what: "Where to, without /v1/traces: the OTEL_EXPORTER_OTLP_ENDPOINT of that receiver.",
    },
    {
      name: "format",
      value: "FORMAT",
      what: `${FORMATS.join(", ")}; else as the name of the file ends.`,
      choices: FORMATS,
    },
    {
      name: "signal",
      value: "SIGNAL",
      what: "What proto and proto-delimited hold; JSON says it itself.",
      choices: SIGNALS,
    },
    { name: "header", value: "NAME=VALUE", what: "Sent along; several times for several.", isList: true },
    { name: "token_file", value: "FILE", what: "Holds a token, sent as Authorization: Bearer." },
    { name: "compression", value: "HOW", what: "gzip, the default, or none.", choices: ["gzip", "none"] },
    {
      name: "batch_bytes",
      value: "BYTES",
      what: `Of OTLP protobuf a request, ${BATCH_BYTES} by default.`,
      range: [1, 2 ** 30],
    },
    { name: "rate_bytes_per_second", value: "BYTES", what: "Of OTLP protobuf, before compression.", range: [1, 1e12] },
    { name: "rate_requests_per_second", value: "COUNT", what: "The most that are sent.", range: [1, 1e6] },
    {
      name: "retries",
      value: "COUNT",
      what: `Failures in a row until it is given up, ${RETRIES} by default.`,
      range: [0, 1e6],
    },
    {
      name: "on_error",
      value: "WHAT",
      what: "A request that is refused for good: stop, the default, or skip it.",
      choices: ["stop", "skip"],
    },
    { name: "resume", value: null, what: "false: no FILE.firn-sent beside the file." },
    { name: "quiet", value: null, what: "No progress; failures are told nevertheless." },
  ],
  notes: [
    "Headers may also stand in OTEL_EXPORTER_OTLP_HEADERS, where nobody sees them: the place for keys. FIRN_TOKEN is " +
      "never sent to another server.",
    "429, 502, 503, 504 and broken connections are tried again, Retry-After is kept. Stopped or killed, run it again " +
      "as it was: it goes on after the last request that was taken. Marks are not sent.",
    "Exit code: 0 all was taken; 3 some items were rejected or skipped; 1 it failed; 2 wrong usage.",
  ],
  run: async ({ values, positionals, world }) => {
    const [file, surplus] = positionals;
    if (file === undefined || surplus !== undefined) throw usageError("Cannot send: expected one FILE, or - for stdin");
    const target = toTarget(values, world);
    const { format, signal } = toContent(file, values);
    const batchBytes = numberOf(values, "batch_bytes") ?? BATCH_BYTES;
    const identity = {
      "--to": target.url,
      "--format": format,
      "--signal": signal ?? "",
      "--batch_bytes": String(batchBytes),
    };
    const hasResume = file !== "-" && valueOf(values, "resume") !== "false";
    const resume = await openSendResume(hasResume ? file : null, identity);
    const input = await openInput(file, world.stdin);
    const progress = openProgress(world, isOn(values, "quiet"));
    const rules = toRules(values, target, progress);
    const pace = openPace(toRate(values), world);
    let totals = resume.totals;
    if (totals.units > 0 && !isOn(values, "quiet")) progress.note(`Going on after ${formatCount(totals.items)} items`);
    try {
      const units = readUnits({ pieces: input.pieces, format, signal });
      for await (const batch of gatherBatches(units, { batchBytes, skipUnits: totals.units })) {
        await pace(batch.body.length);
        totals = await sendBatch(batch, totals, { rules, world });
        await resume.save(totals);
        progress.update(null, describe(totals));
      }
    } finally {
      progress.end();
      input.close();
    }
    await resume.remove();
    const isWhole = totals.rejected + totals.skipped === 0;
    if (!isWhole || !isOn(values, "quiet")) world.stderr.write(`${describe(totals)}\n`);
    return isWhole ? EXIT.done : EXIT.incomplete;
  },
};

function describe({ items, requests, bytes, rejected, skipped }: SentTotals): string {
  const sent = `Sent ${formatCount(items)} items in ${formatCount(requests)} requests, ${formatSize(bytes)}`;
  const lost = rejected === 0 ? "" : `, ${formatCount(rejected)} rejected`;
  return sent + lost + (skipped === 0 ? "" : `, ${formatCount(skipped)} refused and skipped`);
}

function toTarget(values: Values, { env }: World): SendTarget {
  const to = valueOf(values, "to");
  if (to === undefined) throw usageError("Cannot send without --to: expected the URL of an OTLP/HTTP endpoint");
  checkUrl("--to", to);
  const url = to.replace(/\/+$/, "");
  if (/\/v1(?:development)?\/[a-z]+$/.test(url))
    throw usageError(`Cannot use --to: leave out ${/\/v1.*$/.exec(url)?.[0]}, each signal has its own path`);
  const token = readToken(values);
  const headers = {
    ...parseHeaders("OTEL_EXPORTER_OTLP_HEADERS", (env["OTEL_EXPORTER_OTLP_HEADERS"] ?? "").split(",")),
    ...parseHeaders("--header", values.get("header") ?? []),
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  return { url, headers, isGzip: valueOf(values, "compression") !== "none" };
}

function toContent(file: string, values: Values): Pick<Parameters<typeof readUnits>[0], "format" | "signal"> {
  const format = toFormat(file, valueOf(values, "format"));
  const signal = valueOf(values, "signal");
  if (signal === undefined) {
    if (format === "proto" || format === "proto-delimited")
      throw usageError(`Cannot send ${format} without --signal: nothing in it says which signal it is of`);
    return { format, signal: null };
  }
  if (format === "jsonl" || format === "json") throw usageError(`Cannot use --signal: ${format} says it itself`);
  return { format, signal: isSignal(signal) ? signal : null };
}

function toRate(values: Values): Parameters<typeof openPace>[0] {
  return {
    bytesPerSecond: numberOf(values, "rate_bytes_per_second") ?? null,
    requestsPerSecond: numberOf(values, "rate_requests_per_second") ?? null,
  };
}

function toRules(values: Values, target: SendTarget, progress: ProgressLine): SendRules {
  return {
    target,
    retries: numberOf(values, "retries") ?? RETRIES,
    isSkipping: valueOf(values, "on_error") === "skip",
    note: (text) => progress.note(text),
  };
}
