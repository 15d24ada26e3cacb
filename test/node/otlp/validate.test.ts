import { describe, expect, test } from "vitest";
import { FirnError } from "../../../src/errors.ts";
import { validateRequest, type Validation } from "../../../src/otlp/validate.ts";
import { ITEM_SIGNALS, type ItemSignal } from "../../../src/signal.ts";
import { listDataSets, readBodies } from "../../../scripts/corpus.ts";
import { applyItemRules, DATA, decode, listItems, listOf, type Decoded } from "./oracle.ts";
import { createRandom, type Random } from "../../../scripts/fuzz/random.ts";
import { shrinkRequest } from "../../../scripts/fuzz/seed-bodies.ts";
import { writeDelimited, writeTag } from "../../../scripts/fuzz/wire-tree.ts";
import { requestType } from "../../../scripts/otlp-protobuf.ts";
import { randomMessage, rewrite, type IdStyle } from "./random-request.ts";

/** Set FIRN_SEED to run one seed alone, FIRN_SEEDS to run more. */
const SEED = process.env["FIRN_SEED"];
const SEED_COUNT = Number(process.env["FIRN_SEEDS"] ?? 150);
const SEEDS = SEED === undefined ? Array.from({ length: SEED_COUNT }, (_, index) => index + 1) : [Number(SEED)];

function randomBody(signal: ItemSignal, random: Random, ids: IdStyle): Uint8Array {
  const type = requestType(signal);
  return type.encode(type.fromObject(randomMessage(type, random, ids))).finish();
}

/** Runs a check for every seed and says which one failed. */
function forEachSeed(check: (random: Random) => void): void {
  for (const seed of SEEDS) {
    try {
      check(createRandom(seed));
    } catch (error) {
      throw new Error(`Seed ${seed} failed; run it alone with FIRN_SEED=${seed}`, { cause: error });
    }
  }
}

/** The verdict, or undefined when the body was refused as it should be. */
function validateOrRefuse(signal: ItemSignal, body: Uint8Array): Validation | undefined {
  try {
    return validateRequest(signal, body);
  } catch (error) {
    if (error instanceof FirnError && error.kind === "invalid_request" && error.field !== undefined) return undefined;
    throw error;
  }
}

describe.each(listDataSets())("$name", ({ name, signal, requestCount, itemCount }) => {
  const bodies = readBodies(name);

  test("validateRequest() accepts every request as it is and counts its items", () => {
    const validations = bodies.map((body) => validateRequest(signal, body));

    expect(validations.length).toBe(requestCount);
    expect(validations.every(({ body }, index) => body === bodies[index])).toBe(true);
    expect(validations.reduce((sum, validation) => sum + validation.itemCount, 0)).toBe(itemCount);
  });

  test("validateRequest() reads mutated requests as protobufjs or throws FirnError", () => {
    const samples = bodies.slice(0, 8).map((body) => shrinkRequest(signal, body));
    const counts = { accepted: 0, refused: 0 };
    forEachSeed((random) => {
      for (const sample of samples) {
        const body = Uint8Array.from(sample);
        for (let count = 1 + random(2); count > 0; count -= 1) body[random(body.length)] = random(256);
        const validation = validateOrRefuse(signal, body);
        if (validation === undefined) counts.refused += 1;
        else {
          counts.accepted += 1;
          expectSameCount(signal, body, validation);
        }
        validateOrRefuse(signal, body.subarray(0, random(body.length)));
      }
    });
    expect(counts.accepted).toBeGreaterThan(0);
    expect(counts.refused).toBeGreaterThan(0);
  });
});

function expectSameCount(signal: ItemSignal, body: Uint8Array, { itemCount, rejectedCount }: Validation): void {
  const decoded = decode(signal, body);
  const hasTwoMembers = signal === "metrics" && JSON.stringify(listMetrics(decoded)).includes('"two"');
  if (!hasTwoMembers) expect(itemCount + rejectedCount).toBe(listItems(signal, decoded).length);
}

