/** Content codings in good and bad order (otlp-http 3.2), and bombs (3.3). */
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { BYTE_MUTATIONS, type Mutation } from "./byte-mutations.ts";
import { pick, type Random } from "./random.ts";

/** A body with the header that says how it is coded. */
export interface Coded {
  readonly body: Uint8Array;
  /** `Content-Encoding`; none when `null`. */
  readonly contentEncoding: string | null;
  /** Statuses of which the answer must have one; any that a mutant may have when `null`. */
  readonly expected: readonly number[] | null;
}

type Coding = "gzip" | "deflate" | "zstd";

const CODINGS = ["gzip", "deflate", "zstd"] as const;
const ENCODE: Readonly<Record<Coding, (body: Uint8Array) => Uint8Array>> = {
  gzip: (body) => gzipSync(body, { level: 1 }),
  deflate: (body) => deflateSync(body, { level: 1 }),
  zstd: (body) => zstdCompressSync(body),
};
/** Names that mean the same, and lists of which only one part counts. */
const SPELLINGS: Readonly<Record<Coding, readonly [string, ...string[]]>> = {
  gzip: ["gzip", "GZIP", "x-gzip", " gzip ", "identity, gzip", ",gzip,"],
  deflate: ["deflate", "Deflate", "identity,deflate"],
  zstd: ["zstd", "ZSTD", "zstd , identity"],
};
const UNKNOWN = [
  "br",
  "snappy",
  "lz4",
  "compress",
  "zlib",
  "none",
  "gzip;q=1",
  "gzip,gzip,gzip",
  "*",
  "gzip br",
] as const;
const FAULTS = ["bytes.flip", "bytes.truncate", "bytes.insert", "bytes.delete", "bytes.overwrite"] as const;
const MIB = 1024 * 1024;
/** Above every limit that can be set. */
const BOMB_BYTES = 32 * MIB;
const MANY = 8;

/** Ways to code a body, by the name under which a run counts them. */
export const CODING_MUTATIONS: Readonly<Record<string, (body: Uint8Array, random: Random) => Coded>> = {
  "coding.good": (body, random) => encodeWell(body, random),
  "coding.twice": (body, random) => {
    const [first, second] = [pick(random, CODINGS), pick(random, CODINGS)];
    return coded(ENCODE[second](ENCODE[first](body)), `${first}, ${second}`);
  },
  "coding.order": (body, random) => coded(ENCODE.gzip(ENCODE.deflate(body)), pick(random, ["gzip, deflate", "gzip"])),
  "coding.members": (body, random) => {
    const coding = pick<Coding>(random, ["gzip", "zstd"]);
    const at = random(body.length + 1);
    const parts = [body.subarray(0, at), new Uint8Array(), body.subarray(at)].map((part) => ENCODE[coding](part));
    return coded(Buffer.concat(parts), coding);
  },
  "coding.garbage": (body, random) => {
    const coding = pick(random, CODINGS);
    const garbage = Buffer.concat([ENCODE[coding](body), Uint8Array.of(1 + random(255))]);
    return coded(garbage, coding, coding === "deflate" ? null : [400]);
  },
  "coding.padding": (body, random) => {
    const coding = pick(random, CODINGS);
    return coded(Buffer.concat([ENCODE[coding](body), new Uint8Array(1 + random(600))]), coding);
  },
  "coding.fault": (body, random) => {
    const coding = pick(random, CODINGS);
    return coded(chooseFault(random)(ENCODE[coding](body), random, body), coding);
  },
  "coding.missing": (body, random) => coded(body.length < 3 ? Uint8Array.of(1) : body, pick(random, CODINGS), [400]),
  "coding.unsaid": (body, random) => coded(ENCODE[pick(random, CODINGS)](body), null),
  "coding.raw": (body) => coded(deflateRawSync(body), "deflate"),
  "coding.unknown": (body, random) => coded(body, pick(random, UNKNOWN), [415]),
  "coding.bomb": (_body, random) => chooseBomb(random),
};

/** Codes a body as a client would that has nothing to hide. */
export function encodeWell(body: Uint8Array, random: Random): Coded {
  const coding = pick(random, CODINGS);
  return coded(ENCODE[coding](body), pick(random, SPELLINGS[coding]));
}

function coded(body: Uint8Array, contentEncoding: string | null, expected: readonly number[] | null = null): Coded {
  return { body, contentEncoding, expected };
}

function chooseFault(random: Random): Mutation {
  return BYTE_MUTATIONS[pick(random, FAULTS)] ?? ((body) => body);
}

let bombs: readonly [Coded, ...Coded[]] | undefined;

/** Bodies of some KiB that are 32 MiB and more: of one piece, of many, of two layers. */
function chooseBomb(random: Random): Coded {
  bombs ??= makeBombs();
  return pick(random, bombs);
}

function makeBombs(): readonly [Coded, ...Coded[]] {
  const zeros = new Uint8Array(BOMB_BYTES);
  const part = new Uint8Array(BOMB_BYTES / MANY).fill(0x20);
  const [gzip, deflate, zstd] = [gzipSync(zeros), deflateSync(zeros), ENCODE.zstd(zeros)];
  return [
    toBomb(gzip, "gzip"),
    toBomb(deflate, "deflate"),
    toBomb(zstd, "zstd"),
    toBomb(Buffer.concat(Array.from({ length: MANY * 2 }, () => gzipSync(part))), "gzip"),
    toBomb(Buffer.concat(Array.from({ length: MANY * 32 }, () => ENCODE.zstd(part))), "zstd"),
    toBomb(ENCODE.gzip(gzip), "gzip, gzip"),
    toBomb(ENCODE.zstd(zstd), "zstd, zstd"),
    toBomb(ENCODE.gzip(zstd), "zstd, gzip"),
    toBomb(ENCODE.zstd(deflate), "deflate, zstd"),
  ];
}

function toBomb(body: Uint8Array, contentEncoding: string): Coded {
  return coded(body, contentEncoding, [413]);
}
