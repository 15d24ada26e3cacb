/**
 * One pass over the bytes of a request: is it sound protobuf of that message, how many items does it hold, and which
 * items have ids that need a second look? Rules: otlp-http 5.4, 6 and 7. Builds nothing and allocates nothing per item.
 * What a fault is called and which field it is in is `fault.ts`'s to find out; what to do about ids is `cut.ts`'s.
 *
 * Hot path, which breaks the size rules: one loop keeps its state in registers, and the table that drives it
 * stands here, since V8 folds a constant of the same module but loads and checks an imported one on each use (1.3
 * instead of 2.0 GB/s on the smallest items). Benchmark: `bench/otlp-walk.ts`.
 */
import { FirnError } from "../../errors.ts";
import { MAX_MESSAGE_DEPTH } from "../../limits.ts";
import type { ItemSignal } from "../../signal.ts";
import { ID_BYTES } from "../item-ids.ts";
import { REQUEST_MESSAGE, type FieldSpec } from "../schema.ts";
import { MESSAGES } from "../schema.generated.ts";
import { isUtf8 } from "./utf8.ts";
import { toWireType } from "./table.ts";
import {
  MAX_VARINT_BYTES,
  TAG_STEP,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_GROUP_START,
  WIRE_LENGTH,
  WIRE_VARINT,
  toMaxGroups,
  WireReader,
} from "./format.ts";

/** What the walk found. */
export type Walk =
  | { readonly kind: "sound"; readonly itemCount: number }
  | {
      readonly kind: "fault";
      /** First byte of the field at fault. */
      readonly position: number;
    };

/**
 * Is shown each span, log record and exemplar with an id that is perhaps bad, once, in the order of the bytes. By then
 * the bytes up to its end were found sound.
 *
 * @param starts first bytes of the request, of the messages around the suspect and of itself, from the outermost on; to
 * be read before returning
 * @param level index of the suspect in it
 */
export type SuspectVisitor = (starts: Int32Array, level: number) => void;

/*
 * An action says what to do on a tag of a message.
 *
 * | bits     | meaning                                                                                 |
 * |----------|-----------------------------------------------------------------------------------------|
 * | 0 to 3   | what to do: one of the `DO_` numbers                                                    |
 * | 4 to 8   | with `DO_MESSAGE`: the `ENTER_` flags; with `DO_ID`: the `ID_` flags                    |
 * | 9 and up | with `DO_MESSAGE`: base of that message; with `DO_ID`, `DO_PACKED_FIXED`: size in bytes |
 */
const DO_VARINT = 0;
const DO_FIXED64 = 1;
const DO_FIXED32 = 2;
/** From here to `DO_ID`: a length follows. */
const DO_BYTES = 3;
const DO_STRING = 4;
const DO_MESSAGE = 5;
const DO_PACKED_VARINT = 6;
const DO_PACKED_FIXED = 7;
const DO_ID = 8;
/** A group, which no message knows: it is skipped. */
const DO_GROUP = 9;
/** Field number 0, wire type 6 or 7, the end of a group where none is open, or not the wire type of a known field. */
const DO_REFUSE = 10;
const DO_MASK = 0xf;

/** The message is an item. */
const ENTER_ITEM = 0x10;
/** The message is a member of the oneof `Metric.data`: another member before it is void, its items with it. */
const ENTER_DATA = 0x20;
/** The message is a span, which needs both of its ids. */
const ENTER_SPAN = 0x40;
/** The message is a link of a span, which needs both of its ids too. */
const ENTER_LINK = 0x80;
/** The message stands no deeper than spans do: the span before it, if any, has ended. */
const ENTER_AFTER_SPAN = 0x100;

/** The id may be absent or empty. */
const ID_OPTIONAL = 0x10;
/** The id may be all zero. */
const ID_MAY_BE_ZERO = 0x20;
/** The id is one of a link's. */
const ID_OF_LINK = 0x40;
/** The id is a span id, not a trace id. */
const ID_IS_SPAN_ID = 0x80;
/** The id is one of a span's or of a link's, which are looked at when all of the span was seen. */
const ID_OF_SPAN = 0x100;

const VALUE_SHIFT = 9;
/** Actions of one message, by tag. Tags from here on, which are field numbers from 32, are unknown to all messages. */
const TAGS = 256;

