/** Both directions of OTLP JSON against the corpus and against protobufjs, on real and on random requests. */
import { describe, expect, test } from "vitest";
import { decodeJsonRequest } from "../../../../src/otlp/json/decode.ts";
import { encodeJsonRequest } from "../../../../src/otlp/json/encode.ts";
import { openJsonLines } from "../../../../src/otlp/json/lines.ts";
import { openTopLevelSplitter } from "../../../../src/otlp/top-level.ts";
import { ITEM_SIGNALS, type ItemSignal } from "../../../../src/signal.ts";
import { listDataSets, readBodies, readDocuments, readExamples } from "../../../../scripts/corpus.ts";
import { decodeFull, keepOneMember, printFreely, toOtlpJson } from "./oracle.ts";
import { decode, listItems, requestType } from "../oracle.ts";
import { createRandom, randomMessage, rewrite, type Random } from "../random-request.ts";

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
  const message = keepOneMember(type, randomMessage(type, random, "any"), random);
  return Uint8Array.from(type.encode(type.fromObject(message)).finish());
}

function parse(json: Uint8Array): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
}

function toLines(signal: ItemSignal, bodies: readonly Uint8Array[], maxLineBytes: number): Uint8Array[] {
  const splitter = openTopLevelSplitter();
  const lines = openJsonLines(signal, maxLineBytes);
  const output: Uint8Array[] = [];
  for (const body of bodies) {
    for (const { container } of splitter.push(body)) if (container !== null) output.push(...lines.add(container));
  }
  splitter.end();
  output.push(...lines.end());
  return output;
}

/** Items as text, sorted: the multiset of a list of requests. */
function sortItems(signal: ItemSignal, bodies: readonly Uint8Array[]): string[] {
  return bodies
    .flatMap((body) => listItems(signal, decode(signal, body)).map((item) => JSON.stringify(item)))
    .toSorted();
}

describe.each(listDataSets())("$name", ({ name, signal }) => {
  const bodies = readBodies(name);
  const documents = readDocuments(name);

  test("decodeJsonRequest() writes the bytes of the protobuf twin", () => {
    const decoded = documents.map((document) => decodeJsonRequest(signal, document));

    expect(decoded.length).toBe(bodies.length);
    expect(decoded.findIndex((body, index) => Buffer.compare(body, bodies.at(index)!) !== 0)).toBe(-1);
  });

  test("encodeJsonRequest() writes the JSON twin", () => {
    const differing = bodies.findIndex((body, index) => {
      return JSON.stringify(parse(encodeJsonRequest(signal, body))) !== JSON.stringify(parse(documents.at(index)!));
    });

    expect(differing < 0 ? undefined : parse(encodeJsonRequest(signal, bodies.at(differing)!))).toEqual(
      differing < 0 ? undefined : parse(documents.at(differing)!),
    );
  });

  test.each([1_000_000, 20_000, 2_000])(
    "openJsonLines() keeps the items in lines of at most %d bytes",
    (maxLineBytes) => {
      const some = bodies.slice(0, 20);
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

  expect(decodeFull(signal, decoded)).toEqual(decodeFull(signal, body));
  expect(decodeJsonRequest(signal, encodeJsonRequest(signal, decoded))).toEqual(decoded);
});

describe.each(ITEM_SIGNALS)("random %s", (signal) => {
  test("encodeJsonRequest() writes what protobufjs reads, in whatever order the fields came", () => {
    forEachSeed((random) => {
      const body = randomBody(signal, random);
      const expected = toOtlpJson(signal, body);

      expect(parse(encodeJsonRequest(signal, body))).toEqual(expected);
      expect(parse(encodeJsonRequest(signal, rewrite(requestType(signal), body, random)))).toEqual(expected);
    });
  });

  test("decodeJsonRequest() reads the same message from any way to print it", () => {
    forEachSeed((random) => {
      const body = randomBody(signal, random);
      const json = toOtlpJson(signal, body);
      const text = printFreely(json, random);

      const decoded = decodeJsonRequest(signal, new TextEncoder().encode(text));

      expect(toOtlpJson(signal, decoded)).toEqual(json);
      expect(decodeFull(signal, decoded)).toEqual(decodeFull(signal, body));
    });
  });

  test("openJsonLines() keeps the items of random containers at any limit", () => {
    forEachSeed((random) => {
      const bodies = Array.from({ length: 3 }, () => randomBody(signal, random));
      const maxLineBytes = [1, 100, 1000, 3000, 100_000].at(random(5))!;

      const lines = toLines(signal, bodies, maxLineBytes).map((line) => decodeJsonRequest(signal, line));

      expect(sortItems(signal, lines)).toEqual(
        sortItems(
          signal,
          bodies.map((body) => canonical(signal, body)),
        ),
      );
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

/** The same request without the zeros that JSON omits. */
function canonical(signal: ItemSignal, body: Uint8Array): Uint8Array {
  return decodeJsonRequest(signal, encodeJsonRequest(signal, body));
}
