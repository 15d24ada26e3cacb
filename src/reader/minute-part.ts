/** What a minute is read from: its parts, their names, and what it means that they are others than they were. */
import { FirnError, unreachable } from "../errors.ts";
import type { Millis } from "../units.ts";
import type { HourObject } from "./hour-object.ts";
import type { LostOutput } from "./hour-outputs.ts";
import type { VisibleObject } from "./visible.ts";

/** A part of a minute. */
export type MinutePart =
  | { readonly kind: "object"; readonly object: VisibleObject }
  | { readonly kind: "runs"; readonly output: HourObject }
  /** An output that cannot be read; at the first of its minutes that was reached. */
  | LostOutput;

/** The key of what a part is read from. */
export function keyOf(part: MinutePart): string {
  switch (part.kind) {
    case "object":
      return part.object.key;
    case "runs":
      return part.output.key;
    case "lost":
      return part.key;
    default:
      return unreachable(part, "part");
  }
}

/** Fails a read that was to go on inside a minute: which of its items were given, nothing says any more. */
export function positionGone(minute: Millis): FirnError {
  const found = "it is not made of the objects any more of which it was made";
  return new FirnError("position_gone", `Cannot go on inside minute ${new Date(minute).toISOString()}: ${found}`);
}