const ITEM_MESSAGES: ReadonlySet<string> = new Set([
  "Span",
  "LogRecord",
  "NumberDataPoint",
  "HistogramDataPoint",
  "ExponentialHistogramDataPoint",
  "SummaryDataPoint",
]);
/** Messages at the depth of spans or above. */
const AFTER_SPAN_MESSAGES: ReadonlySet<string> = new Set([
  "ResourceSpans",
  "Resource",
  "ScopeSpans",
  "InstrumentationScope",
  "Span",
]);
const NAMES: readonly string[] = Object.keys(MESSAGES);
const DEPTH_LIMIT: number = MAX_MESSAGE_DEPTH;
const VARINT_LIMIT: number = MAX_VARINT_BYTES;
const WIRE_TYPE_MASK: number = TAG_STEP - 1;
/** Actions of all messages: the base of a message plus a tag is an index. Built at import, once, in under 1 ms. */
const ACTIONS: Int32Array = buildActions();
/** The top bits of four bytes: none of them is set in ASCII. */
const NON_ASCII = 0x80808080 | 0;
const TRACE_ID_SEEN = 1;
const SPAN_ID_SEEN = 2;
/** An id of a span was not good; it is perhaps sent again. */
const BAD_ID_SEEN = 4;
/** The flags above are the span's; those of its current link follow. */
const LINK_SHIFT = 3;
const LINK_IDS_SEEN: number = (TRACE_ID_SEEN | SPAN_ID_SEEN) << LINK_SHIFT;
const ALL_IDS_SEEN: number = TRACE_ID_SEEN | SPAN_ID_SEEN | LINK_IDS_SEEN;
/** Messages around what may have bad ids: spans and log records; exemplars. */
const SUSPECT_LEVEL: Readonly<Record<ItemSignal, number>> = { traces: 3, logs: 3, metrics: 6 };

// The tags of an attribute and its value, for the short cut.
const KEY_VALUE_BASE: number = toBase("KeyValue");
const KEY_TAG = 0x0a;
const VALUE_TAG = 0x12;
const STRING_VALUE_TAG = 0x0a;
const BOOL_VALUE_TAG = 0x10;
const INT_VALUE_TAG = 0x18;
/** Shortest text that {@link findHighBits} reads. */
const WORDS_MIN_BYTES = 8;
/** Longest `KeyValue` whose lengths take one byte each. */
const SHORT_CUT_MAX_BYTES = 258;

/** Fields of one {@link walkSlice}. */
const SLICE_FIELDS = 256;

/** Where a walk stands between two slices. */
interface WalkState {
  /** Messages around the current one and itself. */
  depth: number;
  /** End of the current message, and the base of its actions. */
  end: number;
  base: number;
  position: number;
  /** Position of the field that was met last. */
  start: number;
  itemCount: number;
  /** The `ID_SEEN` flags of the span that was met last, and of its last link. */
  ids: number;
  /** The metric whose `data` was met last, by its end; the tag of that member, and the items before the metric's. */
  dataEnd: number;
  dataTag: number;
  dataItemCount: number;
}

/** What a walk holds besides its state: the bytes, and the messages around the current one. */
interface WalkRoom {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Two numbers each: where it ends and the base of its actions. */
  readonly outer: Int32Array;
  /** First bytes of the messages that were met last at each depth. */
  readonly starts: Int32Array;
}

type WalkOutcome = "sound" | "fault" | "suspect" | "more";

/**
 * Walks a request of any length; bytes of any content end it, in time proportional to their number.
 *
 * @param visitSuspect is called while the walk goes on, so perhaps for a request that turns out to be unsound
 */
