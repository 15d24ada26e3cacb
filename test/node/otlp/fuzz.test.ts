/**
 * Mutated bodies at every door of the codec: each says `FirnError` of its kind or gives something sound, and never
 * anything else. `FIRN_SEED` repeats a run, `FIRN_FUZZ_RUNS` makes it longer.
 */
import { beforeAll, expect, test } from "vitest";
import { openMutatedBodies, type MutatedBody } from "../../../scripts/fuzz/mutants.ts";
import { createRandom, type Random } from "../../../scripts/fuzz/random.ts";
import { gatherSeeds, type SeedBody } from "../../../scripts/fuzz/seed-bodies.ts";
import { requestType } from "../../../scripts/otlp-protobuf.ts";
import { FirnError, type ErrorKind } from "../../../src/errors.ts";
import { decodeJsonRequest } from "../../../src/otlp/json/decode.ts";
import { encodeJsonElements } from "../../../src/otlp/json/elements.ts";
import { encodeJsonRequest } from "../../../src/otlp/json/encode.ts";
import { JSON_TAIL, jsonHead } from "../../../src/otlp/json/envelope.ts";
import { openJsonLines } from "../../../src/otlp/json/lines.ts";
import { openJsonSplitter } from "../../../src/otlp/json/splitter.ts";
import { iterateItems } from "../../../src/otlp/items.ts";
import { checkProfilesRequest } from "../../../src/otlp/profiles.ts";
import { openRegrouper } from "../../../src/otlp/regroup.ts";
import { openTopLevelSplitter, type TopLevelField } from "../../../src/otlp/top-level.ts";
import { validateRequest, type Validation } from "../../../src/otlp/validate.ts";
import { isItemSignal, type ItemSignal } from "../../../src/signal.ts";

const SEED = Number(process.env["FIRN_SEED"] ?? Date.now() % 1_000_000_000);
const RUNS = Number(process.env["FIRN_FUZZ_RUNS"] ?? 10_000);
const LINE_BYTES = [1, 500, 2000, 1_000_000] as const;

interface Mutated {
  readonly signal: ItemSignal;
  readonly body: Uint8Array;
  readonly random: Random;
}

let seeds: readonly SeedBody[];

beforeAll(async () => {
  seeds = await gatherSeeds();
});

/** Runs an action that may refuse a body; undefined if it did. */
function runOrRefuse<T>(kind: ErrorKind, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof FirnError && error.kind === kind) return undefined;
    throw error;
  }
}

/** Gives mutated bodies of an encoding to a check that says whether the body was accepted; both must happen. */
function forEachBody(encoding: MutatedBody["encoding"], check: (mutated: Mutated) => boolean): void {
  const random = createRandom(SEED);
  const next = openMutatedBodies(
    seeds.filter((seed) => seed.encoding === encoding),
    random,
  );
  const counts = { accepted: 0, refused: 0 };
  for (let run = 0; run < RUNS; run += 1) {
    const { kind, signal, body } = next();
    if (!isItemSignal(signal)) continue;
    try {
      counts[check({ signal, body, random }) ? "accepted" : "refused"] += 1;
    } catch (cause) {
      const shown = Buffer.from(body).toString("base64");
      throw new Error(`${kind} of ${signal} failed, FIRN_SEED=${SEED}: ${shown}`, { cause });
    }
  }
  expect(counts.accepted).toBeGreaterThan(RUNS / 10);
  expect(counts.refused).toBeGreaterThan(RUNS / 10);
}

/** The verdict on a body; undefined when it was refused, with the place of the fault. */
function validate(signal: ItemSignal, body: Uint8Array): Validation | undefined {
  try {
    return validateRequest(signal, body);
  } catch (error) {
    if (error instanceof FirnError && error.kind === "invalid_request" && error.field !== undefined) return undefined;
    throw error;
  }
}

function countItems(signal: ItemSignal, body: Uint8Array): number {
  const verdict = validate(signal, body);
  return verdict === undefined ? Number.NaN : verdict.itemCount + verdict.rejectedCount;
}

function parse(json: Uint8Array): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
}

test("decodeJsonRequest() refuses mutated JSON or makes a sound request of what JSON.parse reads, too", () => {
  forEachBody("json", ({ signal, body }) => {
    const request = runOrRefuse("invalid_request", () => decodeJsonRequest(signal, body));
    if (request === undefined) return false;
    if (!/^\s*$/.test(Buffer.from(body).toString())) expect(() => parse(body)).not.toThrow();
    expect(countItems(signal, request)).not.toBeNaN();
    return true;
  });
});

