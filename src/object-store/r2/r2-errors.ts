/**
 * Turns what the R2 binding throws into the closed kinds of the contract. The binding's errors carry nothing but a
 * message that ends in a number: `put: … (10037)`. https://developers.cloudflare.com/r2/api/error-codes/
 */
import { FirnError, toErrorMessage, type ErrorKind } from "../../errors.ts";
import type { StoreCall } from "../contract.ts";

/** Codes for which asking again soon is useless; every other failure, also one without a code, may pass. */
const REFUSALS: ReadonlyMap<number, string> = new Map([
  [10_002, "missing or invalid credentials"],
  [10_003, "access denied"],
  [10_005, "invalid bucket name"],
  [10_006, "no such bucket"],
  [10_012, "metadata too large"],
  [10_020, "invalid object name"],
  [10_035, "signature does not match"],
  [10_042, "the account has no R2 subscription"],
  [10_069, "the object is locked by a bucket lock rule"],
  [100_100, "object too large"],
]);
const NO_SUCH_KEY = 10_007;

/** Wraps an error of the binding; a FirnError is returned as it is. */
export function toStoreError(call: StoreCall, error: unknown): FirnError {
  if (error instanceof FirnError) return error;
  const code = codeOf(error);
  const found = (code === null ? undefined : REFUSALS.get(code)) ?? "it failed";
  const numbered = code === null ? found : `${found} (${code})`;
  return new FirnError(kindOf(code), `Cannot ${call} in R2: ${numbered}`, { cause: error });
}

function kindOf(code: number | null): ErrorKind {
  if (code === NO_SUCH_KEY) return "object_not_found";
  return code !== null && REFUSALS.has(code) ? "store_refused" : "store_unavailable";
}

function codeOf(error: unknown): number | null {
  const match = /\((\d{5,6})\)\s*$/.exec(toErrorMessage(error));
  return match === null ? null : Number(match[1]);
}
