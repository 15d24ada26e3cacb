/** Event times of items one by one: {@link EventTimeReader}. Which fields they are says `item-facts.ts`. */
import type { ItemSignal } from "../signal.ts";
import { FieldPair } from "./field-pair.ts";
import type { MessageRange } from "./fields.ts";
import { TIME_TAGS } from "./item-facts.ts";

/** Half-open, in nanoseconds since 1970. */
export interface EventWindow {
  readonly startUnixNano: bigint;
  readonly endUnixNano: bigint;
}

const HALF_BYTES = 4;

/** Reads times in unsigned halves, since a bigint for each would cost more than all the rest: `bench/filter.ts`. */
export class EventTimeReader {
  readonly #fields: FieldPair;
  /** The time that was read last. */
  high = 0;
  low = 0;

  constructor(signal: ItemSignal) {
    this.#fields = new FieldPair(...TIME_TAGS[signal]);
  }

  /** Reads the event time of an item of sound protobuf, and says no when it has none. */
  read(item: MessageRange): boolean {
    const fields = this.#fields;
    fields.find(item);
    if (fields.firstAt !== 0 && this.#readAt(item.bytes, fields.firstAt)) return true;
    return fields.secondAt !== 0 && this.#readAt(item.bytes, fields.secondAt);
  }

  #readAt(bytes: Uint8Array, at: number): boolean {
    this.low = readHalf(bytes, at);
    this.high = readHalf(bytes, at + HALF_BYTES);
    return this.high !== 0 || this.low !== 0;
  }
}

function readHalf(bytes: Uint8Array, at: number): number {
  const lower = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  return (lower | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}
