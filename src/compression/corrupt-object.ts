/** The one way in which reading an object fails in this room; what its source throws goes through as it is. */
import { FirnError } from "../errors.ts";

/** Makes the error for bytes that are not what the object's name says. */
export function toCorruptObject(found: string, expected: string, cause?: unknown): FirnError {
  const message = `Cannot inflate object: found ${found}, expected ${expected}`;
  return new FirnError("corrupt_object", message, cause === undefined ? {} : { cause });
}
