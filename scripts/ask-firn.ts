/**
 * What scripts that ask one question of a Firn have in common: which Firn, a deployment or a local one that is started
 * for this moment and stopped again, and how they end.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { FirnAddress } from "../cli/ask.ts";
import { toErrorMessage } from "../src/errors.ts";
import { findFreePort, spawnLocalFirn } from "./local-firn.ts";
import { parseVars } from "./start.ts";
import { formatToken, TOKEN_BYTES } from "./token.ts";

/** Options of the command line that say which Firn, as `parseArgs` takes them. */
export const PLACE_OPTIONS = {
  url: { type: "string" },
  token: { type: "string" },
  json: { type: "boolean" },
  var: { type: "string", multiple: true },
  "persist-to": { type: "string" },
} as const;

/** Their values. */
export interface PlaceValues {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly json?: boolean | undefined;
  readonly var?: string[] | undefined;
  readonly "persist-to"?: string | undefined;
}

/** Which Firn is asked. */
export type FirnPlace =
  | { readonly kind: "deployment"; readonly url: string; readonly token: string | null }
  | { readonly kind: "local"; readonly vars: Readonly<Record<string, string>>; readonly persistTo: string | null };

/**
 * Reads which Firn is meant.
 * @param token - of the environment, where the command line has none
 * @throws TypeError with a sentence for the user
 */
export function parsePlace(values: PlaceValues, token: string | undefined): FirnPlace {
  const { url } = values;
  if (url === undefined) {
    if (values.token !== undefined) throw new TypeError("Cannot use --token: there is no --url beside it");
    return { kind: "local", vars: parseVars(values.var ?? []), persistTo: values["persist-to"] ?? null };
  }
  const surplus = (["var", "persist-to"] as const).find((name) => values[name] !== undefined);
  if (surplus !== undefined) throw new TypeError(`Cannot use --${surplus}: it is for a local Firn, not for --url`);
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new TypeError(`Cannot use --url: found "${url}", expected a URL such as https://firn.example.com`);
  }
  return { kind: "deployment", url, token: values.token ?? token ?? null };
}

/**
 * Has a Firn asked: the deployment, or a local one with the settings at hand and a token that only this run knows.
 * @param name - of the command, for the folder of a local Firn's state
 */
export async function withFirn<T>(
  place: FirnPlace,
  name: string,
  ask: (address: FirnAddress) => Promise<T>,
): Promise<T> {
  if (place.kind === "deployment") return ask(place);
  const { vars, persistTo } = place;
  const { token, sha256Hex } = formatToken(randomBytes(TOKEN_BYTES));
  const digests = [vars["ADMIN_TOKEN_SHA256"] ?? "", sha256Hex].filter((digest) => digest !== "");
  const directory = persistTo === null ? await mkdtemp(join(tmpdir(), `firn-${name}-`)) : resolve(persistTo);
  const firn = spawnLocalFirn({
    port: await findFreePort(),
    persistTo: directory,
    vars: { ALLOW_ANONYMOUS: "false", ...vars, ADMIN_TOKEN_SHA256: digests.join(",") },
    onNotice: (line) => console.error(line),
  });
  const stopped = new Promise<never>((_settle, refuse) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => refuse(new Error("Cannot finish the examination: it was stopped")));
    }
  });
  let isReady = false;
  try {
    await Promise.race([firn.untilReady(), stopped]);
    isReady = true;
    return await Promise.race([ask({ url: firn.url, token }), stopped]);
  } finally {
    await firn.stop();
    // The message about a start that failed names the log in it.
    if (isReady && persistTo === null) await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Runs a command to its exit code: 2 for wrong usage, 1 for what failed, else what it says.
 * @param parse - reads the command line; throws with a sentence for the user
 */
export async function runCommand<O>(
  parse: () => O,
  usage: string,
  run: (options: O) => Promise<number>,
): Promise<number> {
  let options: O;
  try {
    options = parse();
  } catch (error) {
    console.error(`${toErrorMessage(error)}\n${usage}`);
    return 2;
  }
  try {
    return await run(options);
  } catch (error) {
    console.error(toErrorMessage(error));
    return 1;
  }
}
