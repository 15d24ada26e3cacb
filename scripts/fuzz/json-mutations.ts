/** Mutations of OTLP JSON, token by token (otlp-http 5). */
import { chooseDepth, pick, type Random } from "./random.ts";

/** Text of a document cut into tokens; white space is part of the token before it. */
export type JsonTokens = readonly string[];

type TokenMutation = (tokens: JsonTokens, random: Random) => string;

const TOKEN = /"(?:[^"\\]|\\.)*"\s*|[{}[\],:]\s*|[^\s{}[\],:"]+\s*/g;
const VALUES = [
  "null",
  "true",
  "false",
  "0",
  "-0",
  "7.0",
  "7e0",
  "1.5",
  "1e309",
  "-1e999",
  "1e-999",
  "18446744073709551616",
  "-1",
  "9223372036854775808",
  "01",
  "+1",
  ".5",
  "1.",
  "0x10",
  "NaN",
  "Infinity",
  "1_000",
  "123456789012345678901234567890",
  '""',
  '"NaN"',
  '"1e3"',
  '"SPAN_KIND_SERVER"',
  '"\\ud83d"',
  '"\\u0000"',
  '"\\x41"',
  '"\\',
  '"\u0001"',
  '"ÿ"',
  "'a'",
  "{}",
  "[]",
  "[null]",
  '{"":0}',
  '{"stringValue":"a","intValue":1}',
  '{"__proto__":{"a":1}}',
  "//",
  "/**/",
  "undefined",
] as const;
const KEYS = [
  "resourceSpans",
  "resource_spans",
  "attributes",
  "value",
  "stringValue",
  "intValue",
  "arrayValue",
  "kvlistValue",
  "__proto__",
  "constructor",
  "",
  "traceId",
  "trace\\u0049d",
  "spans",
  "gauge",
  "sum",
  "dataPoints",
  "asInt",
  "asDouble",
] as const;
const IDS = [
  "",
  "00000000000000000000000000000000",
  "zz",
  "5B8EFFF798038103D269B633813FC60C",
  "W47/95gDgQPSabYzgT/GDA==",
] as const;
const ENDS = ["x", "{}", ",", "\u0000", "\ufeff", "}", "]", "\n", "null", " \t\r\n"] as const;

const TOKEN_MUTATIONS: Readonly<Record<string, TokenMutation>> = {
  "json.value": (tokens, random) => replaceOne(tokens, isScalar, random, () => pick(random, VALUES)),
  "json.key": (tokens, random) => replaceOne(tokens, isText, random, () => `"${pick(random, KEYS)}"`),
  "json.id": (tokens, random) => replaceOne(tokens, isHexId, random, () => `"${pick(random, IDS)}"`),
  "json.delete": (tokens, random) => replaceOne(tokens, isAny, random, () => ""),
  "json.repeat": (tokens, random) => replaceOne(tokens, isAny, random, (token) => token.repeat(2 + random(2))),
  "json.move": (tokens, random) => {
    const moved = [...tokens];
    const [token = ""] = moved.splice(random(moved.length), 1);
    moved.splice(random(moved.length + 1), 0, token);
    return moved.join("");
  },
  "json.member": (tokens, random) =>
    replaceOne(
      tokens,
      (token) => token.startsWith("{"),
      random,
      () => {
        const member = `"${pick(random, KEYS)}":${pick(random, VALUES)}`;
        return random(2) === 0 ? `{${member},` : `{${member},${member},`;
      },
    ),
  "json.element": (tokens, random) =>
    replaceOne(
      tokens,
      (token) => token.startsWith("["),
      random,
      () => `[${pick(random, VALUES)},`,
    ),
  "json.nest": (tokens, random) => replaceOne(tokens, isScalar, random, () => nest(chooseDepth(random), random)),
  "json.end": (tokens, random) => {
    const end = pick(random, ENDS);
    return random(2) === 0 ? tokens.join("") + end : end + tokens.join("");
  },
  "json.unquote": (tokens, random) => replaceOne(tokens, isText, random, (token) => token.replaceAll('"', "")),
};

/** Names of the mutations, as a run counts them. */
export const JSON_MUTATIONS: readonly string[] = Object.keys(TOKEN_MUTATIONS);

/** Cuts a valid document into tokens. */
export function tokenize(document: Uint8Array): JsonTokens {
  return new TextDecoder().decode(document).match(TOKEN) ?? [];
}

/** Applies a mutation at a random token. */
export function mutateJson(name: string, tokens: JsonTokens, random: Random): Uint8Array {
  const mutation = TOKEN_MUTATIONS[name];
  if (mutation === undefined) throw new Error(`Cannot mutate: there is no "${name}"`);
  return new TextEncoder().encode(mutation(tokens, random));
}

/** Replaces one of the tokens that fit, found by looking onwards from a random place. */
function replaceOne(
  tokens: JsonTokens,
  isFit: (token: string, next: string | undefined) => boolean,
  random: Random,
  replace: (token: string) => string,
): string {
  const start = random(tokens.length);
  for (let step = 0; step < tokens.length; step += 1) {
    const at = (start + step) % tokens.length;
    const token = tokens[at] ?? "";
    if (!isFit(token, tokens[at + 1])) continue;
    return [...tokens.slice(0, at), replace(token), ...tokens.slice(at + 1)].join("");
  }
  return tokens.join("");
}

function isAny(): boolean {
  return true;
}

function isText(token: string): boolean {
  return token.startsWith('"');
}

function isScalar(token: string, next: string | undefined): boolean {
  return !/^[{}[\],:]/.test(token) && next?.startsWith(":") !== true;
}

function isHexId(token: string): boolean {
  return /^"(?:[0-9a-fA-F]{16}){1,2}"/.test(token);
}

/** Values in values: as attributes have them, or of keys that nobody knows, closed or not. */
function nest(depth: number, random: Random): string {
  const [open, close] = pick(random, [
    ["[", "]"],
    ['{"a":', "}"],
    ['{"arrayValue":{"values":[', "]}}"],
    ['{"kvlistValue":{"values":[{"key":"k","value":', "}]}}"],
  ]);
  return open.repeat(depth) + (random(2) === 0 ? "{}" : "1") + (random(8) === 0 ? "" : close.repeat(depth));
}
