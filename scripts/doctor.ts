/**
 * `npm run doctor -- [--url URL --token T] [--json]`: settings and stores checked for real. With a URL it asks that
 * deployment; without one it starts a local Firn with the settings at hand, asks it, and stops it again. Exit code:
 * 0 all is well, 1 something failed, 2 wrong usage.
 */
import { parseArgs } from "node:util";
import { askFirn } from "../cli/ask.ts";
import type { DoctorDocument } from "../src/admin/doctor/document.ts";
import { formatDoctor } from "../src/admin/doctor/text.ts";
import { parsePlace, PLACE_OPTIONS, runCommand, withFirn, type FirnPlace } from "./ask-firn.ts";
import { spreadVars } from "./start.ts";

const USAGE = [
  "usage: npm run doctor -- [--var NAME:VALUE …] [--persist-to DIR] [--json]",
  "       npm run doctor -- --url URL [--token TOKEN] [--json]",
  "The token may also stand in FIRN_ADMIN_TOKEN.",
].join("\n");

/** What the command line says. */
export type DoctorOptions = FirnPlace & { readonly isJson: boolean };

/**
 * Reads the command line.
 * @param token - of the environment, where the command line has none
 * @throws TypeError with a sentence for the user
 */
export function parseDoctorOptions(args: readonly string[], token: string | undefined): DoctorOptions {
  const { values } = parseArgs({ args: spreadVars(args), options: PLACE_OPTIONS });
  return { ...parsePlace(values, token), isJson: values.json ?? false };
}

async function main(options: DoctorOptions): Promise<number> {
  const question = { method: "GET", path: "/admin/doctor", verb: "examine", member: "stores" } as const;
  const answer = await withFirn(options, "doctor", (address) => askFirn(address, question));
  const document = answer as DoctorDocument;
  console.log(options.isJson ? JSON.stringify(document, null, 2) : formatDoctor(document).trimEnd());
  if (!options.isJson && options.kind === "local" && document.stores.some(({ store }) => store === "r2")) {
    console.log('\nThis was a local Firn: its "r2" is a simulator. Ask a deployment with --url about its bucket.');
  }
  return document.ok ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) {
  const parse = (): DoctorOptions => parseDoctorOptions(process.argv.slice(2), process.env["FIRN_ADMIN_TOKEN"]);
  process.exitCode = await runCommand(parse, USAGE, main);
}
