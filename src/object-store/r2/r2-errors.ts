/**
 * Turns what the R2 binding throws into the closed kinds of the contract. The binding's errors carry nothing but a
 * message that ends in a number: `put: … (10037)`. https://developers.cloudflare.com/r2/api/error-codes/
 */
import { FirnError, toErrorMessage, type ErrorKind } from "../../errors.ts";
import type { StoreCall } from "../contract.ts";

/** R2 says so of a range that begins at the object's end or behind it. */
const INVALID_RANGE = 10_039;
/** The local simulator trips over a range with a length at the end, and its error has no code of R2's. */
const UNSPECIFIED = 0;

/** Codes for which asking again soon is useless; every other failure, also one without a code, may pass. */
const REFUSALS: ReadonlyMap<number, string> = new Map([
  [10_002, "missing or invalid credentials"],
  [10_003, "access denied"],
  [10_005, "invalid bucket name"],
  [10_006, "no such bucket"],
  [10_011, "a part is smaller than 5 MiB"],
  [10_012, "metadata too large"],
  [10_020, "invalid object name"],
  [10_025, "a part is not the one that was sent"],
  [10_029, "invalid argument"],
  [10_035, "signature does not match"],
  [10_042, "the account has no R2 subscription"],
  [10_048, "the parts do not make an object"],
  [10_069, "the object is locked by a bucket lock rule"],
  [100_100, "object too large"],
]);
/** What does not exist. */
const MISSING: ReadonlyMap<number, string> = new Map([
  [10_007, "no such object"],
  [10_024, "no such upload"],
]);

/** Makes a call of the binding. @throws FirnError for whatever it throws */
export async function askR2<T>(call: StoreCall, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw toStoreError(call, error);
  }
}

/** Wraps an error of the binding; a FirnError is returned as it is. */
export function toStoreError(call: StoreCall, error: unknown): FirnError {
  if (error instanceof FirnError) return error;
  const code = codeOf(error);
  const found = (code === null ? undefined : (REFUSALS.get(code) ?? MISSING.get(code))) ?? "it failed";
  const numbered = code === null ? found : `${found} (${code})`;
  return new FirnError(kindOf(code), `Cannot ${call} in R2: ${numbered}`, { cause: error });
}

/** Whether a call with a range may have failed for the range. */
export function isUnsatisfiable(error: unknown): boolean {
  const code = codeOf(error);
  return code === INVALID_RANGE || code === UNSPECIFIED;
}

/** The number at the end of a message of the binding; `null` where it has none. */
function codeOf(error: unknown): number | null {
  const match = /\((\d{1,6})\)\s*$/.exec(toErrorMessage(error));
  return match === null ? null : Number(match[1]);
}

function kindOf(code: number | null): ErrorKind {
  if (code === null) return "store_unavailable";
  if (MISSING.has(code)) return "object_not_found";
  return REFUSALS.has(code) ? "store_refused" : "store_unavailable";
}
