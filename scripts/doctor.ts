/**
 * `npm run doctor -- [--url URL --token T] [--json]`: settings and stores checked for real. With a URL it asks that
 * deployment; without one it starts a local Firn with the settings at hand, asks it, and stops it again. Exit code:
 * 0 all is well, 1 something failed, 2 wrong usage.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { DoctorDocument } from "../src/admin/doctor/document.ts";
import { formatDoctor } from "../src/admin/doctor/text.ts";
import { findFreePort, spawnLocalFirn } from "./local-firn.ts";
import { parseVars, spreadVars } from "./start.ts";
import { formatToken, TOKEN_BYTES } from "./token.ts";

/** Three stores, each bounded by the doctor itself, and some for the way. */
const ANSWER_TIMEOUT_MILLIS = 600_000;
const OPTIONS = {
  url: { type: "string" },
  token: { type: "string" },
  json: { type: "boolean" },
  var: { type: "string", multiple: true },
  "persist-to": { type: "string" },
} as const;
const USAGE = [
  "usage: npm run doctor -- [--var NAME:VALUE …] [--persist-to DIR] [--json]",
  "       npm run doctor -- --url URL [--token TOKEN] [--json]",
  "The token may also stand in FIRN_ADMIN_TOKEN.",
].join("\n");

/** What the command line says. */
export type DoctorOptions = { readonly isJson: boolean } & (
  | { readonly kind: "deployment"; readonly url: string; readonly token: string | null }
  | { readonly kind: "local"; readonly vars: Readonly<Record<string, string>>; readonly persistTo: string | null }
);

/**
 * Reads the command line.
 * @param token - of the environment, where the command line has none
 * @throws TypeError with a sentence for the user
 */
export function parseDoctorOptions(args: readonly string[], token: string | undefined): DoctorOptions {
  const { values } = parseArgs({ args: spreadVars(args), options: OPTIONS });
  const isJson = values.json ?? false;
  const { url } = values;
  if (url === undefined) {
    if (values.token !== undefined) throw new TypeError("Cannot use --token: there is no --url beside it");
    const persistTo = values["persist-to"] ?? null;
    return { kind: "local", isJson, vars: parseVars(values.var ?? []), persistTo };
  }
  const surplus = (["var", "persist-to"] as const).find((name) => values[name] !== undefined);
  if (surplus !== undefined) throw new TypeError(`Cannot use --${surplus}: it is for a local Firn, not for --url`);
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new TypeError(`Cannot use --url: found "${url}", expected a URL such as https://firn.example.com`);
  }
  return { kind: "deployment", isJson, url, token: values.token ?? token ?? null };
}

/** Asks a running Firn. @throws Error with a sentence for the user */
async function ask(url: string, token: string | null): Promise<DoctorDocument> {
  const target = `${url.replace(/\/+$/, "")}/admin/doctor`;
  const headers = { accept: "application/json", ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  const response = await fetch(target, { headers, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MILLIS) }).catch(
    (error: unknown) => {
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      throw new Error(`Cannot reach ${url}: ${toMessage(cause)}`, { cause: error });
    },
  );
  const text = await response.text();
  const answer = parseAnswer(text);
  if (answer !== null && "stores" in answer) return answer as unknown as DoctorDocument;
  throw new Error(
    `Cannot examine ${url}: it answers ${response.status}, ${findSentence(answer) ?? text.slice(0, 500)}`,
  );
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
  const { message, errors } = { message: undefined, errors: [], ...answer } as {
    readonly message: unknown;
    readonly errors: readonly { readonly message?: unknown }[];
  };
  const sentence = message ?? errors[0]?.message;
  return typeof sentence === "string" ? sentence : null;
}

/** Starts a Firn with the settings at hand and a token that only this run knows, asks it, and stops it. */
async function askLocally({ vars, persistTo }: DoctorOptions & { readonly kind: "local" }): Promise<DoctorDocument> {
  const { token, sha256Hex } = formatToken(randomBytes(TOKEN_BYTES));
  const digests = [vars["ADMIN_TOKEN_SHA256"] ?? "", sha256Hex].filter((digest) => digest !== "");
  const directory = persistTo === null ? await mkdtemp(join(tmpdir(), "firn-doctor-")) : resolve(persistTo);
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
    return await Promise.race([ask(firn.url, token), stopped]);
  } finally {
    await firn.stop();
    // The message about a start that failed names the log in it.
    if (isReady && persistTo === null) await rm(directory, { recursive: true, force: true });
  }
}

async function main(options: DoctorOptions): Promise<number> {
  const document = options.kind === "local" ? await askLocally(options) : await ask(options.url, options.token);
  console.log(options.isJson ? JSON.stringify(document, null, 2) : formatDoctor(document).trimEnd());
  if (!options.isJson && options.kind === "local" && document.stores.some(({ store }) => store === "r2")) {
    console.log('\nThis was a local Firn: its "r2" is a simulator. Ask a deployment with --url about its bucket.');
  }
  return document.ok ? 0 : 1;
}

function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function readOptions(): DoctorOptions | null {
  try {
    return parseDoctorOptions(process.argv.slice(2), process.env["FIRN_ADMIN_TOKEN"]);
  } catch (error) {
    console.error(`${toMessage(error)}\n${USAGE}`);
    return null;
  }
}

if (process.argv[1] === import.meta.filename) {
  const options = readOptions();
  try {
    process.exitCode = options === null ? 2 : await main(options);
  } catch (error) {
    console.error(toMessage(error));
    process.exitCode = 1;
  }
}
