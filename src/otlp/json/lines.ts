/** Containers of protobuf → JSON Lines of bounded length, each a whole request document: {@link openJsonLines}. */
import type { ItemSignal } from "../../signal.ts";
import { openContainerCutter, type JsonCutter } from "./container-cutter.ts";
import { JSON_TAIL, jsonHead } from "./envelope.ts";

/**
 * Opens a cutter of containers into JSON lines, each one whole request document of at most `maxLineBytes` bytes; where
 * containers are cut and when a line is longer, {@link openContainerCutter} says.
 *
 * @param maxLineBytes limit of a line with its line feed, in bytes
 */
export function openJsonLines(signal: ItemSignal, maxLineBytes: number): JsonCutter {
  return openContainerCutter(signal, { prefix: jsonHead(signal), suffix: JSON_TAIL }, maxLineBytes);
}
