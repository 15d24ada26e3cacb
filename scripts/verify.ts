/**
 * `npm run verify -- [--url URL --token T] [--signal S] [--start T] [--end T] [--repair] [--json]`: the scrub of a
 * window, in as many parts as it takes. With a URL it asks that deployment; without one it starts a local Firn with the
 * settings at hand. Exit code: 0 nothing is wrong, 1 there are findings, or it failed, 2 wrong usage.
 */
import { parseArgs } from "node:util";
import { parseInstant } from "../src/archive/window.ts";
import type { VerifyDocument } from "../src/compaction/verify/contract.ts";
import { isSignal, SIGNALS } from "../src/signal.ts";
import {
  askFirn,
  parsePlace,
  PLACE_OPTIONS,
  runCommand,
  withFirn,
  type FirnAddress,
  type FirnPlace,
} from "./ask-firn.ts";
import { spreadVars } from "./start.ts";
import { formatVerify, joinDocuments } from "./verify-report.ts";

const OPTIONS = {
  ...PLACE_OPTIONS,
  signal: { type: "string" },
  start: { type: "string" },
  end: { type: "string" },
  repair: { type: "boolean" },
  shallow: { type: "boolean" },
} as const;
const WINDOW = "[--signal SIGNAL] [--start TIME] [--end TIME] [--repair] [--shallow] [--json]";
const USAGE = [
  `usage: npm run verify -- --url URL [--token TOKEN] ${WINDOW}`,
  `       npm run verify -- [--var NAME:VALUE …] [--persist-to DIR] ${WINDOW}`,
  "Without a window: the last two days. The token may also stand in FIRN_ADMIN_TOKEN.",
].join("\n");

/** What the command line says. */
export interface VerifyOptions {
  readonly place: FirnPlace;
  readonly isJson: boolean;
  /** Parameters of the route. */
  readonly query: Readonly<Record<string, string>>;
}

/**
 * Reads the command line.
 * @param token - of the environment, where the command line has none
 * @throws TypeError or FirnError with a sentence for the user
 */
export function parseVerifyOptions(args: readonly string[], token: string | undefined): VerifyOptions {
  const { values } = parseArgs({ args: spreadVars(args), options: OPTIONS });
  const { signal, start, end } = values;
  if (signal !== undefined && signal !== "all" && !isSignal(signal)) {
    throw new TypeError(`Cannot use --signal: found "${signal}", expected one of ${[...SIGNALS, "all"].join(", ")}`);
  }
  // Wrong usage is told before a Firn is started.
  const instants = [
    start === undefined ? 0 : parseInstant("start", start),
    end === undefined ? Infinity : parseInstant("end", end),
  ];
  if ((instants[0] ?? 0) >= (instants[1] ?? 0)) throw new TypeError("Cannot use --end: it is not after --start");
  return {
    place: parsePlace(values, token),
    isJson: values.json ?? false,
    query: {
      ...(signal === undefined ? {} : { signal }),
      ...(start === undefined ? {} : { start }),
      ...(end === undefined ? {} : { end }),
      ...(values.repair === true ? { repair: "true" } : {}),
      ...(values.shallow === true ? { deep: "false" } : {}),
    },
  };
}

/**
 * Asks for the window, and for what is left of it as long as a part ends before its end.
 * @throws Error with a sentence for the user, also when a part does not get on: asking on would never end
 */
export async function askParts(address: FirnAddress, query: VerifyOptions["query"]): Promise<VerifyDocument> {
  const parts: VerifyDocument[] = [];
  let rest: Readonly<Record<string, string>> = query;
  for (;;) {
    const path = `/admin/verify?${new URLSearchParams(rest).toString()}`;
    const answer = await askFirn(address, { method: "POST", path, verb: "verify", member: "findings" });
    const part = answer as VerifyDocument;
    const before = parts.at(-1)?.next ?? part.window.start;
    parts.push(part);
    if (part.next === null) return joinDocuments(parts);
    // Written so that what is no time is none that gets on.
    if (!(Date.parse(part.next) > Date.parse(before))) {
      const found = `a part that began at ${before} goes on at ${part.next}`;
      throw new Error(`Cannot verify ${address.url}: ${found}, expected a later time`);
    }
    rest = { ...query, start: part.next, end: part.window.end };
  }
}

async function main({ place, isJson, query }: VerifyOptions): Promise<number> {
  const document = await withFirn(place, "verify", (address) => askParts(address, query));
  console.log(isJson ? JSON.stringify(document, null, 2) : formatVerify(document).trimEnd());
  return document.ok ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) {
  const parse = (): VerifyOptions => parseVerifyOptions(process.argv.slice(2), process.env["FIRN_ADMIN_TOKEN"]);
  process.exitCode = await runCommand(parse, USAGE, main);
}
