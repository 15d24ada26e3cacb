/** `firn replay`: a window of the archive to a file or a pipe, whole or not at all. */
import { REPLAY_LIMIT_BYTES_CEILING, REPLAY_LIMIT_BYTES_FLOOR } from "../../src/limits.ts";
import type { Mark } from "../../src/replay/mark.ts";
import { askFirn, describeAnswer, type FirnAddress } from "../ask.ts";
import { EXIT, type Command, type CommandInput, type World } from "../command.ts";
import { formatCount, formatInstant, formatSize } from "../figures.ts";
import { isOn, numberOf, usageError, valueOf, type Option, type Values } from "../options.ts";
import { parsePlace, PLACE_OPTIONS } from "../place.ts";
import { openProgress, type ProgressLine } from "../progress.ts";
import { readCursorPlace, type CursorPlace } from "./minute-cursor.ts";
import { PARAMETER_OPTIONS, toReplayRequest, type ReplayRequest } from "./parameters.ts";
import { replayWindow, type ReplayOrder, type ReplayWatch } from "./replay.ts";
import { openResume, type Resume } from "./resume.ts";
import { openFileSpool, openPipeSpool, print } from "./spool.ts";
import { BEGINNING, type ReplayState } from "./state.ts";

/** Of an answer: what is asked for again when a connection breaks, and what a pipe waits for. */
const LIMIT_BYTES = 64 * 1024 * 1024;
const RETRIES = 8;

/** Of every command that replays. */
export const PAGE_OPTIONS: readonly Option[] = [
  {
    name: "mark",
    value: null,
    what: "false: no mark at the end. Then only the exit code says whether it is complete.",
  },
  {
    name: "limit_bytes",
    value: "BYTES",
    what: `Size of the pages in which it is asked for, ${LIMIT_BYTES} by default.`,
    range: [REPLAY_LIMIT_BYTES_FLOOR, REPLAY_LIMIT_BYTES_CEILING],
  },
  {
    name: "retries",
    value: "COUNT",
    what: `Failures in a row until it is given up, ${RETRIES} by default.`,
    range: [0, 1e6],
  },
  { name: "quiet", value: null, what: "No progress; failures are told nevertheless." },
];

/** `firn replay`. */
export const REPLAY: Command = {
  name: "replay",
  summary: "Reads a window of the archive back, to a file or a pipe",
  operands: "",
  options: [
    ...PARAMETER_OPTIONS,
    { name: "output", value: "FILE", what: "Where to write (-o); stdout when it is left out or -." },
    { name: "overwrite", value: null, what: "Takes the place of a file that is there." },
    { name: "dry_run", value: null, what: "Only says what the window holds and what reading it costs." },
    { name: "exact", value: null, what: "With --dry_run: counts what only reading tells." },
    ...PAGE_OPTIONS,
    ...PLACE_OPTIONS,
  ],
  notes: [
    "A broken connection is taken up where it broke. With --output the command may be stopped, even killed: run it " +
      "again as it was, and it goes on; FILE.firn-resume says where.",
    "Exit code: 0 complete; 3 not complete, stderr says why (items are still in a buffer, or something could not be " +
      "read); 1 it failed; 2 wrong usage.",
  ],
  run: async (input) => {
    const { values, positionals, world } = input;
    if (positionals[0] !== undefined) throw usageError(`Cannot use "${positionals[0]}": expected options only`);
    const address = parsePlace(values, world);
    const request = toReplayRequest(values);
    if (isOn(values, "dry_run")) return await printDryRun(address, request, input);
    if (isOn(values, "exact")) throw usageError("Cannot use --exact: it is for --dry_run");
    const output = valueOf(values, "output") ?? "-";
    if (output === "-") {
      const mark = await replayToPipe(address, request, input);
      return report(mark, request, world);
    }
    return await replayToFile(output, { address, request, input });
  },
};

async function printDryRun(
  address: FirnAddress,
  request: ReplayRequest,
  { values, world }: CommandInput,
): Promise<number> {
  const query = new URLSearchParams(request.parameters);
  query.set("dry_run", "true");
  if (isOn(values, "exact")) query.set("exact", "true");
  const question = { method: "GET", path: `/replay?${query.toString()}`, verb: "replay", member: null } as const;
  const answer = await askFirn(address, question);
  await print(world.stdout, `${JSON.stringify(answer, null, 2)}\n`);
  if ("errors" in answer) throw new Error(`Cannot replay: ${describeAnswer(JSON.stringify(answer))}`);
  if (!("next" in answer) || typeof answer.next !== "string") return EXIT.done;
  const place = readCursorPlace(answer.next);
  const reached = place === null ? "" : ` up to ${formatInstant(place.minute)}`;
  world.stderr.write(`The dry run is not complete: it looked${reached}, ask for shorter windows\n`);
  return EXIT.incomplete;
}

