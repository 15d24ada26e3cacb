/**
 * `npm run verify -- [--url URL --token T] [--signal S] [--start T] [--end T] [--repair] [--json]`: `firn verify` that
 * can also start a local Firn for this moment: without a URL, with the settings at hand. Exit code: 0 nothing is wrong,
 * 1 there are findings, or it failed, 2 wrong usage.
 */
import { parseArgs } from "node:util";
import { askParts, formatDocument, toVerifyQuery, type VerifyQuery } from "../cli/verify.ts";
import { parsePlace, PLACE_OPTIONS, runCommand, withFirn, type FirnPlace } from "./ask-firn.ts";
import { spreadVars } from "./start.ts";

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
  readonly query: VerifyQuery;
}

/**
 * Reads the command line.
 * @param token - of the environment, where the command line has none
 * @throws TypeError or FirnError with a sentence for the user
 */
export function parseVerifyOptions(args: readonly string[], token: string | undefined): VerifyOptions {
  const { values } = parseArgs({ args: spreadVars(args), options: OPTIONS });
  return { place: parsePlace(values, token), isJson: values.json ?? false, query: toVerifyQuery(values) };
}

async function main({ place, isJson, query }: VerifyOptions): Promise<number> {
  const document = await withFirn(place, "verify", (address) => askParts(address, query));
  console.log(formatDocument(document, isJson).trimEnd());
  return document.ok ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) {
  const parse = (): VerifyOptions => parseVerifyOptions(process.argv.slice(2), process.env["FIRN_ADMIN_TOKEN"]);
  process.exitCode = await runCommand(parse, USAGE, main);
}
