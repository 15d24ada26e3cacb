/** Requests that no client would send: a seed, mutated, with headers that may lie. Equal seeds give equal mutants. */
import type { Signal } from "../../src/signal.ts";
import { BYTE_MUTATIONS } from "./byte-mutations.ts";
import { CODING_MUTATIONS, encodeWell } from "./codings.ts";
import { JSON_MUTATIONS, mutateJson, tokenize, type JsonTokens } from "./json-mutations.ts";
import { pick, type Random } from "./random.ts";
import { requestType } from "../otlp-protobuf.ts";
import type { SeedBody } from "./seed-bodies.ts";
import { mutateWire, WIRE_MUTATIONS } from "./wire-mutations.ts";
import { parseWire, type WireNode } from "./wire-tree.ts";

/** A request that is to be sent once. */
export interface Mutant {
  /** How it was made. */
  readonly kind: string;
  readonly signal: Signal;
  readonly method: string;
  readonly path: string;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly body: Uint8Array;
  readonly framing: "length" | "chunked";
  /** Statuses of which the answer must have one; any that a mutant may have when `null`. */
  readonly expected: readonly number[] | null;
}

/** A seed that was read once, to be mutated often. */
interface Source extends SeedBody {
  readonly tree: readonly WireNode[];
  readonly tokens: JsonTokens;
}

const MEDIA_TYPE = { protobuf: "application/x-protobuf", json: "application/json" } as const;
const SPELLED = {
  protobuf: [
    "application/x-protobuf",
    "Application/X-Protobuf",
    "application/x-protobuf; messageType=x",
    " application/x-protobuf;",
  ],
  json: ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json;"],
} as const;
const UNKNOWN_TYPES = [
  "text/plain",
  "application/octet-stream",
  "application/grpc",
  "application/x-ndjson",
  "json",
  "",
] as const;
const BAD_PATHS = ["/v1/trace", "/v1/traces/x", "//v1/logs", "/V1/logs", "/v1/profiles", "/v1/%6cogs/x"] as const;
const BAD_METHODS = ["GET", "PUT", "PATCH", "DELETE"] as const;
const BYTE_KINDS = Object.keys(BYTE_MUTATIONS);
const CODING_KINDS = Object.keys(CODING_MUTATIONS).filter((kind) => kind !== "coding.bomb");
/** Each costs as much as hundreds of others, since 20 MiB are decoded before it is refused. */
const BOMB_ONE_IN = 1500;
/** A profiles request is an object of its own: each that is accepted costs a PUT. */
const PROFILES_ONE_IN = 100;
/** What a body decodes to may be anything after a mutation, and it may still be valid. */
const ANY = null;

/** Opens an endless supply of mutants. */
export function openMutants(seeds: readonly SeedBody[], random: Random): () => Mutant {
  const choose = openSources(seeds, random);
  return () => makeMutant(choose(), choose(), random);
}

/** A body that was changed, and how. */
export interface MutatedBody extends SeedBody {
  readonly kind: string;
}

/** Opens an endless supply of mutated bodies, without what HTTP does to them. */
export function openMutatedBodies(seeds: readonly SeedBody[], random: Random): () => MutatedBody {
  const choose = openSources(seeds, random);
  return () => {
    const source = choose();
    const { signal, encoding } = source;
    return { signal, encoding, ...mutateBody(source, choose(), random) };
  };
}

function openSources(seeds: readonly SeedBody[], random: Random): () => Source {
  const sources = seeds.map((seed): Source => ({
    ...seed,
    tree: seed.encoding === "protobuf" ? parseWire(requestType(seed.signal), seed.body) : [],
    tokens: seed.encoding === "json" ? tokenize(seed.body) : [],
  }));
  const profiles = sources.filter(({ signal }) => signal === "profiles");
  const others = sources.filter(({ signal }) => signal !== "profiles");
  return () => {
    const list = random(PROFILES_ONE_IN) === 0 ? profiles : others;
    const source = list[random(list.length)];
    if (source === undefined) throw new Error("Cannot make mutants: a signal has no seeds");
    return source;
  };
}

function makeMutant(source: Source, other: Source, random: Random): Mutant {
  if (random(BOMB_ONE_IN) === 0) return toCoded("coding.bomb", source, source.body, random);
  const choice = random(100);
  if (choice < 4) return toMutant("valid", source, source.body, { expected: [200] });
  if (choice < 6) return makeMisaddressed(source, random);
  if (choice < 10) return makeMistyped(source, random);
  if (choice < 20) return toCoded(pick(random, [CODING_KINDS[0] ?? "", ...CODING_KINDS]), source, source.body, random);
  const { kind, body } = mutateBody(source, other, random);
  if (choice < 35) return { ...toCoded("coding.good", source, body, random), kind: `${kind} coded`, expected: ANY };
  return toMutant(kind, source, body, { framing: choice < 50 ? "chunked" : "length" });
}

/** Half of all mutations know the encoding. */
function mutateBody(
  source: Source,
  other: Source,
  random: Random,
): { readonly kind: string; readonly body: Uint8Array } {
  const isByte = random(3) === 0;
  const kinds = isByte ? BYTE_KINDS : source.encoding === "protobuf" ? WIRE_MUTATIONS : JSON_MUTATIONS;
  const kind = kinds[random(kinds.length)] ?? "";
  const mutateBytes = BYTE_MUTATIONS[kind];
  if (mutateBytes !== undefined) return { kind, body: mutateBytes(source.body, random, other.body) };
  return {
    kind,
    body:
      source.encoding === "protobuf" ? mutateWire(kind, source.tree, random) : mutateJson(kind, source.tokens, random),
  };
}

function makeMisaddressed(source: Source, random: Random): Mutant {
  if (random(2) === 0)
    return toMutant("http.path", source, source.body, { path: pick(random, BAD_PATHS), expected: [404] });
  return toMutant("http.method", source, source.body, { method: pick(random, BAD_METHODS), expected: [405] });
}

function makeMistyped(source: Source, random: Random): Mutant {
  switch (random(4)) {
    case 0:
      return toMutant("http.unknownType", source, source.body, {
        contentType: pick(random, UNKNOWN_TYPES),
        expected: [415],
      });
    case 1:
      return toMutant("http.spelledType", source, source.body, {
        contentType: pick(random, SPELLED[source.encoding]),
        expected: [200],
      });
    case 2: {
      const contentType = MEDIA_TYPE[source.encoding === "json" ? "protobuf" : "json"];
      return toMutant("http.otherType", source, source.body, { contentType });
    }
    default: {
      const signal = pick<Signal>(random, ["traces", "metrics", "logs"]);
      return { ...toMutant("http.otherSignal", source, source.body, {}), signal, path: `/v1/${signal}` };
    }
  }
}

function toCoded(kind: string, source: Source, body: Uint8Array, random: Random): Mutant {
  const coded = CODING_MUTATIONS[kind]?.(body, random) ?? encodeWell(body, random);
  return toMutant(kind, source, coded.body, {
    contentEncoding: coded.contentEncoding,
    expected: coded.expected,
    framing: random(3) === 0 ? "chunked" : "length",
  });
}

function toMutant(kind: string, { signal, encoding }: Source, body: Uint8Array, change: Partial<Mutant>): Mutant {
  return {
    kind,
    signal,
    method: "POST",
    path: signal === "profiles" ? "/v1development/profiles" : `/v1/${signal}`,
    contentType: MEDIA_TYPE[encoding],
    contentEncoding: null,
    body,
    framing: "length",
    expected: ANY,
    ...change,
  };
}
