/**
 * The codec against protobufjs on the same `.proto` files: very many small random messages, which together set every
 * field of the table and every edge of every scalar, mean the same to both, in every form that a sender may choose.
 *
 * `FIRN_SEED` repeats a run, `FIRN_MESSAGES` makes it longer; a failure names the seed that repeats it alone.
 */
import { describe, expect, test } from "vitest";
import { createRandom, type Random } from "../../../../scripts/fuzz/random.ts";
import { requestType } from "../../../../scripts/otlp-protobuf.ts";
import { decodeJsonRequest } from "../../../../src/otlp/json/decode.ts";
import { encodeJsonElements } from "../../../../src/otlp/json/elements.ts";
import { encodeJsonRequest } from "../../../../src/otlp/json/encode.ts";
import { JSON_TAIL, jsonHead } from "../../../../src/otlp/json/envelope.ts";
import { openJsonSplitter } from "../../../../src/otlp/json/splitter.ts";
import { MESSAGES } from "../../../../src/otlp/schema.generated.ts";
import { REQUEST_MESSAGE } from "../../../../src/otlp/schema.ts";
import { validateRequest } from "../../../../src/otlp/validate.ts";
import { ITEM_SIGNALS, SIGNALS, type ItemSignal, type Signal } from "../../../../src/signal.ts";
import { readJson, writeJsonForm } from "./json-form.ts";
import { encodeModel, formatDecoded, formatModel, toCollectorForm, toShape, type Model } from "./model.ts";
import { NEEDED_EDGES, randomModel, type Coverage, type ModelSource } from "./random-model.ts";
import { writeWireForm } from "./wire-form.ts";

const SEED = Number(process.env["FIRN_SEED"] ?? Date.now() % 1_000_000_000);
/** Of each signal: more than 100,000 in all. */
const COUNT = Number(process.env["FIRN_MESSAGES"] ?? 34_000);
/** The rarest fields and edges come once in some thousand messages. */
const ENOUGH = 30_000;
const TEXT = new TextEncoder();

/** A random message, what it means, what its JSON means, and what further choices are made with. */
interface Sample {
  readonly model: Model;
  readonly meaning: string;
  readonly jsonMeaning: string;
  readonly random: Random;
}

interface Run {
  readonly signal: Signal;
  readonly ids: ModelSource["ids"];
  readonly count: number;
}

/** Makes messages of a signal, each of a seed of its own, and says which one failed. */
function forEachMessage({ signal, ids, count }: Run, check: (sample: Sample) => void): Coverage {
  const shape = toShape(requestType(signal));
  const coverage: Coverage = new Map();
  for (let seed = SEED; seed < SEED + count; seed += 1) {
    const random = createRandom(seed);
    try {
      const model = randomModel(shape, { random, coverage, ids });
      const jsonMeaning = formatModel(shape, toCollectorForm(shape, model));
      check({ model, meaning: formatModel(shape, model), jsonMeaning, random });
    } catch (cause) {
      throw new Error(`A message failed; run it alone with FIRN_SEED=${seed} FIRN_MESSAGES=1`, { cause });
    }
  }
  return coverage;
}

describe.each(SIGNALS)("%s", (signal) => {
  const type = requestType(signal);
  const shape = toShape(type);

  test("encodeJsonRequest() and back agree with protobufjs on random messages with every field of the table", () => {
    const coverage = forEachMessage({ signal, ids: "any", count: COUNT }, ({ model, meaning, jsonMeaning }) => {
      const body = encodeModel(type, model);
      const json = encodeJsonRequest(signal, body);
      const back = decodeJsonRequest(signal, json);

      expectSame(formatDecoded(type, body), meaning, "protobufjs on its own bytes");
      expectSame(formatModel(shape, readJson(shape, parse(json))), jsonMeaning, "the JSON that was written");
      expectSame(formatDecoded(type, back), jsonMeaning, "the protobuf that this JSON gave");
    });

    const edges = signal === "profiles" ? [] : NEEDED_EDGES;
    const missing = [...listFields(signal), ...edges].filter((what) => !coverage.has(what));
    expect(COUNT < ENOUGH ? [] : missing).toEqual([]);
  });

  test("decodeJsonRequest() reads any form of JSON as protobufjs has the message", () => {
    forEachMessage({ signal, ids: "any", count: COUNT }, ({ model, meaning, random }) => {
      const text = writeJsonForm(shape, model, random);

      expectSame(formatDecoded(type, decodeJsonRequest(signal, TEXT.encode(text))), meaning, text);
    });
  });
});

describe.each(ITEM_SIGNALS)("%s", (signal) => {
  const shape = toShape(requestType(signal));

  test("validateRequest() and encodeJsonRequest() read any form of protobuf as what was meant", () => {
    forEachMessage({ signal, ids: "good", count: Math.ceil(COUNT / 2) }, ({ model, jsonMeaning, random }) => {
      const body = writeWireForm(shape, model, random);
      const validation = validateRequest(signal, body);
      const json = encodeJsonRequest(signal, body);

      expectSame(validation.body === body ? "kept" : validation.message, "kept", "the verdict");
      expectSame(formatModel(shape, readJson(shape, parse(json))), jsonMeaning, Buffer.from(body).toString("hex"));
    });
  });

  test("openJsonSplitter() and encodeJsonElements() agree with the codec of whole documents", () => {
    forEachMessage({ signal, ids: "any", count: Math.ceil(COUNT / 4) }, ({ model, random }) => {
      const document = TEXT.encode(writeJsonForm(shape, model, random));
      const request = decodeJsonRequest(signal, document);
      const elements = [jsonHead(signal), encodeJsonElements(signal, request), JSON_TAIL];

      expectSame(toHex(split(signal, document, random)), toHex(request), "the request of the pieces");
      expectSame(
        toHex(decodeJsonRequest(signal, Buffer.concat(elements))),
        toHex(toJsonAndBack(signal, request)),
        "elements",
      );
    });
  });
});

function toJsonAndBack(signal: ItemSignal, request: Uint8Array): Uint8Array {
  return decodeJsonRequest(signal, encodeJsonRequest(signal, request));
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** The matcher of the test runner is too slow for so many values that are equal. */
function expectSame(found: string, expected: string, what: string): void {
  if (found !== expected) expect(found, what).toBe(expected);
}

/** Gives a document to the splitter in two pieces, and joins the requests that it makes of it. */
function split(signal: ItemSignal, document: Uint8Array, random: Random): Uint8Array {
  const splitter = openJsonSplitter(signal);
  const at = random(document.length + 1);
  const pieces = [document.subarray(0, at), document.subarray(at)];
  return Buffer.concat([...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()]);
}

function parse(json: Uint8Array): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
}

/** Every field of the product's table that a request of the signal can hold. */
function listFields(signal: Signal): readonly string[] {
  const names = new Set([REQUEST_MESSAGE[signal]]);
  // A set may grow while it is walked.
  for (const name of names)
    for (const { message } of MESSAGES[name] ?? []) if (message !== undefined) names.add(message);
  return [...names].flatMap((name) => (MESSAGES[name] ?? []).map((field) => `${name}.${field.name}`));
}
