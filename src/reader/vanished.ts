/**
 * What a failure means: {@link toUnreadable}. An object may vanish between list and get only because something else
 * holds its items from now on, so its hour is looked at once more (protocol 6.1).
 */
import { liveOutputs } from "../archive/visibility.ts";
import { FirnError, toErrorMessage } from "../errors.ts";
import type { ObjectInfo } from "../object-store/contract.ts";
import { isItemSignal } from "../signal.ts";
import { HOUR, millis, type Millis } from "../units.ts";
import type { ReadRequest } from "./contract.ts";
import { isExpiredHour } from "./expired-hour.ts";
import { listHour, type ListingSource } from "./listing.ts";
import { findSources, readNewestManifest } from "./manifests.ts";
import { keyOf, type MinutePart } from "./minute-part.ts";
import type { RunningUsage } from "./usage.ts";

/** What became of a part that its store does not give any more. */
export type Replacement = "replaced" | "listed" | "gone";

/** What a failure means. */
export type Failure =
  /** Not the object's fault. */
  | { readonly kind: "store"; readonly error: unknown }
  /** A newer manifest holds the items elsewhere, or has retired them. */
  | { readonly kind: "replaced" }
  /** The bucket's lifecycle has deleted it. */
  | { readonly kind: "expired"; readonly hour: Millis }
  /** The object cannot be read; the error names it. */
  | { readonly kind: "unreadable"; readonly key: string; readonly error: FirnError };

/** Where the part was to be read. */
export interface PartPlace {
  readonly request: ReadRequest;
  readonly usage: RunningUsage;
  readonly minute: Millis;
}

/**
 * Says what a failure means.
 * @param known - what became of the part, if that was looked at before
 * @throws FirnError what the store throws when the hour is looked at once more
 */
export async function toUnreadable(
  error: unknown,
  part: MinutePart,
  { place, known }: { readonly place: PartPlace; readonly known: Replacement | null },
): Promise<Failure> {
  if (!(error instanceof FirnError)) return { kind: "store", error };
  const key = keyOf(part);
  const hour = hourOf(place);
  const isExpired = error.kind === "object_not_found" && isExpiredHour(hour, place.request.expiredBefore);
  if (error.kind === "object_frozen") return toFailure(key, describeFrozen(error), error);
  if (error.kind !== "corrupt_object" && error.kind !== "object_not_found") return { kind: "store", error };
  if (part.kind === "lost" && isExpired) return { kind: "expired", hour };
  const isKnown = error.kind === "corrupt_object" || (part.kind === "lost" && part.isMissed);
  if (isKnown) return toFailure(key, toErrorMessage(error), error);
  // Also of an output whose table and object are gone: a slow reader may let the grace pass before it gets to them.
  const found = known ?? (await findReplacement(part, place));
  if (found === "gone" && isExpired) return { kind: "expired", hour };
  if (found === "replaced") return { kind: found };
  return toFailure(key, part.kind === "lost" ? toErrorMessage(error) : describe(found), error);
}

function toFailure(key: string, found: string, cause: FirnError): Failure {
  const { kind, storageClass } = cause;
  const options = storageClass === undefined ? { cause } : { cause, storageClass };
  const error = new FirnError(kind, `Cannot read object "${key}": ${found}`, options);
  return { kind: "unreadable", key, error };
}

function describeFrozen({ storageClass }: FirnError): string {
  const place = storageClass === undefined ? "a frozen storage class" : `the frozen storage class "${storageClass}"`;
  return `it lies in ${place}, restore it first`;
}

function describe(found: "listed" | "gone"): string {
  if (found === "listed") return "the store lists it and does not give it";
  return "it has vanished since it was listed, and nothing stands for it";
}

function hourOf({ minute }: PartPlace): Millis {
  return millis(minute - (minute % HOUR));
}

/** Looks at the hour of a part that has vanished. */
export async function findReplacement(part: MinutePart, place: PartPlace): Promise<Replacement> {
  const { request, usage } = place;
  const { store, layout, signal, bodyTimeout } = request;
  const source: ListingSource = { store, layout, usage, bodyTimeout };
  const hour = hourOf(place);
  const key = keyOf(part);
  let listed: ObjectInfo | null = null;
  for await (const page of listHour(source, hour)) listed = page.find((info) => info.key === key) ?? listed;
  const found = listed === null ? "gone" : "listed";
  if (!isItemSignal(signal)) return found;
  const newest = await readNewestManifest(source, { signal, hour, known: null });
  if (newest === null) return found;
  const isReplaced =
    part.kind === "object"
      ? (await findSources(source, newest, [part.object])).has(key)
      : !liveOutputs(newest.manifest).some((output) => output.key === key);
  return isReplaced ? "replaced" : found;
}