/** protobufjs keeps all members of a oneof; a metric with two of them is marked. */
function listMetrics(request: Decoded): string[] {
  return listOf(request, "resource_metrics")
    .flatMap((resource) => listOf(resource, "scope_metrics"))
    .flatMap((scope) => listOf(scope, "metrics"))
    .map((metric) => (DATA.filter((member) => member in metric).length > 1 ? "two" : "one"));
}

describe.each(ITEM_SIGNALS)("%s", (signal) => {
  test("validateRequest() accepts random requests and counts as protobufjs does", () => {
    forEachSeed((random) => {
      const body = randomBody(signal, random, "good");

      const validation = validateRequest(signal, body);

      expect(validation).toEqual({
        itemCount: listItems(signal, decode(signal, body)).length,
        rejectedCount: 0,
        body,
        message: "",
      });
    });
  });

  test("validateRequest() accepts other orders, unknown fields and repeated ids of the same request", () => {
    forEachSeed((random) => {
      const body = randomBody(signal, random, "good");
      const rewritten = rewrite(requestType(signal), body, random);

      const validation = validateRequest(signal, rewritten);

      expect(validation.itemCount + validation.rejectedCount).toBe(listItems(signal, decode(signal, body)).length);
    });
  });

  test("validateRequest() cuts what a model over decoded objects cuts, and nothing else", () => {
    let cutCount = 0;
    forEachSeed((random) => {
      const type = requestType(signal);
      const body = rewrite(type, randomBody(signal, random, "any"), random);
      const expected = decode(signal, body);
      const itemCount = listItems(signal, expected).length;
      const rejectedCount = applyItemRules(signal, expected);

      const validation = validateRequest(signal, body);

      expect(decode(signal, validation.body)).toEqual(expected);
      expect(validation.rejectedCount).toBe(rejectedCount);
      expect(validation.itemCount).toBe(itemCount - rejectedCount);
      expect(validation.message === "").toBe(validation.body === body);
      expect(validateRequest(signal, validation.body)).toEqual({ ...validation, rejectedCount: 0, message: "" });
      if (validation.body !== body) cutCount += 1;
    });
    expect(cutCount > 0 || SEED !== undefined).toBe(true);
  });

  test("validateRequest() throws nothing but FirnError on random bytes", () => {
    forEachSeed((random) => {
      for (let count = 0; count < 100; count += 1) {
        const body = Uint8Array.from({ length: random(60) }, () => (random(3) === 0 ? random(16) : random(256)));
        const validation = validateOrRefuse(signal, body);
        if (validation !== undefined) expectSameCount(signal, body, validation);
      }
    });
  });
});

test("validateRequest() takes no nesting of messages and groups that protobufjs cannot read", () => {
  const type = requestType("logs");
  const accepted = [0, 20, 40, 47, 48, 60].flatMap((arrays) =>
    [0, 1, 10, 50, 90, 99, 100, 101].flatMap((groups) => {
      const body = nest(arrays, groups);
      return validateOrRefuse("logs", body) === undefined ? [] : [{ arrays, groups, body }];
    }),
  );

  const unreadable = accepted.filter(({ body }) => {
    try {
      return type.decode(body) === null;
    } catch {
      return true;
    }
  });
  expect(accepted.map(({ arrays }) => arrays)).toContain(47);
  expect(unreadable.map(({ arrays, groups }) => `${arrays} arrays, ${groups} groups`)).toEqual([]);
});

/** A log record whose body is arrays in arrays, the innermost of which holds unknown groups in groups. */
function nest(arrays: number, groups: number): Uint8Array {
  const ends = [3, 4].flatMap((wireType) => Array.from({ length: groups }, () => writeTag(40, wireType)));
  let value: Uint8Array = Buffer.concat(ends);
  for (let level = 0; level < arrays; level += 1) value = writeDelimited(5, writeDelimited(1, value));
  return [5, 2, 2, 1].reduce((inner, number) => writeDelimited(number, inner), value);
}
