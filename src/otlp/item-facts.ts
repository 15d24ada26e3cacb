/**
 * What manifests and member tables say of items besides their digest: from when to when they happened, and whose they
 * are; on the same way the trace ids that an index names. Read in place, a few fields of an item and nothing built;
 * `fields.ts` reads any other.
 *
 * | items       | event time                                              |
 * |-------------|---------------------------------------------------------|
 * | spans       | `start_time_unix_nano`                                  |
 * | log records | `time_unix_nano`, or `observed_time_unix_nano` if unset |
 * | data points | `time_unix_nano`                                        |
 *
 * A time of 0 is unset. Of a field that is sent twice the last occurrence counts. Hot path, hence a class:
 * `bench/item-digest.ts`.
 */
import { MANIFEST_MAX_SERVICES } from "../limits.ts";
import type { ItemSignal } from "../signal.ts";
import { findField, hasValue, listFields, readString, toRange, type MessageRange } from "./fields.ts";
import type { ContextPart } from "./item-context.ts";
import type { Item } from "./items.ts";
import { TRACE_ID_BYTES, type TraceIdSink } from "./trace-ids.ts";
import { TAG_STEP, WIRE_FIXED32, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT, WireReader } from "./wire/format.ts";

/** From the earliest event time of items to the latest; both `null` when no item has one. */
export interface EventTimes {
  readonly minTimeUnixNano: bigint | null;
  readonly maxTimeUnixNano: bigint | null;
}

/** Event times as they are gathered. */
export interface EventTimeRange {
  /** Takes the event time of an item of sound protobuf, if it has one. */
  add(item: MessageRange): void;
  /** Takes other times. */
  merge(times: EventTimes): void;
  toTimes(): EventTimes;
}

/** Service names as they are gathered. */
export interface ServiceNames {
  /** Takes the name in an item's resource, if it has one. */
  add(item: Item): void;
  /** Lists the names, each once, ascending by UTF-16 code units; `null` when there are more than 200. */
  toList(): readonly string[] | null;
}

/** Tags of the trace id; data points have none. */
const TRACE_ID_TAGS: Readonly<Record<ItemSignal, number>> = {
  traces: TAG_STEP + WIRE_LENGTH,
  logs: 9 * TAG_STEP + WIRE_LENGTH,
  metrics: 0,
};
/** Tags of the event time, and of what stands for it when it is unset; no tag is 0. */
export const TIME_TAGS: Readonly<Record<ItemSignal, readonly [time: number, substitute: number]>> = {
  traces: [7 * TAG_STEP + WIRE_FIXED64, 0],
  logs: [TAG_STEP + WIRE_FIXED64, 11 * TAG_STEP + WIRE_FIXED64],
  metrics: [3 * TAG_STEP + WIRE_FIXED64, 0],
};
/** `resource` of a container, `attributes` of a resource, `key` of an attribute, `string_value` of a value. */
const FIRST_TAG = TAG_STEP + WIRE_LENGTH;
/** `value` of an attribute. */
const VALUE_TAG = 2 * TAG_STEP + WIRE_LENGTH;
const SERVICE_NAME: Uint8Array = new TextEncoder().encode("service.name");
const WIRE_TYPE_BITS = 7;
const FIXED64_BYTES = 8;
const FIXED32_BYTES = 4;
/** A byte of a varint from here on is not the last one. */
const CONTINUED = 0x80;
const MAX_UNSIGNED_32 = 2 ** 32 - 1;

/**
 * Opens a range without times, for items of one signal.
 * @param traceIds takes the trace ids of the items on the way
 */
export function openEventTimes(signal: ItemSignal, traceIds: TraceIdSink | null = null): EventTimeRange {
  return new TimeRange(signal, traceIds);
}

/** Reads the event time of one item; 0 when it has none. */
export function readEventTime(signal: ItemSignal, item: MessageRange): bigint {
  const range = openEventTimes(signal);
  range.add(item);
  return range.toTimes().minTimeUnixNano ?? 0n;
}

/**
 * Reads `service.name` of a resource.
 * @param resourceForm canonical form of the container, `item.context.resource.bytes`
 * @returns `null` when there is none, or one that is no text
 */
export function readServiceName(resourceForm: Uint8Array): string | null {
  const resource = findField(toRange(resourceForm), FIRST_TAG);
  if (resource === undefined) return null;
  for (const attribute of listFields(resource, FIRST_TAG)) {
    if (!hasValue(attribute, FIRST_TAG, SERVICE_NAME)) continue;
    return readTextValue(attribute);
  }
  return null;
}

/** Reads the value of an attribute; `null` when it has none, or one that is no text. */
export function readTextValue(attribute: MessageRange): string | null {
  const value = findField(attribute, VALUE_TAG);
  return value === undefined || !isText(value) ? null : readString(value, FIRST_TAG);
}

/** Opens a list without names. */
export function openServiceNames(): ServiceNames {
  const names = new Set<string>();
  let last: ContextPart | null = null;

  function add({ context: { resource } }: Item): void {
    if (resource === last || names.size > MANIFEST_MAX_SERVICES) return;
    last = resource;
    const name = readServiceName(resource.bytes);
    if (name !== null) names.add(name);
  }

  function toList(): readonly string[] | null {
    return names.size > MANIFEST_MAX_SERVICES ? null : [...names].toSorted(compareUnits);
  }

  return { add, toList };
}

class TimeRange implements EventTimeRange {
  readonly #timeTag: number;
  readonly #substituteTag: number;
  readonly #traceIdTag: number;
  readonly #traceIds: TraceIdSink | null;
  /** The earliest and the latest time in halves, since a bigint for each item would cost more than all the rest. */
  #minHigh = MAX_UNSIGNED_32;
  #minLow = MAX_UNSIGNED_32;
  #maxHigh = 0;
  #maxLow = 0;
  /** Where the last item has its time and its substitute; 0 when it has none. */
  #timeAt = 0;
  #substituteAt = 0;
  /** Where it has its trace id; 0 when that is none. */
  #traceIdAt = 0;

