/**
 * How many bytes content takes in a format, before it is written: {@link openSizer}. To know it exactly, JSON has to be
 * encoded twice, so that there is a bound that costs nothing, for whoever is far from a limit.
 */
import { FirnError, unreachable } from "../errors.ts";
import { JSON_MAX_RATIO, REPLAY_RUN_BYTES } from "../limits.ts";
import type { JsonCutter } from "../otlp/json/container-cutter.ts";
import { openJsonElements } from "../otlp/json/elements.ts";
import { JSON_SEPARATOR } from "../otlp/json/envelope.ts";
import { openJsonLines } from "../otlp/json/lines.ts";
import { isItemSignal } from "../signal.ts";
import { LENGTH_BYTES } from "./delimited.ts";
import { toJsonLine } from "./json-line.ts";
import type { Content, OutputOptions } from "./output.ts";

/** Of one request, or of one field. */
export interface Sizer {
  /** At least as many bytes as the content can take; `Infinity` where only measuring tells. */
  bound(content: Content): number;
  /** The bytes that content adds to an output that holds nothing back. */
  measure(content: Content): number;
}

/** What encloses a line or an element, at most. */
const FRAME_BYTES = 64;
/** A container above this part of a line may be cut, so that what encloses its records is repeated. */
const CUT_RATIO = 16;

/** Opens a sizer for what `openOutput` opens with the same options. */
export function openSizer({ format, signal, maxLineBytes }: OutputOptions): Sizer {
  if (!isItemSignal(signal)) {
    const measure = (content: Content): number => LENGTH_BYTES + sumBytes(content);
    return { bound: measure, measure };
  }
  switch (format) {
    case "jsonl":
      return openJsonSizer(openJsonLines(signal, maxLineBytes), { runBytes: maxLineBytes, separatorBytes: 0 });
    case "json": {
      const separatorBytes = JSON_SEPARATOR.length;
      return openJsonSizer(openJsonElements(signal, REPLAY_RUN_BYTES), { runBytes: REPLAY_RUN_BYTES, separatorBytes });
    }
    case "proto":
      return { bound: sumBytes, measure: sumBytes };
    case "proto-delimited": {
      const measure = (content: Content): number => LENGTH_BYTES + sumBytes(content);
      return { bound: measure, measure };
    }
    default:
      return unreachable(format, "format");
  }
}

function openJsonSizer(
  cutter: JsonCutter,
  { runBytes, separatorBytes }: { readonly runBytes: number; readonly separatorBytes: number },
): Sizer {
  function sum(runs: Iterable<Uint8Array>): number {
    let length = 0;
    for (const run of runs) length += separatorBytes + run.length;
    return length;
  }

  return {
    bound: (content) => {
      const length = sumBytes(content);
      return length * CUT_RATIO <= runBytes ? length * JSON_MAX_RATIO + FRAME_BYTES : Number.POSITIVE_INFINITY;
    },
    measure: (content) => {
      if (content.kind === "request") return 0;
      try {
        return content.fields.reduce(
          (length, { container }) => length + (container === null ? 0 : sum(cutter.add(container)) + sum(cutter.end())),
          0,
        );
      } catch (error) {
        // Left out, or the end of the answer: that is the output's to say.
        if (error instanceof FirnError && error.kind === "too_large") return 0;
        throw error;
      }
    },
  };
}

/** Of requests as they are written: with a line feed if not with their length. */
function sumBytes(content: Content): number {
  if (content.kind === "fields") return content.fields.reduce((sum, { field }) => sum + field.length, 0);
  return content.encoding === "json" ? toJsonLine(content.body).length : content.body.length;
}
