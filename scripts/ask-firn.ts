/**
 * What commands that ask one question of a Firn have in common: which Firn, a deployment or a local one that is started
 * for this moment and stopped again, and how its answer is read.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
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

/** A Firn that can be asked. */
export interface FirnAddress {
  readonly url: string;
  readonly token: string | null;
}

/** A question. */
export interface Question {
  readonly method: "GET" | "POST";
  /** Path and query. */
  readonly path: string;
  /** What it is for, as in "Cannot <verb> the Firn at …". */
  readonly verb: string;
  /** A member that every answer has. */
  readonly member: string;
}

/** Works of Firn are bounded by themselves, and some for the way. */
const ANSWER_TIMEOUT_MILLIS = 1_200_000;

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

/** Asks a running Firn. @throws Error with a sentence for the user */
export async function askFirn({ url, token }: FirnAddress, question: Question): Promise<object> {
  const { method, path, verb, member } = question;
  const headers = { accept: "application/json", ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MILLIS);
  const response = await fetch(`${url.replace(/\/+$/, "")}${path}`, { method, headers, signal }).catch(
    (error: unknown) => {
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      throw new Error(`Cannot reach ${url}: ${toErrorMessage(cause)}`, { cause: error });
    },
  );
  const text = await response.text();
  const answer = parseAnswer(text);
  if (answer !== null && member in answer) return answer;
  const found = findSentence(answer) ?? text.slice(0, 500);
  throw new Error(`Cannot ${verb} ${url}: it answers ${response.status}, ${found}`);
}

function parseAnswer(text: string): object | null {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" ? answer : null;
  } catch {
    return null; // a proxy answers in HTML
  }
}

/** Of a Status, or of a work that failed after its answer had begun. */
function findSentence(answer: object | null): string | null {
  const { message, errors } = (answer ?? {}) as { readonly message?: unknown; readonly errors?: unknown };
  const first: unknown = Array.isArray(errors) ? errors[0] : null;
  const inner = typeof first === "object" && first !== null && "message" in first ? first.message : first;
  const sentence = message ?? inner;
  return typeof sentence === "string" ? sentence : null;
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