  constructor(signal: ItemSignal, traceIds: TraceIdSink | null) {
    [this.#timeTag, this.#substituteTag] = TIME_TAGS[signal];
    this.#traceIds = traceIds;
    // No tag is 0.
    this.#traceIdTag = traceIds === null ? 0 : TRACE_ID_TAGS[signal];
  }

  add({ bytes, start, end }: MessageRange): void {
    this.#timeAt = 0;
    this.#substituteAt = 0;
    this.#traceIdAt = 0;
    this.#findFields(bytes, start, end);
    if (this.#traceIdAt !== 0) this.#traceIds?.add(bytes, this.#traceIdAt);
    if (this.#timeAt !== 0 && this.#addAt(bytes, this.#timeAt)) return;
    if (this.#substituteAt !== 0) this.#addAt(bytes, this.#substituteAt);
  }

  merge({ minTimeUnixNano, maxTimeUnixNano }: EventTimes): void {
    for (const time of [minTimeUnixNano, maxTimeUnixNano]) {
      if (time !== null) this.#addHalves(Number(time >> 32n), Number(time & 0xffff_ffffn));
    }
  }

  toTimes(): EventTimes {
    if (this.#maxHigh === 0 && this.#maxLow === 0) return { minTimeUnixNano: null, maxTimeUnixNano: null };
    return {
      minTimeUnixNano: joinHalves(this.#minHigh, this.#minLow),
      maxTimeUnixNano: joinHalves(this.#maxHigh, this.#maxLow),
    };
  }

  /**
   * Goes over the fields of an item; the short forms that nearly all of them have come first. Half of the cost is
   * guesses of the processor about the next wire type; to look field lengths up in a table instead costs more.
   */
  #findFields(bytes: Uint8Array, start: number, end: number): void {
    const timeTag = this.#timeTag;
    const substituteTag = this.#substituteTag;
    const traceIdTag = this.#traceIdTag;
    let at = start;
    while (at < end) {
      const tag = bytes[at] ?? 0;
      const next = bytes[at + 1] ?? 0;
      const wireType = tag & WIRE_TYPE_BITS;
      if (wireType === WIRE_LENGTH && tag < CONTINUED && next < CONTINUED) {
        if (tag === traceIdTag) this.#traceIdAt = next === TRACE_ID_BYTES ? at + 2 : 0;
        at += 2 + next;
      } else if (wireType === WIRE_FIXED64 && tag < CONTINUED) {
        if (tag === timeTag) this.#timeAt = at + 1;
        else if (tag === substituteTag) this.#substituteAt = at + 1;
        at += 1 + FIXED64_BYTES;
      } else at = this.#skipOther(bytes, at, end);
    }
  }

  /** Moves behind a field of another form: a number, a length of two bytes, `flags` of a span, and all that is rare. */
  #skipOther(bytes: Uint8Array, at: number, end: number): number {
    const tag = bytes[at] ?? 0;
    const next = bytes[at + 1] ?? 0;
    const third = bytes[at + 2] ?? 0;
    const wireType = tag & WIRE_TYPE_BITS;
    if (tag >= CONTINUED) {
      if (next < CONTINUED && wireType === WIRE_FIXED32) return at + 2 + FIXED32_BYTES;
    } else if (wireType === WIRE_VARINT) {
      if (next < CONTINUED) return at + 2;
    } else if (wireType === WIRE_LENGTH && third < CONTINUED && tag !== this.#traceIdTag) {
      return at + 3 + (next - CONTINUED) + (third << 7);
    }
    return this.#skipRareField(bytes, at, end);
  }

  /** Moves behind a field of any form; a tag may be longer than it needs to be. */
  #skipRareField(bytes: Uint8Array, at: number, end: number): number {
    const reader = new WireReader(bytes, at, end);
    const tag = reader.readField();
    if (tag === this.#timeTag) this.#timeAt = reader.valueStart;
    if (tag === this.#substituteTag) this.#substituteAt = reader.valueStart;
    if (tag === this.#traceIdTag) {
      this.#traceIdAt = reader.position - reader.valueStart === TRACE_ID_BYTES ? reader.valueStart : 0;
    }
    return reader.position;
  }

  /** Takes the time at an offset, and says no when it is unset. */
  #addAt(bytes: Uint8Array, offset: number): boolean {
    const low = readFixed32(bytes, offset);
    const high = readFixed32(bytes, offset + FIXED32_BYTES);
    if (high === 0 && low === 0) return false;
    this.#addHalves(high, low);
    return true;
  }

  #addHalves(high: number, low: number): void {
    if (high < this.#minHigh || (high === this.#minHigh && low < this.#minLow)) {
      this.#minHigh = high;
      this.#minLow = low;
    }
    if (high > this.#maxHigh || (high === this.#maxHigh && low > this.#maxLow)) {
      this.#maxHigh = high;
      this.#maxLow = low;
    }
  }
}

function readFixed32(bytes: Uint8Array, at: number): number {
  const lower = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  return (lower | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}

function joinHalves(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Says whether a value, of whose members the last one that is set counts, is a text. */
function isText({ bytes, start, end }: MessageRange): boolean {
  const reader = new WireReader(bytes, start, end);
  let last = 0;
  while (!reader.isAtEnd()) last = reader.readField();
  return last === FIRST_TAG;
}

function compareUnits(left: string, right: string): number {
  return left < right ? -1 : 1;
}
