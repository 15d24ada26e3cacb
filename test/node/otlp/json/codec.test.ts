/** Both directions of OTLP JSON against the corpus and against protobufjs, on real and on random requests. */
import { describe, expect, test } from "vitest";
import { decodeJsonRequest } from "../../../../src/otlp/json/decode.ts";
import { encodeJsonRequest } from "../../../../src/otlp/json/encode.ts";
import { openJsonLines } from "../../../../src/otlp/json/lines.ts";
import { openTopLevelSplitter } from "../../../../src/otlp/top-level.ts";
import { ITEM_SIGNALS, type ItemSignal } from "../../../../src/signal.ts";
import { listDataSets, readBodies, readDocuments, readExamples } from "../../../../scripts/corpus.ts";
import { readJson } from "../differential/json-form.ts";
import { decodeModel, encodeModel, formatModel, toCollectorForm, toShape, type Model } from "../differential/model.ts";
import { randomModel, type ModelSource } from "../differential/random-model.ts";
import { requestType } from "../../../../scripts/otlp-protobuf.ts";
import { decode, listItems } from "../oracle.ts";
import { createRandom, type Random } from "../../../../scripts/fuzz/random.ts";
import { rewrite } from "../random-request.ts";

/** Set FIRN_SEED to run one seed alone, FIRN_SEEDS to run more. */
const SEED = process.env["FIRN_SEED"];
const SEED_COUNT = Number(process.env["FIRN_SEEDS"] ?? 150);
const SEEDS = SEED === undefined ? Array.from({ length: SEED_COUNT }, (_, index) => index + 1) : [Number(SEED)];

function forEachSeed(check: (random: Random) => void): void {
  for (const seed of SEEDS) {
    try {
      check(createRandom(seed));
    } catch (error) {
      throw new Error(`Seed ${seed} failed; run it alone with FIRN_SEED=${seed}`, { cause: error });
    }
  }
}

function randomBody(signal: ItemSignal, random: Random): Uint8Array {
  const type = requestType(signal);
  const source: ModelSource = { random, coverage: new Map(), ids: "any" };
  const requests = Array.from({ length: 3 }, () => encodeModel(type, randomModel(toShape(type), source)));
  return Uint8Array.from(Buffer.concat(requests));
}

function parse(json: Uint8Array): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
}

function toLines(signal: ItemSignal, bodies: readonly Uint8Array[], maxLineBytes: number): Uint8Array[] {
  const splitter = openTopLevelSplitter();
  const lines = openJsonLines(signal, maxLineBytes);
  const output: Uint8Array[] = [];
  for (const body of bodies) {
    for (const { container } of splitter.push(body)) {
      if (container !== null) for (const line of lines.add(container)) output.push(line.slice());
    }
  }
  splitter.end();
  for (const line of lines.end()) output.push(line.slice());
  return output;
}

/** Items in the form of the Collector as text, sorted: the multiset of a list of requests. */
function sortItems(signal: ItemSignal, bodies: readonly Uint8Array[]): string[] {
  const type = requestType(signal);
  return bodies
    .flatMap((body) => listItems(signal, toCollectorForm(toShape(type), decodeModel(type, body))))
    .map((item) => JSON.stringify(item))
    .toSorted();
}

/** What a document says, in the form of the Collector. */
function formatDocument(signal: ItemSignal, document: Uint8Array): string {
  return formatCollector(signal, readJson(toShape(requestType(signal)), parse(document)));
}

/** What a request says, in the form of the Collector. */
function formatBody(signal: ItemSignal, body: Uint8Array): string {
  return formatCollector(signal, decodeModel(requestType(signal), body));
}

function formatCollector(signal: ItemSignal, model: Model): string {
  const shape = toShape(requestType(signal));
  return formatModel(shape, toCollectorForm(shape, model));
}

describe.each(listDataSets())("$name", ({ name, signal }) => {
  const bodies = readBodies(name);
  const documents = readDocuments(name);

  test("decodeJsonRequest() writes the bytes of the protobuf twin", () => {
    const decoded = documents.map((document) => decodeJsonRequest(signal, document));

    expect(decoded.length).toBe(bodies.length);
    expect(decoded.findIndex((body, index) => Buffer.compare(body, bodies.at(index)!) !== 0)).toBe(-1);
  });

  test("encodeJsonRequest() writes what the JSON twin says", () => {
    const written = bodies.map((body) => encodeJsonRequest(signal, body));

    const differing = written.findIndex(
      (json, index) => formatDocument(signal, json) !== formatDocument(signal, documents.at(index)!),
    );
    expect(differing).toBe(-1);
  });

  test.each([1_000_000, 20_000, 2_000])(
    "openJsonLines() keeps the items in lines of at most %d bytes",
    (maxLineBytes) => {
      const some = bodies.slice(0, 8);
      const lines = toLines(signal, some, maxLineBytes);
      const decoded = lines.map((line) => decodeJsonRequest(signal, line));

      expect(sortItems(signal, decoded)).toEqual(sortItems(signal, some));
      for (const [index, line] of lines.entries()) {
        expect(line.indexOf(0x0a)).toBe(line.length - 1);
        if (line.length > maxLineBytes) expect(listItems(signal, decode(signal, decoded.at(index)!))).toHaveLength(1);
      }
    },
  );
});

test.each(readExamples())("$name: both encodings of an example mean the same", ({ signal, body, document }) => {
  const decoded = decodeJsonRequest(signal, document);

  expect(formatBody(signal, decoded)).toBe(formatBody(signal, body));
  expect(formatDocument(signal, encodeJsonRequest(signal, body))).toBe(formatBody(signal, body));
});

describe.each(ITEM_SIGNALS)("random %s", (signal) => {
  test("openJsonLines() keeps the items of random containers at any limit", () => {
    forEachSeed((random) => {
      const bodies = Array.from({ length: 3 }, () => randomBody(signal, random));
      const maxLineBytes = [1, 100, 1000, 3000, 100_000].at(random(5))!;

      const lines = toLines(signal, bodies, maxLineBytes).map((line) => decodeJsonRequest(signal, line));

      expect(sortItems(signal, lines)).toEqual(sortItems(signal, bodies));
    });
  });

  test("openTopLevelSplitter() yields the same fields whatever the pieces", () => {
    forEachSeed((random) => {
      const bodies = Array.from({ length: 3 }, () => rewrite(requestType(signal), randomBody(signal, random), random));
      const stream = Buffer.concat(bodies);
      const splitter = openTopLevelSplitter();
      const fields: Uint8Array[] = [];
      for (let start = 0; start < stream.length;) {
        const end = start + 1 + random(300);
        fields.push(...splitter.push(Uint8Array.from(stream.subarray(start, end))).map(({ field }) => field));
        start = end;
      }
      splitter.end();

      expect(Buffer.concat(fields).equals(stream)).toBe(true);
      expect(fields.map((field) => field.length)).toEqual(
        openTopLevelSplitter()
          .push(stream)
          .map(({ field }) => field.length),
      );
    });
  });
});
