/**
 * Which origins a browser may send from, said in headers (otlp-http 2.3). Credentials are tokens that the page holds
 * itself, never cookies, so `Access-Control-Allow-Credentials` is not sent.
 * https://fetch.spec.whatwg.org/#http-cors-protocol
 */
import type { CorsOrigins } from "../config/cors-settings.ts";
import { unreachable } from "../errors.ts";

/** Methods of an ingest route, as `Allow` and `Access-Control-Allow-Methods` list them. */
export const ALLOWED_METHODS = "POST, OPTIONS";

const DEFAULT_HEADERS = "content-type, content-encoding, authorization";
const MAX_AGE_SECONDS = "7200";
/** RFC 9110 section 5.6.2. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
/** The labels that a wildcard stands for. */
const LABELS = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;
const WILDCARD = "*.";

/** Answers `OPTIONS`, which needs no token: a preflight with what is allowed, anything else with the methods. */
export function answerOptions(request: Headers, origins: CorsOrigins): Response {
  const isPreflight = request.has("origin") && request.has("access-control-request-method");
  if (isPreflight && origins.kind !== "none") {
    return new Response(null, { status: 204, headers: toPreflightHeaders(request, origins) });
  }
  return new Response(null, { status: 204, headers: { allow: ALLOWED_METHODS, ...toCorsHeaders(request, origins) } });
}

/** Makes the headers by which a page may read an answer, 4xx and 5xx included. */
export function toCorsHeaders(request: Headers, origins: CorsOrigins): Readonly<Record<string, string>> {
  const allowed = toOriginHeaders(request.get("origin"), origins);
  if (allowed["access-control-allow-origin"] === undefined) return allowed;
  return { ...allowed, "access-control-expose-headers": "Retry-After" };
}

function toPreflightHeaders(request: Headers, origins: CorsOrigins): Readonly<Record<string, string>> {
  const allowed = toOriginHeaders(request.get("origin"), origins);
  if (allowed["access-control-allow-origin"] === undefined) return allowed;
  return {
    ...allowed,
    "access-control-allow-methods": ALLOWED_METHODS,
    "access-control-allow-headers": toAllowedHeaders(request.get("access-control-request-headers") ?? ""),
    "access-control-max-age": MAX_AGE_SECONDS,
  };
}

/** `Vary` stands wherever the answer would be another one for another origin. */
function toOriginHeaders(origin: string | null, origins: CorsOrigins): Readonly<Record<string, string>> {
  switch (origins.kind) {
    case "none":
      return {};
    case "any":
      return origin === null ? {} : { "access-control-allow-origin": "*" };
    case "list": {
      const isListed = origin !== null && origins.origins.some((entry) => isCovered(origin.toLowerCase(), entry));
      return isListed ? { vary: "Origin", "access-control-allow-origin": origin } : { vary: "Origin" };
    }
    default:
      return unreachable(origins, "origins");
  }
}

function isCovered(origin: string, entry: string): boolean {
  const at = entry.indexOf(WILDCARD);
  if (at < 0) return origin === entry;
  const scheme = entry.slice(0, at);
  const parent = entry.slice(at + 1);
  if (!origin.startsWith(scheme) || !origin.endsWith(parent)) return false;
  return LABELS.test(origin.slice(scheme.length, origin.length - parent.length));
}

/** What the page asks for, unless something in the list is no name of a header. */
function toAllowedHeaders(requested: string): string {
  const names = requested
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return names.length > 0 && names.every((name) => TOKEN.test(name)) ? names.join(", ") : DEFAULT_HEADERS;
}
