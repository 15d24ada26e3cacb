/** Items by minute, added and compared: the proof that outputs hold what sources held (protocol 5.5). */
import type { MinuteTotals } from "../archive/manifest.ts";
import type { MinuteSum, MinuteSums } from "./merger.ts";

const MODULUS = 2n ** 128n;
const DIGITS = 32;
const NOTHING: MinuteSum = { itemCount: 0, digest: "0".repeat(DIGITS) };

/** Adds two sums. */
export function addSums(left: MinuteSums, right: MinuteSums): MinuteSums {
  const sums = new Map(left);
  for (const [minute, sum] of right) sums.set(minute, combine(sums.get(minute) ?? NOTHING, sum, 1));
  return sums;
}

/** Takes a sum that was before away from a later one; what is left has no minutes without items. */
export function subtractSums(later: MinuteSums, before: MinuteSums): MinuteSums {
  const sums = new Map<number, MinuteSum>();
  for (const [minute, sum] of later) {
    const left = combine(sum, before.get(minute) ?? NOTHING, -1);
    if (!isNothing(left)) sums.set(minute, left);
  }
  return sums;
}

/** Sums up all minutes. */
export function totalOf(sums: MinuteSums): MinuteSum {
  return [...sums.values()].reduce((total, sum) => combine(total, sum, 1), NOTHING);
}

/** Adds the digests of two sets of items. */
export function addDigests(left: MinuteSum, right: MinuteSum): MinuteSum {
  return combine(left, right, 1);
}

/** The first minute in which two sums differ; `null` when they are equal. */
export function findDifference(left: MinuteSums, right: MinuteSums): number | null {
  for (const minute of [...left.keys(), ...right.keys()].toSorted((one, two) => one - two)) {
    const one = left.get(minute) ?? NOTHING;
    const two = right.get(minute) ?? NOTHING;
    if (one.itemCount !== two.itemCount || one.digest !== two.digest) return minute;
  }
  return null;
}

/** Makes the list of a manifest: ascending, without minutes that hold nothing. */
export function toMinuteTotals(sums: MinuteSums): readonly MinuteTotals[] {
  return [...sums]
    .filter(([, sum]) => !isNothing(sum))
    .map(([minute, { itemCount, digest }]) => ({ minute, itemCount, digest }))
    .toSorted((left, right) => left.minute - right.minute);
}

/** Reads the list of a manifest. */
export function fromMinuteTotals(minutes: readonly MinuteTotals[]): MinuteSums {
  return new Map(minutes.map(({ minute, itemCount, digest }) => [minute, { itemCount, digest }]));
}

function combine(left: MinuteSum, right: MinuteSum, sign: 1 | -1): MinuteSum {
  const sum = toNumber(left) + BigInt(sign) * toNumber(right);
  const digest = (((sum % MODULUS) + MODULUS) % MODULUS).toString(16).padStart(DIGITS, "0");
  return { itemCount: left.itemCount + sign * right.itemCount, digest };
}

function toNumber({ digest }: MinuteSum): bigint {
  return BigInt(`0x${digest}`);
}

function isNothing({ itemCount, digest }: MinuteSum): boolean {
  return itemCount === 0 && digest === NOTHING.digest;
}
