/** From which origins a browser may send (otlp-http 2.3). */
import type { SettingReader } from "./setting-reader.ts";

/** What `CORS_ORIGINS` says. */
export type CorsOrigins =
  | { readonly kind: "any" | "none" }
  /** Lower case, as browsers write them; `https://*.example.com` stands for every host below that one. */
  | { readonly kind: "list"; readonly origins: readonly string[] };

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/((\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])(:\d{1,5})?$/;
/** Browsers leave it out. */
const DEFAULT_PORT = /^(http:.*):80$|^(https:.*):443$/;

/** Reads `CORS_ORIGINS`. @throws FirnError `misconfigured` */
export function readOrigins(read: SettingReader): CorsOrigins {
  const entries = read.list("CORS_ORIGINS", ["*"]).map((entry) => entry.toLowerCase());
  const [first] = entries;
  if (entries.length === 1 && first === "*") return { kind: "any" };
  if (entries.length === 1 && first === "none") return { kind: "none" };
  const found = entries.length === 0 ? "," : entries.find((entry) => !ORIGIN.test(entry));
  if (found === undefined) {
    return { kind: "list", origins: entries.map((entry) => entry.replace(DEFAULT_PORT, "$1$2")) };
  }
  const expected = '"*", "none", or origins such as "https://app.example.com" and "https://*.example.com"';
  throw read.wrong("CORS_ORIGINS", `found "${found}", expected ${expected}, without a path`);
}
