/** `firn trace`: everything that the archive has of one trace. */
import { HOUR, MINUTE } from "../src/units.ts";
import type { Mark } from "../src/replay/mark.ts";
import { encodeEnd } from "./replay/framing.ts";
import { EXIT, type Command } from "./command.ts";
import { formatInstant } from "./figures.ts";
import { usageError, valueOf, type Option, type Values } from "./options.ts";
import { parsePlace, PLACE_OPTIONS } from "./place.ts";
import { PAGE_OPTIONS, replayToPipe, report } from "./replay/command.ts";
import { FORM_OPTIONS, toReplayRequest, WINDOW_OPTIONS } from "./replay/parameters.ts";
import { print } from "./replay/spool.ts";

const DEFAULT_DAYS = 30;
const SIGNAL: Option = {
  name: "signal",
  value: "SIGNAL",
  what: "traces, the default, logs, or both.",
  choices: ["traces", "logs", "both"],
};

/** `firn trace`. */
export const TRACE: Command = {
  name: "trace",
  summary: "Finds one trace: its spans, its log records, or both",
  operands: "TRACE_ID",
  options: [SIGNAL, ...WINDOW_OPTIONS, ...FORM_OPTIONS, ...PAGE_OPTIONS, ...PLACE_OPTIONS],
  notes: [
    `Without --start and --end: the last ${DEFAULT_DAYS} days. With --signal both the spans come first, then the log ` +
      "records; there is one mark for both.",
    "Exit code: as firn replay, so that it is 3 without --end: of a window that reaches to now more may come. A " +
      "trace that is not found is a replay without items.",
  ],
  run: async ({ values, positionals, world }) => {
    const [id = "", surplus] = positionals;
    if (!/^[0-9a-f]{32}$/i.test(id) || surplus !== undefined)
      throw usageError(`Cannot trace "${positionals.join(" ")}": expected one trace id, 32 hexadecimal digits`);
    const address = parsePlace(values, world);
    const wanted = valueOf(values, "signal") ?? "traces";
    const signals = wanted === "both" ? ["traces", "logs"] : [wanted];
    if (wanted === "both" && (valueOf(values, "format") ?? "jsonl") !== "jsonl")
      throw usageError("Cannot use --format: with --signal both only jsonl can hold the answer");
    const requests = signals.map((signal) => toReplayRequest(complete(values, { signal, id, now: world.now() })));
    const marks: Mark[] = [];
    const codes: number[] = [];
    for (const request of requests) {
      const isAlone = requests.length === 1;
      const mark = await replayToPipe(address, request, { values, world }, isAlone ? null : false);
      codes.push(report(mark, request, world));
      marks.push(mark);
    }
    if (marks.length > 1 && valueOf(values, "mark") !== "false")
      await print(world.stdout, encodeEnd(joinMarks(marks), { format: "jsonl", signal: "all" }));
    return codes.find((code) => code !== EXIT.done) ?? EXIT.done;
  },
};

interface TraceQuestion {
  readonly signal: string;
  readonly id: string;
  readonly now: number;
}

/** Fills in what the command line left open. */
function complete(values: Values, { signal, id, now }: TraceQuestion): Values {
  const end = Math.ceil((now + 1) / MINUTE) * MINUTE;
  const window = valueOf(values, "end") ?? formatInstant(end);
  const start = formatInstant(end - DEFAULT_DAYS * 24 * HOUR);
  const filled = new Map(values);
  filled.set("signal", [signal]).set("trace_id", [id.toLowerCase()]);
  filled.set("start", [valueOf(values, "start") ?? start]).set("end", [window]);
  return filled;
}

function joinMarks(marks: readonly Mark[]): Mark {
  return marks.reduce((left, right) => ({
    ...right,
    items: left.items + right.items,
    bytes: left.bytes + right.bytes,
    complete: left.complete && right.complete,
    watermark: [left.watermark, right.watermark].toSorted(byEarliest)[0] ?? right.watermark,
    unreadable: left.unreadable + right.unreadable,
    retired: left.retired + right.retired,
    expired: left.expired + right.expired,
  }));
}

/** What is unknown may be earlier than anything. */
function byEarliest(left: string, right: string): number {
  const [first, second] = [left, right].map((text) => (text === "unknown" ? 0 : Date.parse(text)));
  return (first ?? 0) - (second ?? 0);
}
