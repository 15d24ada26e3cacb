/** What a format makes of the archive's fields: {@link openOutput}, the one place that knows the formats' framing. */
import { unreachable } from "../errors.ts";
import { openJsonLines } from "../otlp/json/lines.ts";
import type { TopLevelField } from "../otlp/top-level.ts";
import type { ReplayFormat, ReplayQuery } from "./parameters.ts";

/** Writes the fields of a replay in their order; the mark is not its business. */
export interface Output {
  /** The bytes that these fields complete; views, valid until the next call. */
  add(fields: readonly TopLevelField[]): Iterable<Uint8Array>;
  /** What is still held back. */
  end(): Iterable<Uint8Array>;
}

/** Media types of collector-s3 5.1. */
export const CONTENT_TYPE: Readonly<Record<ReplayFormat, string>> = {
  jsonl: "application/x-ndjson",
  proto: "application/x-protobuf",
};

/** Opens the output of a replay's format. */
export function openOutput({ format, signal, maxLineBytes }: ReplayQuery): Output {
  switch (format) {
    case "proto":
      return { add: toWire, end: () => [] };
    case "jsonl": {
      const lines = openJsonLines(signal, maxLineBytes);
      return {
        *add(fields): Generator<Uint8Array, void, void> {
          for (const { container } of fields) if (container !== null) yield* lines.add(container);
        },
        end: () => lines.end(),
      };
    }
    default:
      return unreachable(format, "format");
  }
}

/** Fields as they stand in the archive are the message: requests concatenate (protocol 2). */
function* toWire(fields: readonly TopLevelField[]): Generator<Uint8Array, void, void> {
  for (const { field } of fields) yield field;
}