export function walkRequest(signal: ItemSignal, body: Uint8Array, visitSuspect: SuspectVisitor = ignore): Walk {
  const room: WalkRoom = {
    // A view of its own: a `Buffer` of Node among the bodies would make every access below polymorphic.
    bytes: new Uint8Array(body.buffer, body.byteOffset, body.byteLength),
    view: new DataView(body.buffer, body.byteOffset, body.byteLength),
    outer: new Int32Array(2 * DEPTH_LIMIT),
    starts: new Int32Array(DEPTH_LIMIT),
  };
  const state: WalkState = {
    depth: 1,
    end: body.length,
    base: toBase(REQUEST_MESSAGE[signal]),
    position: 0,
    start: 0,
    itemCount: 0,
    ids: ALL_IDS_SEEN,
    dataEnd: -1,
    dataTag: 0,
    dataItemCount: 0,
  };
  const level = SUSPECT_LEVEL[signal];
  let suspect: Int32Array | undefined;
  for (;;) {
    const outcome = walkSlice(room, state);
    if (outcome === "more") continue;
    if (outcome === "fault") return { kind: "fault", position: state.start };
    // A suspect waits for the next one, or for the end: only then all of it was walked.
    if (outcome === "suspect" || state.ids !== ALL_IDS_SEEN) {
      if (suspect !== undefined && suspect[level] !== room.starts[level]) visitSuspect(suspect, level);
      suspect ??= new Int32Array(level + 1);
      for (let index = 0; index <= level; index += 1) suspect[index] = room.starts[index] ?? 0;
      state.ids = ALL_IDS_SEEN;
    }
    if (outcome === "suspect") continue;
    if (suspect !== undefined) visitSuspect(suspect, level);
    return { kind: "sound", itemCount: state.itemCount };
  }
}

function ignore(): void {}

/**
 * Walks a few hundred fields. A loop over a whole request is entered so seldom that V8 has to replace its slow code
 * while it runs, and sometimes never does (about one start of workerd in seven, at half the speed); a function that is
 * called often is compiled the ordinary way. Costs up to a tenth of the best speed.
 */
