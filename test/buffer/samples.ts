/** Members that tell which one they are, in every form, and the numbers of all members in the stored objects. */
import { expect } from "vitest";
import type { AppendHead, MemberForm } from "../../src/buffer/contract.ts";
import { joinBytes } from "../../src/bytes.ts";
import { compressMember } from "../../src/compression/member.ts";
import { inflateStream } from "../../src/compression/inflate-stream.ts";
import { GZIP, makeMember, memberNumbers } from "./shard-kit.ts";

/** One kind of members. */
export interface Sample {
  readonly name: string;
  readonly head: Pick<AppendHead, "form"> & Partial<AppendHead>;
  make(number: number): Promise<Uint8Array>;
  /** Numbers of the members of all objects, in their order; fails on an object that is not as its form says. */
  numbersOf(objects: readonly Uint8Array[]): Promise<number[]>;
}

const JSON_NONE: MemberForm = { marshaler: "otlp_json", compression: "none" };
const JSON_GZIP: MemberForm = { marshaler: "otlp_json", compression: "gzip" };
const JSON_ZSTD: MemberForm = { marshaler: "otlp_json", compression: "zstd" };
const PROFILES = { identity: { tenant: "", signal: "profiles", shard: 0 } } as const;

const toText = (bytes: Uint8Array): string => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
const element = (number: number): string => `{"schemaUrl":"${number}"}`;

async function compress(text: string, { compression }: MemberForm): Promise<Uint8Array> {
  return compressMember(new TextEncoder().encode(text), compression);
}

async function inflate(object: Uint8Array, { compression }: MemberForm): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of inflateStream(new Blob([object]).stream(), compression)) pieces.push(piece.slice());
  return joinBytes(pieces);
}

async function elementNumbers(object: Uint8Array, form: MemberForm): Promise<number[]> {
  const text = toText(await inflate(object, form));
  const { resourceSpans } = JSON.parse(text) as { resourceSpans: { schemaUrl: string }[] };
  const numbers = resourceSpans.map(({ schemaUrl }) => Number(schemaUrl));
  expect(text).toBe(`{"resourceSpans":[${numbers.map(element).join(",")}]}\n`);
  return numbers;
}

function jsonSample(name: string, form: MemberForm): Sample {
  return {
    name,
    head: { form },
    make: (number) => compress(element(number), form),
    numbersOf: async (objects) => (await Promise.all(objects.map((object) => elementNumbers(object, form)))).flat(),
  };
}

async function profileNumber(object: Uint8Array, form: MemberForm): Promise<number> {
  const text = toText(await inflate(object, form));
  const number = Number((JSON.parse(text) as { schemaUrl: string }).schemaUrl);
  expect(text).toBe(`${element(number)}\n`);
  return number;
}

/** Members of requests that concatenate as they are. */
export const PROTOBUF: Sample = {
  name: "protobuf",
  head: { form: GZIP },
  make: (number) => Promise.resolve(makeMember(number)),
  numbersOf: (objects) => Promise.resolve(memberNumbers(objects)),
};

/** Members whose objects are one JSON document each. */
export const JSON_SAMPLES: readonly Sample[] = [
  jsonSample("JSON", JSON_NONE),
  jsonSample("JSON in gzip", JSON_GZIP),
  jsonSample("JSON in zstd", JSON_ZSTD),
];

/** Requests that are an object each. */
const PROFILES_SAMPLE: Sample = {
  name: "profiles in JSON",
  head: { form: JSON_GZIP, ...PROFILES },
  make: (number) => compress(`${element(number)}\n`, JSON_GZIP),
  numbersOf: (objects) => Promise.all(objects.map((object) => profileNumber(object, JSON_GZIP))),
};

/** One of each way in which batches are put together, whatever their compression. */
export const SAMPLES: readonly Sample[] = [PROTOBUF, ...JSON_SAMPLES.slice(1, 2), PROFILES_SAMPLE];
