/** `firn verify`, and what it shares with `npm run verify`: the scrub of a window, in as many parts as it takes. */
import { parseInstant } from "../src/archive/window.ts";
import type { VerifyDocument } from "../src/compaction/verify/contract.ts";
import { SIGNALS } from "../src/signal.ts";
import { askFirn, type FirnAddress } from "./ask.ts";
import { EXIT, type Command } from "./command.ts";
import { isOn, usageError, valueOf } from "./options.ts";
import { parsePlace, PLACE_OPTIONS } from "./place.ts";
import { print } from "./replay/spool.ts";
import { formatVerify, joinDocuments } from "./verify-report.ts";

/** What is to be verified, as a command line says it. */
export interface VerifyValues {
  readonly signal?: string | undefined;
  readonly start?: string | undefined;
  readonly end?: string | undefined;
  readonly repair?: boolean | undefined;
  readonly shallow?: boolean | undefined;
}

/** Parameters of `POST /admin/verify`. */
export type VerifyQuery = Readonly<Record<string, string>>;

/** `firn verify`. */
export const VERIFY: Command = {
  name: "verify",
  summary: "Proves from the bucket alone that nothing of a window is lost or damaged",
  operands: "",
  options: [
    {
      name: "signal",
      value: "SIGNAL",
      what: `${SIGNALS.join(", ")} or all, the default.`,
      choices: [...SIGNALS, "all"],
    },
    { name: "start", value: "TIME", what: "As in firn replay; the last two days by default." },
    { name: "end", value: "TIME", what: "The first instant after the window." },
    { name: "repair", value: null, what: "Repairs what can be repaired without a guess." },
    { name: "shallow", value: null, what: "Looks at listings, manifests and member tables only." },
    { name: "json", value: null, what: "The document of POST /admin/verify, all parts together." },
    ...PLACE_OPTIONS,
  ],
  notes: [
    "Needs a token with the scope admin. npm run verify is the same and can start a local Firn for it.",
    "Exit code: 0 nothing is wrong; 1 there are findings, or it failed; 2 wrong usage.",
  ],
  run: async ({ values, positionals, world }) => {
    if (positionals[0] !== undefined) throw usageError(`Cannot use "${positionals[0]}": expected options only`);
    const [signal, start, end] = ["signal", "start", "end"].map((name) => valueOf(values, name));
    const query = toVerifyQuery({
      signal,
      start,
      end,
      repair: isOn(values, "repair"),
      shallow: isOn(values, "shallow"),
    });
    const document = await askParts(parsePlace(values, world), query);
    await print(world.stdout, formatDocument(document, isOn(values, "json")));
    return document.ok ? EXIT.done : EXIT.failed;
  },
};

/**
 * Makes parameters of a command line.
 * @throws FirnError `invalid_request`: wrong usage is told before anybody is asked
 */
export function toVerifyQuery({ signal, start, end, repair, shallow }: VerifyValues): VerifyQuery {
  const known = [...SIGNALS, "all"];
  if (signal !== undefined && !known.includes(signal))
    throw usageError(`Cannot use --signal: found "${signal}", expected one of ${known.join(", ")}`);
  const from = start === undefined ? 0 : parseInstant("start", start);
  const until = end === undefined ? Infinity : parseInstant("end", end);
  if (from >= until) throw usageError("Cannot use --end: it is not after --start");
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(repair === true ? { repair: "true" } : {}),
    ...(shallow === true ? { deep: "false" } : {}),
  };
}

/**
 * Asks for the window, and for what is left of it as long as a part ends before its end.
 * @throws Error with a sentence for the user, also when a part does not get on: asking on would never end
 */
export async function askParts(address: FirnAddress, query: VerifyQuery): Promise<VerifyDocument> {
  const parts: VerifyDocument[] = [];
  let rest: VerifyQuery = query;
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

/** A document as text for people or as JSON; ends in a line feed. */
export function formatDocument(document: VerifyDocument, isJson: boolean): string {
  return isJson ? `${JSON.stringify(document, null, 2)}\n` : formatVerify(document);
}
