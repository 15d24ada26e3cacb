/** `firn trace`: everything that the archive has of one trace. */
import { parseInstant, parseWindow, type Window } from "../src/archive/window.ts";
import { HOUR, MINUTE } from "../src/units.ts";
import type { Mark } from "../src/replay/mark.ts";
import { encodeEnd } from "./replay/framing.ts";
import { EXIT, type Command, type CommandInput } from "./command.ts";
import { formatCount, formatInstant } from "./figures.ts";
import { isOn, usageError, valueOf, type Option, type Values } from "./options.ts";
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
    "Without --end it looks up to now and says from when on items may still be in a buffer; without --start " +
      `${DEFAULT_DAYS} days back. With --signal both spans come first, then log records, and one mark for both.`,
    "Exit code: 0 found; 4 not found; 3 something could not be read, or --end lies where more may still come; 1 it " +
      "failed; 2 wrong usage. Without --end the mark has complete false, since its window reaches to now.",
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
    const window = toWindow(values, world.now());
    const requests = signals.map((signal) => toReplayRequest(complete(values, { signal, id, window })));
    const marks: Mark[] = [];
    for (const request of requests) {
      const isAlone = requests.length === 1;
      marks.push(await replayToPipe(address, request, { values, world }, isAlone ? null : false));
    }
    const mark = joinMarks(marks);
    if (marks.length > 1 && valueOf(values, "mark") !== "false")
      await print(world.stdout, encodeEnd(mark, { format: "jsonl", signal: "all" }));
    return conclude({ id, mark, window: parseWindow(window.start, window.end) }, { values, world });
  },
};

interface Found {
  readonly id: string;
  readonly mark: Mark;
  readonly window: Window;
}

/**
 * Says what came of it. Who names no end wants what is there: that the newest items are still in a buffer is then no
 * fault, and is said all the same.
 * @returns the exit code
 */
function conclude({ id, mark, window }: Found, { values, world }: Pick<CommandInput, "values" | "world">): number {
  const isOpen = valueOf(values, "end") === undefined && mark.unreadable === 0 && mark.watermark !== "unknown";
  const code = isOpen ? EXIT.done : report(mark, { window }, world);
  const isLate = isOpen && Date.parse(mark.watermark) < window.end;
  const upTo = isLate ? `; items from ${mark.watermark} on may still be in a buffer` : "";
  if (code === EXIT.done && mark.items === 0) {
    const [start, end] = [window.start, window.end].map(formatInstant);
    world.stderr.write(`Cannot find trace ${id}: nothing of it from ${start} to ${end}${upTo}\n`);
    return EXIT.notFound;
  }
  if (isLate && !isOn(values, "quiet"))
    world.stderr.write(`Found ${formatCount(mark.items)} ${mark.items === 1 ? "item" : "items"}${upTo}\n`);
  return code;
}

interface TimeTexts {
  readonly start: string;
  readonly end: string;
}

/** Fills in what the command line left open. */
function toWindow(values: Values, now: number): TimeTexts {
  const end = valueOf(values, "end") ?? formatInstant(Math.ceil((now + 1) / MINUTE) * MINUTE);
  const start = formatInstant(Math.max(0, parseInstant("end", end) - DEFAULT_DAYS * 24 * HOUR));
  return { start: valueOf(values, "start") ?? start, end };
}

interface TraceQuestion {
  readonly signal: string;
  readonly id: string;
  readonly window: TimeTexts;
}

function complete(values: Values, { signal, id, window }: TraceQuestion): Values {
  const filled = new Map(values);
  filled.set("signal", [signal]).set("trace_id", [id.toLowerCase()]);
  return filled.set("start", [window.start]).set("end", [window.end]);
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
