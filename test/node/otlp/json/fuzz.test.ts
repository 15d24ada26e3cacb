/** Mutated requests: the codec says `FirnError` or writes something sound, never anything else. */
import { expect, test } from "vitest";
import { FirnError } from "../../../../src/errors.ts";
import { decodeJsonRequest } from "../../../../src/otlp/json/decode.ts";
import { encodeJsonRequest } from "../../../../src/otlp/json/encode.ts";
import { openJsonLines } from "../../../../src/otlp/json/lines.ts";
import { openTopLevelSplitter } from "../../../../src/otlp/top-level.ts";
import { walkRequest } from "../../../../src/otlp/wire/walk.ts";
import type { ItemSignal } from "../../../../src/signal.ts";
import { readExamples } from "../../../../scripts/corpus.ts";
import { createRandom, type Random } from "../random-request.ts";

/** Set FIRN_SEED to repeat a run, FIRN_FUZZ_RUNS to run longer. */
const SEED = Number(process.env["FIRN_SEED"] ?? Date.now() % 1_000_000);
const RUNS = Number(process.env["FIRN_FUZZ_RUNS"] ?? 20_000);
const MAX_SAMPLE_BYTES = 6000;
const FRAGMENTS = [
  '"',
  "\\",
  "\\u",
  "\\ud83d",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "null",
  "true",
  "1e400",
  "-",
  "0",
  ".",
  "\u0000",
  "é",
  '"traceId":"',
  '"stringValue":"a",',
  '"attributes":[',
  '{"arrayValue":{"values":[',
];

/** Runs an action that may throw a FirnError of one of these kinds; undefined if it did. */
function runOrRefuse<T>(kinds: readonly string[], action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof FirnError && kinds.includes(error.kind)) return undefined;
    throw error;
  }
}

function mutate(source: Uint8Array, random: Random, fragments: readonly Uint8Array[]): Uint8Array {
  let bytes = Buffer.from(source);
  for (let count = 1 + random(3); count > 0; count -= 1) {
    const start = random(bytes.length);
    const end = Math.min(bytes.length, start + 1 + random(30));
    const choice = random(5);
    if (choice === 0) bytes[start] = random(256);
    else if (choice === 1) bytes = Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
    else if (choice === 2) bytes = Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
    else if (choice === 3)
      bytes = Buffer.concat([bytes.subarray(0, start), fragments.at(random(fragments.length))!, bytes.subarray(start)]);
    else bytes = bytes.subarray(0, random(40) === 0 ? start : bytes.length);
    if (bytes.length === 0) break;
  }
  return Uint8Array.from(bytes);
}

function countItems(signal: ItemSignal, body: Uint8Array): number | undefined {
  const walk = walkRequest(signal, body);
  return walk.kind === "fault" ? undefined : walk.itemCount;
}

const samples = readExamples().filter(({ document }) => document.length < MAX_SAMPLE_BYTES);

test(`decodeJsonRequest() refuses mutated JSON with a path or writes a sound request (FIRN_SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  const fragments = FRAGMENTS.map((text) => new TextEncoder().encode(text));
  const counts = { accepted: 0, refused: 0 };

  for (let run = 0; run < RUNS; run += 1) {
    const { signal, document } = samples.at(run % samples.length)!;
    const mutated = mutate(document, random, fragments);
    const body = runOrRefuse(["invalid_request"], () => decodeJsonRequest(signal, mutated));
    if (body === undefined) counts.refused += 1;
    else {
      counts.accepted += 1;
      expect(countItems(signal, body), new TextDecoder().decode(mutated)).toBeDefined();
    }
  }

  expect(counts.refused).toBeGreaterThan(RUNS / 10);
  expect(counts.accepted).toBeGreaterThan(RUNS / 10);
});

test(`decodeJsonRequest() accepts of mutated JSON only what JSON.parse accepts (FIRN_SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  const decoder = new TextDecoder("utf-8", { fatal: true });

  for (let run = 0; run < RUNS; run += 1) {
    const { signal, document } = samples.at(run % samples.length)!;
    const mutated = mutate(document, random, [Uint8Array.of(random(256))]);
    const body = runOrRefuse(["invalid_request"], () => decodeJsonRequest(signal, mutated));
    if (body !== undefined && mutated.length > 0) expect(() => JSON.parse(decoder.decode(mutated))).not.toThrow();
  }
});

test(`encodeJsonRequest() writes every sound request, and JSON that reads back (FIRN_SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  const counts = { sound: 0, unsound: 0 };

  for (let run = 0; run < RUNS; run += 1) {
    const { signal, body } = samples.at(run % samples.length)!;
    const mutated = mutate(body, random, [Uint8Array.of(0x0a, 0), Uint8Array.of(random(256), random(256))]);
    const itemCount = countItems(signal, mutated);
    const json = runOrRefuse(["corrupt_object"], () => encodeJsonRequest(signal, mutated));
    if (itemCount === undefined) {
      counts.unsound += 1;
      continue;
    }
    counts.sound += 1;
    if (json === undefined) throw new Error(`Refused a sound request: ${Buffer.from(mutated).toString("hex")}`);
    const back = decodeJsonRequest(signal, json);
    expect(countItems(signal, back)).toBe(itemCount);
    expect(encodeJsonRequest(signal, back)).toEqual(json);
  }

  expect(counts.sound).toBeGreaterThan(RUNS / 20);
  expect(counts.unsound).toBeGreaterThan(RUNS / 20);
});

test(`openJsonLines() writes the items of every sound request (FIRN_SEED=${SEED})`, () => {
  const random = createRandom(SEED);

  for (let run = 0; run < RUNS / 4; run += 1) {
    const { signal, body } = samples.at(run % samples.length)!;
    const mutated = mutate(body, random, [Uint8Array.of(0x0a, 0)]);
    const itemCount = countItems(signal, mutated);
    const lines = runOrRefuse(["corrupt_object"], () => cut(signal, mutated, [1, 500, 2000, 1_000_000].at(random(4))!));
    if (itemCount === undefined || lines === undefined) {
      expect(itemCount).toBeUndefined();
      continue;
    }
    const counts = lines.map((line) => countItems(signal, decodeJsonRequest(signal, line)) ?? Number.NaN);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(itemCount);
  }
});

function cut(signal: ItemSignal, body: Uint8Array, maxLineBytes: number): Uint8Array[] {
  const splitter = openTopLevelSplitter();
  const lines = openJsonLines(signal, maxLineBytes);
  const output: Uint8Array[] = [];
  for (const { container } of splitter.push(body)) if (container !== null) output.push(...lines.add(container));
  splitter.end();
  output.push(...lines.end());
  return output;
}