/** Replays to stdout, in whole pages. @param hasMark - `null`: as the options say */
export async function replayToPipe(
  address: FirnAddress,
  request: ReplayRequest,
  { values, world }: Pick<CommandInput, "values" | "world">,
  hasMark: boolean | null = null,
): Promise<Mark> {
  const progress = openProgress(world, isOn(values, "quiet"));
  const spool = openPipeSpool(world.stdout);
  try {
    const order = { ...toOrder(address, request, values), ...(hasMark === null ? {} : { hasMark }) };
    const watch = toWatch(request, progress, async () => {});
    return await replayWindow(order, { spool, state: BEGINNING, watch, world });
  } finally {
    progress.end();
    await spool.close();
  }
}

interface FileReplay {
  readonly address: FirnAddress;
  readonly request: ReplayRequest;
  readonly input: CommandInput;
}

async function replayToFile(output: string, { address, request, input }: FileReplay): Promise<number> {
  const { values, world } = input;
  const order = toOrder(address, request, values);
  const resume = await openResume(output, toIdentity(order), isOn(values, "overwrite"));
  const progress = openProgress(world, isOn(values, "quiet"));
  if (resume.state.at.length > 0 && !isOn(values, "quiet"))
    progress.note(`Going on with ${output} after ${formatSize(resume.state.at.length)}`);
  const mark = await replayResumed(output, { order, request, resume, progress, world });
  return report(mark, request, world);
}

interface ResumedReplay {
  readonly order: ReplayOrder;
  readonly request: ReplayRequest;
  readonly resume: Resume;
  readonly progress: ProgressLine;
  readonly world: World;
}

async function replayResumed(
  output: string,
  { order, request, resume, progress, world }: ResumedReplay,
): Promise<Mark> {
  const spool = await openFileSpool(output, resume.state.at.length);
  try {
    const watch = toWatch(request, progress, async (state) => {
      if (state.at !== state.safe) await spool.release(); // what the resume file speaks of is there whatever happens
      await resume.save(state);
    });
    const mark = await replayWindow(order, { spool, state: resume.state, watch, world });
    await resume.remove();
    return mark;
  } finally {
    progress.end();
    await spool.close();
  }
}

function toOrder(address: FirnAddress, { parameters, shape }: ReplayRequest, values: Values): ReplayOrder {
  return {
    address,
    parameters,
    shape,
    limitBytes: numberOf(values, "limit_bytes") ?? LIMIT_BYTES,
    hasMark: valueOf(values, "mark") !== "false",
    retries: numberOf(values, "retries") ?? RETRIES,
  };
}

/** The size of pages is no part of it. */
function toIdentity({ address, parameters, hasMark }: ReplayOrder): Readonly<Record<string, string>> {
  const named = [...parameters].map(([name, value]) => [`--${name}`, value] as const);
  return { "--url": address.url, "--mark": String(hasMark), ...Object.fromEntries(named) };
}

function toWatch(
  { window }: ReplayRequest,
  progress: ProgressLine,
  onPage: (state: ReplayState) => Promise<void>,
): ReplayWatch {
  return {
    onPage: async (state) => {
      await onPage(state);
      const { cursor, items, length } = state.at;
      const place = cursor === null ? null : readCursorPlace(cursor);
      const reached = place === null ? "" : `, up to ${formatInstant(place.minute)}`;
      progress.update(toShare(place, window), `${formatCount(items)} items, ${formatSize(length)}${reached}`);
    },
    onWait: (why, millis) => progress.note(`Trying again in ${(millis / 1000).toFixed(1)} s: ${why}`),
  };
}

function toShare(place: CursorPlace | null, { start, end }: ReplayRequest["window"]): number | null {
  if (place === null) return null;
  return place.signalShare + (place.signalWeight * (place.minute - start)) / (end - start);
}

/** Says on stderr what is missing. @returns the exit code */
export function report(
  mark: Mark,
  { window }: Pick<ReplayRequest, "window">,
  { stderr }: Pick<World, "stderr">,
): number {
  if (mark.complete) return EXIT.done;
  const reasons: string[] = [];
  if (mark.unreadable > 0) reasons.push(`${formatCount(mark.unreadable)} objects could not be read`);
  if (mark.watermark === "unknown") reasons.push("the buffers could not be asked whether they hold more");
  else if (Date.parse(mark.watermark) < window.end)
    reasons.push(`items from ${mark.watermark} on may still be in a buffer: replay that part again later`);
  const why = reasons.length === 0 ? "the server says so in its mark" : reasons.join("; ");
  stderr.write(`The replay is not complete: ${why}\n`);
  return EXIT.incomplete;
}