function walkSlice({ bytes, view, outer, starts }: WalkRoom, state: WalkState): WalkOutcome {
  // `| 0` keeps V8 from holding it as a double: a length may exceed 31 bits for all it knows.
  const lastWord = (bytes.length | 0) - 4;
  let { depth, end, base, position, start, itemCount, ids, dataEnd, dataTag, dataItemCount } = state;
  let outcome: WalkOutcome = "fault";
  let left = SLICE_FIELDS;

  walk: for (;;) {
    if (left-- === 0) {
      outcome = "more";
      break;
    }
    while (position === end) {
      if (depth === 1) {
        outcome = "sound";
        break walk;
      }
      depth -= 1;
      end = outer[2 * depth] ?? 0;
      base = outer[2 * depth + 1] ?? 0;
    }

    start = position;
    let tag = bytes[position++] ?? 0;
    let action: number;
    if (tag < 0x80) action = ACTIONS[base + tag] ?? 0;
    else {
      tag &= 0x7f;
      for (let shift = 7; ; shift += 7) {
        if (position === end) break walk;
        const byte = bytes[position++] ?? 0;
        if (shift === 28 && byte > 0x0f) break walk;
        tag |= (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
      action = tag >>> 0 < TAGS ? (ACTIONS[base + tag] ?? 0) : toUnknownAction(tag & WIRE_TYPE_MASK);
    }

    const what = action & DO_MASK;
    if (what >= DO_BYTES && what <= DO_ID) {
      if (position === end) break;
      let size = bytes[position++] ?? 0;
      if (size >= 0x80) {
        size &= 0x7f;
        for (let index = 1; ; index += 1) {
          if (position === end || index === VARINT_LIMIT) break walk;
          const byte = bytes[position++] ?? 0;
          // The fifth byte holds bits 28 to 34: a length has 31, and what is above must be 0.
          if (index < 4) size |= (byte & 0x7f) << (7 * index);
          else if ((byte & 0x7f) > (index === 4 ? 7 : 0)) break walk;
          else if (index === 4) size |= byte << 28;
          if (byte < 0x80) break;
        }
      }
      if (size > end - position) break;
      const next = position + size;

      if (what === DO_STRING) {
        let bits = NON_ASCII;
        if (size >= WORDS_MIN_BYTES) bits = findHighBits(view, position, next);
        else if (size >= 4) bits = view.getInt32(position, true) | view.getInt32(next - 4, true);
        else if (position <= lastWord) bits = view.getInt32(position, true) & ((1 << (8 * size)) - 1);
        if ((bits & NON_ASCII) !== 0 && !isUtf8(bytes, position, next)) break;
        position = next;
      } else if (what === DO_MESSAGE) {
        const inner = action >> VALUE_SHIFT;
        if (inner === KEY_VALUE_BASE && size >= WORDS_MIN_BYTES && size <= SHORT_CUT_MAX_BYTES) {
          // A short cut through key, then value, one of text, bool or small int, all of it ASCII, lengths and tags too.
          const valueTag = position + 2 + (bytes[position + 1] ?? 0);
          if (
            valueTag + 3 < next &&
            bytes[valueTag] === VALUE_TAG &&
            bytes[position] === KEY_TAG &&
            depth + 2 <= DEPTH_LIMIT &&
            (findHighBits(view, position, next) & NON_ASCII) === 0
          ) {
            const valueSize = next - valueTag - 2;
            const kind = bytes[valueTag + 2] ?? 0;
            const isWhole =
              kind === STRING_VALUE_TAG
                ? bytes[valueTag + 3] === valueSize - 2
                : valueSize === 2 && (kind === INT_VALUE_TAG || kind === BOOL_VALUE_TAG);
            if (isWhole && bytes[valueTag + 1] === valueSize) {
              position = next;
              continue;
            }
          }
        }
        if (depth === DEPTH_LIMIT) break;
        if ((action & ENTER_DATA) !== 0) {
          if (dataEnd !== end) dataItemCount = itemCount;
          else if (tag !== dataTag) itemCount = dataItemCount;
          dataEnd = end;
          dataTag = tag;
        } else if ((action & ENTER_AFTER_SPAN) !== 0) {
          if (ids !== ALL_IDS_SEEN) {
            position = start;
            outcome = "suspect";
            break;
          }
          if ((action & ENTER_SPAN) !== 0) ids = LINK_IDS_SEEN;
        } else if ((action & ENTER_LINK) !== 0) {
          if ((ids & LINK_IDS_SEEN) !== LINK_IDS_SEEN) ids |= BAD_ID_SEEN;
          ids &= ~LINK_IDS_SEEN;
        }
        starts[depth] = start;
        if ((action & ENTER_ITEM) !== 0) {
          itemCount += 1;
          // Data points and log records begin with times and numbers, and may hold nothing else.
          while (position + 9 <= next) {
            const innerTag = bytes[position] ?? 0;
            if (innerTag >= 0x80 || ACTIONS[inner + innerTag] !== DO_FIXED64) break;
            position += 9;
          }
          if (position === next) continue;
        }
        outer[2 * depth] = end;
        outer[2 * depth + 1] = base;
        depth += 1;
        end = next;
        base = inner;
      } else {
        if (what === DO_ID) {
          let bits = 0;
          if (size === action >> VALUE_SHIFT) {
            bits = view.getInt32(position, true) | view.getInt32(position + 4, true) | (action & ID_MAY_BE_ZERO);
            if (size === 16) bits |= view.getInt32(position + 8, true) | view.getInt32(position + 12, true);
          }
          if (bits === 0) {
            if ((action & ID_OF_SPAN) !== 0) {
              if (size !== 0 || (action & ID_OPTIONAL) === 0) ids |= BAD_ID_SEEN;
            } else if (size !== 0) {
              position = next;
              outcome = "suspect";
              break;
            }
          } else if ((action & ID_OPTIONAL) === 0) {
            const seen = (action & ID_IS_SPAN_ID) === 0 ? TRACE_ID_SEEN : SPAN_ID_SEEN;
            ids |= (action & ID_OF_LINK) === 0 ? seen : seen << LINK_SHIFT;
          }
        } else if (what === DO_PACKED_FIXED) {
          if (size % (action >> VALUE_SHIFT) !== 0) break;
        } else if (what === DO_PACKED_VARINT) {
          let more = 0;
          for (let at = position; at < next; at += 1) {
            if ((bytes[at] ?? 0) < 0x80) more = 0;
            else if (++more === VARINT_LIMIT) break walk;
          }
          if (more !== 0) break;
        }
        position = next;
      }
    } else if (what === DO_FIXED64) {
      position += 8;
      if (position > end) break;
    } else if (what === DO_VARINT) {
      for (let index = 0; ; index += 1) {
        if (position === end || index === VARINT_LIMIT) break walk;
        if ((bytes[position++] ?? 0) < 0x80) break;
      }
    } else if (what === DO_FIXED32) {
      position += 4;
      if (position > end) break;
    } else if (what === DO_GROUP) {
      position = findGroupEnd(new WireReader(bytes, start, end), depth);
      if (position < 0) break;
    } else break;
  }
  state.depth = depth;
  state.end = end;
  state.base = base;
  state.position = position;
  state.start = start;
  state.itemCount = itemCount;
  state.ids = ids;
  state.dataEnd = dataEnd;
  state.dataTag = dataTag;
  state.dataItemCount = dataItemCount;
  return outcome;
}

/** Gathers the bits of a text of at least {@link WORDS_MIN_BYTES}, in words that overlap where they must. */
function findHighBits(view: DataView, start: number, end: number): number {
  const last = end - 8;
  let bits = view.getInt32(start, true) | view.getInt32(start + 4, true);
  bits |= view.getInt32(last, true) | view.getInt32(last + 4, true);
  if (end - start > 16) {
    bits |= view.getInt32(start + 8, true) | view.getInt32(start + 12, true);
    bits |= view.getInt32(last - 8, true) | view.getInt32(last - 4, true);
    for (let at = start + 16; at < last - 8; at += 16) {
      bits |= view.getInt32(at, true) | view.getInt32(at + 4, true);
      bits |= view.getInt32(at + 8, true) | view.getInt32(at + 12, true);
    }
  }
  return bits;
}

/** Finds the byte after a group, or -1 when it does not end within its message or nests too deep in it. */
function findGroupEnd(reader: WireReader, depth: number): number {
  try {
    reader.skipValue(reader.readTag(), toMaxGroups(depth));
  } catch (error) {
    if (error instanceof FirnError) return -1;
    throw error;
  }
  return reader.position;
}

function buildActions(): Int32Array {
  const actions = new Int32Array(NAMES.length * TAGS);
  for (const name of NAMES) {
    const base = toBase(name);
    for (let tag = 0; tag < TAGS; tag += 1) {
      actions[base + tag] = tag < TAG_STEP ? DO_REFUSE : toUnknownAction(tag & WIRE_TYPE_MASK);
    }
    for (const field of MESSAGES[name] ?? []) {
      if (field.number * TAG_STEP >= TAGS) throw new Error(`Cannot walk ${name}: no room for field ${field.number}`);
      for (let wireType = 0; wireType < TAG_STEP; wireType += 1) {
        actions[base + field.number * TAG_STEP + wireType] = toAction(name, field, wireType);
      }
    }
  }
  return actions;
}

function toBase(message: string): number {
  return NAMES.indexOf(message) * TAGS;
}

function toUnknownAction(wireType: number): number {
  if (wireType === WIRE_VARINT) return DO_VARINT;
  if (wireType === WIRE_FIXED64) return DO_FIXED64;
  if (wireType === WIRE_LENGTH) return DO_BYTES;
  if (wireType === WIRE_GROUP_START) return DO_GROUP;
  if (wireType === WIRE_FIXED32) return DO_FIXED32;
  return DO_REFUSE;
}

function toAction(message: string, field: FieldSpec, wireType: number): number {
  const own = toWireType(field.kind);
  const isPacked = field.repeated === true && wireType === WIRE_LENGTH && own !== WIRE_LENGTH;
  if (isPacked && own === WIRE_VARINT) return DO_PACKED_VARINT;
  if (isPacked) return DO_PACKED_FIXED | ((own === WIRE_FIXED64 ? 8 : 4) << VALUE_SHIFT);
  if (wireType !== own) return DO_REFUSE;
  if (field.message !== undefined) return DO_MESSAGE | toEnterFlags(field) | (toBase(field.message) << VALUE_SHIFT);
  if (field.kind === "string") return DO_STRING;
  const idBytes = field.kind === "bytes" ? ID_BYTES[field.name] : undefined;
  if (idBytes !== undefined) return DO_ID | toIdFlags(message, field) | (idBytes << VALUE_SHIFT);
  return toUnknownAction(own);
}

function toEnterFlags(field: FieldSpec): number {
  const name = field.message ?? "";
  const item = ITEM_MESSAGES.has(name) ? ENTER_ITEM : 0;
  const data = field.oneof === "data" ? ENTER_DATA : 0;
  const afterSpan = AFTER_SPAN_MESSAGES.has(name) ? ENTER_AFTER_SPAN : 0;
  return item | data | afterSpan | (name === "Span" ? ENTER_SPAN : 0) | (name === "Span.Link" ? ENTER_LINK : 0);
}

function toIdFlags(message: string, field: FieldSpec): number {
  const isSpanId = field.name === "span_id" ? ID_IS_SPAN_ID : 0;
  if (message === "Span.Link") return isSpanId | ID_OF_LINK | ID_OF_SPAN;
  if (message !== "Span") return isSpanId | ID_OPTIONAL;
  return ID_OF_SPAN | (field.name === "parent_span_id" ? ID_OPTIONAL | ID_MAY_BE_ZERO : isSpanId);
}
