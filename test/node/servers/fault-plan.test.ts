import { describe, expect, test } from "vitest";
import { armFault, meetFault, toSeenRequest, type PlannedFault, type S3Call } from "../../servers/fault-plan.ts";

/** Numbers of the calls, from 1, that meet a fault. */
function listMet(plan: PlannedFault, calls: readonly S3Call[]): readonly number[] {
  const fault = armFault(plan);
  return calls.flatMap((call, i) => (meetFault([fault], { call, key: "logs_1" }) === null ? [] : [i + 1]));
}

const PUTS: readonly S3Call[] = Array.from({ length: 1000 }, () => "put");

describe("meetFault()", () => {
  test.each([
    ["the nth", { nth: 3 }, [3]],
    ["the nth and some after it", { nth: 3, times: 2 }, [3, 4]],
    ["every so-manieth", { every: 400 }, [400, 800]],
    ["none by a chance of 0", { probability: 0, seed: 1 }, []],
  ] as const)("meets %s", (_what, when, expected) => {
    expect(listMet({ kind: "error-500", when }, PUTS)).toEqual(expected);
  });

  test("meets by chance as often as it should, the same calls for the same seed", () => {
    const met = [1, 1, 2].map((seed) => listMet({ kind: "error-500", when: { probability: 0.2, seed } }, PUTS));

    expect(met[0]?.length).toBeGreaterThan(150);
    expect(met[0]?.length).toBeLessThan(250);
    expect(met[0]).toEqual(met[1]);
    expect(met[0]).not.toEqual(met[2]);
  });

  test("counts only calls to which kind and filters apply", () => {
    const calls: readonly S3Call[] = ["head", "put", "get", "put", "list", "put"];

    expect(listMet({ kind: "flipped-byte-up", when: { nth: 2 } }, calls)).toEqual([4]);
    expect(listMet({ kind: "error-500", when: { nth: 1 }, calls: ["list"] }, calls)).toEqual([5]);
    expect(listMet({ kind: "error-500", when: { nth: 1 }, keyPart: "traces" }, calls)).toEqual([]);
  });

  test("gives a call to one fault, counts it in all, and gives the next call to the one that came too late", () => {
    const faults = [armFault({ kind: "stall", when: { nth: 1 } }), armFault({ kind: "conflict", when: { nth: 1 } })];

    const met = [1, 2, 3].map(() => meetFault(faults, { call: "put", key: "" })?.plan.kind);

    expect(met).toEqual(["stall", "conflict", undefined]);
    expect(faults.map(({ seen, fired }) => [seen, fired])).toEqual([
      [3, 1],
      [3, 1],
    ]);
  });
});

test.each([
  ["PUT", "/bucket/a/b%20c", { call: "put", key: "a/b c" }],
  ["GET", "/bucket/a?partNumber=1", { call: "get", key: "a" }],
  ["GET", "/bucket?list-type=2&prefix=a%2F", { call: "list", key: "a/" }],
  ["GET", "/bucket/?list-type=2", { call: "list", key: "" }],
  ["POST", "/bucket/a?uploads", { call: "other", key: "a" }],
] as const)("toSeenRequest() names %s %s", (method, url, expected) => {
  expect(toSeenRequest(method, url)).toEqual(expected);
});
