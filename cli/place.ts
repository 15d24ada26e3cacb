/** Which Firn is asked, and with which token: options and environment → {@link FirnAddress}. */
import { readFileSync } from "node:fs";
import { toErrorMessage } from "../src/errors.ts";
import type { FirnAddress } from "./ask.ts";
import type { World } from "./command.ts";
import { usageError, valueOf, type Option, type Values } from "./options.ts";

/** Where `npm start` listens. */
const DEFAULT_URL = "http://127.0.0.1:4318";

const TOKEN = /^[\x21-\x7e]+$/;

/** Of every command that asks a Firn. */
export const PLACE_OPTIONS: readonly Option[] = [
  { name: "url", value: "URL", what: `Which Firn: by default FIRN_URL, or else ${DEFAULT_URL}.` },
  { name: "token_file", value: "FILE", what: "Holds the token; else it is taken from FIRN_TOKEN." },
];

/** Reads which Firn is meant. @throws FirnError `invalid_request` */
export function parsePlace(values: Values, { env }: Pick<World, "env">): FirnAddress {
  const text = valueOf(values, "url");
  const url = text ?? (env["FIRN_URL"] || DEFAULT_URL);
  checkUrl(text === undefined ? "FIRN_URL" : "--url", url);
  return { url: url.replace(/\/+$/, ""), token: readToken(values) ?? checkToken(env["FIRN_TOKEN"]) };
}

/** What is no token must not get into a header, whose error would show it. */
function checkToken(token: string | undefined): string | null {
  if (token === undefined || token === "") return null;
  if (TOKEN.test(token)) return token;
  throw usageError("Cannot use FIRN_TOKEN: expected a token of printable ASCII characters, without white space");
}

/** Makes sure that a text is the URL of a server. @throws FirnError `invalid_request` that names where it stood */
export function checkUrl(name: string, text: string): void {
  const url = URL.parse(text);
  const isHttp = url !== null && /^https?:$/.test(url.protocol);
  if (isHttp && url.search === "" && url.hash === "" && url.username === "" && url.password === "") return;
  throw usageError(`Cannot use ${name}: expected a URL such as https://firn.example.com, without user, "?" and "#"`);
}

/** Reads the token out of `--token_file`. @throws FirnError `invalid_request` */
export function readToken(values: Values): string | null {
  const file = valueOf(values, "token_file");
  if (file === undefined) return null;
  let token: string;
  try {
    token = readFileSync(file, "utf8").trim();
  } catch (error) {
    throw usageError(`Cannot use --token_file: ${toErrorMessage(error)}`);
  }
  if (TOKEN.test(token)) return token;
  throw usageError("Cannot use --token_file: expected a file with a token on one line and nothing else");
}
