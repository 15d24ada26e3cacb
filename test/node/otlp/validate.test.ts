import { describe, expect, test } from "vitest";
import { FirnError } from "../../../src/errors.ts";
import { validateRequest, type Validation } from "../../../src/otlp/validate.ts";
import { ITEM_SIGNALS, type ItemSignal } from "../../../src/signal.ts";
import { listDataSets, readBodies } from "../../../scripts/corpus.ts";
import { applyItemRules, DATA, decode, listItems, listOf, requestType, type Decoded } from "./oracle.ts";
import { createRandom, randomMessage, rewrite, type IdStyle, type Random } from "./random-request.ts";

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
    const samples = bodies.slice(0, 8).map((body) => shrink(signal, body));
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

/** Keeps a few items of a request, so that a mutation hits its structure as often as its texts. */
function shrink(signal: ItemSignal, body: Uint8Array): Uint8Array {
  const type = requestType(signal);
  const request = type.toObject(type.decode(body));
  for (const resource of Object.values(cutLists(request, 1)).flat()) {
    for (const scope of Object.values(cutLists(resource as Decoded, 2)).flat()) cutLists(scope as Decoded, 3);
  }
  return type.encode(type.fromObject(request)).finish();
}

/** Shortens the lists of a message and returns it. */
function cutLists(message: Decoded, length: number): Decoded {
  for (const [name, value] of Object.entries(message)) if (Array.isArray(value)) message[name] = value.slice(0, length);
  return message;
}

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