test("openJsonSplitter() takes nothing of mutated JSON but what decodeJsonRequest() takes, and gives the same", () => {
  forEachBody("json", ({ signal, body, random }) => {
    const request = runOrRefuse("invalid_request", () => decodeJsonRequest(signal, body));
    const pieces = cutBytes(body, random);
    const given = runOrRefuse("corrupt_object", () => {
      const splitter = openJsonSplitter(signal);
      return Buffer.concat([...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()]);
    });
    // A list that comes twice, and no document at all, are refused by the splitter alone.
    if (given === undefined) return false;
    expect(given.equals(request ?? Buffer.from("refused"))).toBe(true);
    return true;
  });
});

test("validateRequest() refuses mutated protobuf or gives what protobufjs reads and what is valid again", () => {
  forEachBody("protobuf", ({ signal, body }) => {
    const verdict = validate(signal, body);
    if (verdict === undefined) return false;
    expect(() => requestType(signal).decode(verdict.body)).not.toThrow();
    expect(verdict.message === "").toBe(verdict.body === body);
    expect(validateRequest(signal, verdict.body)).toEqual({ ...verdict, rejectedCount: 0, message: "" });
    return true;
  });
});

test("encodeJsonRequest() writes every valid mutated request as JSON that reads back, and refuses the others", () => {
  forEachBody("protobuf", ({ signal, body }) => {
    const itemCount = countItems(signal, body);
    const json = runOrRefuse("corrupt_object", () => encodeJsonRequest(signal, body));
    if (Number.isNaN(itemCount)) return false;
    const text = json ?? Buffer.from("refused");
    const elements = [jsonHead(signal), encodeJsonElements(signal, body), JSON_TAIL];
    // Without an element one of them has no list, and the other an empty one.
    expect(parse(Buffer.concat(elements))).toMatchObject(parse(text) as object);
    const back = decodeJsonRequest(signal, text);
    expect(countItems(signal, back)).toBe(itemCount);
    expect(encodeJsonRequest(signal, back)).toEqual(text);
    return true;
  });
});

test("openTopLevelSplitter() and openJsonLines() give all items of a valid mutated request in any pieces", () => {
  forEachBody("protobuf", ({ signal, body, random }) => {
    const itemCount = countItems(signal, body);
    const pieces = cutBytes(body, random);
    const lines = runOrRefuse("corrupt_object", () =>
      toLines(signal, pieces, LINE_BYTES[random(LINE_BYTES.length)] ?? 1),
    );
    if (Number.isNaN(itemCount)) return false;
    const counts = (lines ?? []).map((line) => countItems(signal, decodeJsonRequest(signal, line)));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(itemCount);
    return true;
  });
});

test("iterateItems() and openRegrouper() keep every item of a valid mutated request, byte for byte", () => {
  forEachBody("protobuf", ({ signal, body }) => {
    const itemCount = countItems(signal, body);
    if (Number.isNaN(itemCount)) return false;
    const items = listItemBytes(signal, body);
    const regrouped = regroup(signal, body);

    expect(items.length).toBe(itemCount);
    expect(countItems(signal, regrouped)).toBe(itemCount);
    expect(listItemBytes(signal, regrouped).toSorted()).toEqual(items.toSorted());
    expect(Buffer.from(regroup(signal, regrouped)).equals(regrouped)).toBe(true);
    return true;
  });
});

test("checkProfilesRequest() refuses mutated profiles or takes them, and throws nothing else", () => {
  const random = createRandom(SEED);
  const profiles = seeds.filter(({ signal }) => signal === "profiles");
  const next = openMutatedBodies(
    [...profiles, ...profiles.map((seed) => ({ ...seed, signal: "logs" as const }))],
    random,
  );
  for (let run = 0; run < RUNS; run += 1) {
    const { encoding, body } = next();
    runOrRefuse("invalid_request", () => checkProfilesRequest(encoding, body));
  }
});

function listItemBytes(signal: ItemSignal, body: Uint8Array): readonly string[] {
  return Array.from(iterateItems(signal, body), ({ bytes, start, end }) =>
    Buffer.from(bytes.subarray(start, end)).toString("base64"),
  );
}

function regroup(signal: ItemSignal, body: Uint8Array): Uint8Array {
  const regrouper = openRegrouper();
  for (const item of iterateItems(signal, body)) regrouper.add(item);
  return regrouper.end("arrival");
}

/** Cuts bytes into some pieces, each with memory of its own. */
function cutBytes(body: Uint8Array, random: Random): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < body.length;) {
    const end = start + 1 + random(body.length);
    pieces.push(body.slice(start, end));
    start = end;
  }
  return pieces;
}

function toLines(signal: ItemSignal, pieces: readonly Uint8Array[], maxLineBytes: number): readonly Uint8Array[] {
  const splitter = openTopLevelSplitter();
  const lines = openJsonLines(signal, maxLineBytes);
  const add = ({ container }: TopLevelField): readonly Uint8Array[] =>
    container === null ? [] : Array.from(lines.add(container), (line) => line.slice());
  const output = pieces.flatMap((piece) => splitter.push(piece).flatMap(add));
  splitter.end();
  return [...output, ...lines.end()];
}
