/** Documents in pieces against the decoder of whole documents: the corpus, random requests, mutated examples. */
import { describe, expect, test } from "vitest";
import { FirnError, toErrorMessage } from "../../../../src/errors.ts";
import { decodeJsonRequest } from "../../../../src/otlp/json/decode.ts";
import { openJsonSplitter } from "../../../../src/otlp/json/splitter.ts";
import { ITEM_SIGNALS, type ItemSignal } from "../../../../src/signal.ts";
import { listDataSets, readDocuments, readExamples } from "../../../../scripts/corpus.ts";
import { createRandom, type Random } from "../../../../scripts/fuzz/random.ts";
import { writeJsonForm } from "../differential/json-form.ts";
import { toShape } from "../differential/model.ts";
import { randomModel } from "../differential/random-model.ts";
import { requestType } from "../../../../scripts/otlp-protobuf.ts";

/** Set FIRN_SEED to repeat a run, FIRN_FUZZ_RUNS to run longer. */
const SEED = Number(process.env["FIRN_SEED"] ?? Date.now() % 1_000_000);
const RUNS = Number(process.env["FIRN_FUZZ_RUNS"] ?? 10_000);
const PIECE_BYTES = 65_536;

function split(signal: ItemSignal, document: Uint8Array, nextBytes: () => number): Buffer {
  const splitter = openJsonSplitter(signal);
  const requests: Uint8Array[] = [];
  for (let start = 0; start < document.length;) {
    const end = start + nextBytes();
    requests.push(...splitter.push(document.slice(start, end)));
    start = end;
  }
  requests.push(...splitter.end());
  return Buffer.concat(requests);
}

function attempt(action: () => Uint8Array): Uint8Array | FirnError {
  try {
    return action();
  } catch (error) {
    if (error instanceof FirnError) return error;
    throw error;
  }
}

function randomDocument(signal: ItemSignal, random: Random): Uint8Array {
  const shape = toShape(requestType(signal));
  return new TextEncoder().encode(
    writeJsonForm(shape, randomModel(shape, { random, coverage: new Map(), ids: "any" }), random),
  );
}

function mutate(source: Uint8Array, random: Random): Uint8Array {
  const bytes = Buffer.from(source);
  const start = random(bytes.length);
  const end = Math.min(bytes.length, start + 1 + random(30));
  const choice = random(3);
  if (choice === 0) bytes[start] = random(3) === 0 ? random(256) : '{}[],:"\\ n'.charCodeAt(random(10));
  if (choice === 1) return Uint8Array.from(Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]));
  if (choice === 2) return Uint8Array.from(Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]));
  return Uint8Array.from(bytes);
}

test.each(listDataSets())("openJsonSplitter() gives the bytes of decodeJsonRequest() on $name", ({ name, signal }) => {
  for (const document of readDocuments(name).slice(0, 20)) {
    const expected = decodeJsonRequest(signal, document);

    expect(split(signal, document, () => PIECE_BYTES).equals(expected)).toBe(true);
    expect(split(signal, document, () => document.length).equals(expected)).toBe(true);
  }
});

describe.each(ITEM_SIGNALS)("random %s", (signal) => {
  test(`openJsonSplitter() gives the bytes of decodeJsonRequest() whatever the pieces (FIRN_SEED=${SEED})`, () => {
    const random = createRandom(SEED);
    for (let run = 0; run < RUNS / 50; run += 1) {
      const document = randomDocument(signal, random);
      const maxBytes = [1, 3, 20, 500].at(random(4))!;

      const given = split(signal, document, () => 1 + random(maxBytes));

      expect(given.equals(decodeJsonRequest(signal, document))).toBe(true);
    }
  });

  test(`openJsonSplitter() refuses every truncated document (FIRN_SEED=${SEED})`, () => {
    const random = createRandom(SEED);
    for (let run = 0; run < RUNS / 50; run += 1) {
      const document = randomDocument(signal, random);
      const truncated = document.subarray(0, random(document.lastIndexOf(0x7d)));

      expect(attempt(() => split(signal, truncated, () => 1 + random(100)))).toHaveProperty("kind", "corrupt_object");
    }
  });
});

test(`openJsonSplitter() refuses what decodeJsonRequest() refuses, and else gives the same (FIRN_SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  const samples = readExamples().filter(({ document }) => document.length < 6000);
  const counts = { same: 0, refused: 0 };

  for (let run = 0; run < RUNS; run += 1) {
    const { signal, document } = samples.at(run % samples.length)!;
    const mutated = mutate(document, random);
    const whole = attempt(() => decodeJsonRequest(signal, mutated));
    const given = attempt(() => split(signal, mutated, () => 1 + random(2000)));
    if (whole instanceof FirnError) {
      counts.refused += 1;
      expect(given).toHaveProperty("kind", "corrupt_object");
    } else if (given instanceof FirnError) {
      expect(toErrorMessage(given)).toMatch(/the key of the array again|found the end of the document/);
    } else {
      counts.same += 1;
      expect(Buffer.compare(given, whole)).toBe(0);
    }
  }

  expect(counts.refused).toBeGreaterThan(RUNS / 10);
  expect(counts.same).toBeGreaterThan(RUNS / 10);
});
