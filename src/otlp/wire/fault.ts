/**
 * Where in a request a byte is, as the path of its JSON field, and what is wrong there. The wire walk says only at
 * which byte it stopped; this slower second look is taken once for a request that is refused (otlp-http 4.3).
 */
import { FirnError } from "../../errors.ts";
import { MAX_MESSAGE_DEPTH } from "../../limits.ts";
import type { ItemSignal } from "../../signal.ts";
import { REQUEST_MESSAGE, type FieldSpec } from "../schema.ts";
import { MESSAGES } from "../schema.generated.ts";
import { isUtf8 } from "./utf8.ts";
import { toWireType } from "./table.ts";
import { READ_FAULT, TAG_STEP, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT, toMaxGroups, WireReader } from "./format.ts";

/** Longest path that is told in full; the middle of a longer one is left out, so that a message keeps its limit. */
const MAX_PATH_CHARS = 400;
/** Characters kept at the end of a path that is too long. */
const PATH_TAIL_CHARS = 100;

/** Fields of the message table have lower numbers. */
const MAX_FIELD_NUMBERS = 32;

/** The place of one field: its path, the message it stands in and a reader that is about to read its tag. */
interface Place {
  readonly path: string;
  readonly field: FieldSpec | undefined;
  readonly reader: WireReader;
  /** Depth of the message that it stands in, the request being 1. */
  readonly depth: number;
}

/** Part of a message: a singular message may come in several, which are read as one. */
interface Piece {
  readonly start: number;
  readonly end: number;
}

/**
 * Describes the fault that the wire walk met.
 *
 * @param position first byte of the field at fault
 * @returns kind `invalid_request`, `field` being the JSON path, or `body` outside of any known field
 */
export function toFaultError(signal: ItemSignal, body: Uint8Array, position: number): FirnError {
  const place = findPlace(signal, body, position);
  const path = shortenPath(place.path) || "body";
  return new FirnError("invalid_request", `Cannot decode ${path}: ${describeFault(place)}`, { field: path });
}

/**
 * Finds the JSON path of the field whose tag starts at a byte, such as `resourceSpans[0].scopeSpans[2].spans[1]`.
 * Everything in front of that byte must be sound.
 */
export function findPath(signal: ItemSignal, body: Uint8Array, position: number): string {
  return shortenPath(findPlace(signal, body, position).path);
}

function findPlace(signal: ItemSignal, body: Uint8Array, position: number): Place {
  let path = "";
  let fields = MESSAGES[REQUEST_MESSAGE[signal]] ?? [];
  let message: readonly Piece[] = [{ start: 0, end: body.length }];
  for (let depth = 1; ; depth += 1) {
    const { index, reader } = findStep(body, message, position);
    const fieldStart = reader.position;
    const tag = peekTag(reader);
    const field = fields.find((candidate) => candidate.number === Math.floor(tag / TAG_STEP));
    if (field !== undefined) path += (path === "" ? "" : ".") + toStepName(field, index);
    if (fieldStart === position || field?.message === undefined) return { path, field, reader, depth };
    // A singular message that comes in several pieces is one: elements are counted through all of them.
    message = field.repeated === true ? [readPiece(reader)] : listPieces(body, message, { tag, fieldStart });
    fields = MESSAGES[field.message] ?? [];
  }
}

/** One message deeper: the field that is, or holds, the byte looked for. */
interface Step {
  /** Fields of its number before it. */
  readonly index: number;
  /** Is about to read its tag. */
  readonly reader: WireReader;
}

function findStep(body: Uint8Array, message: readonly Piece[], position: number): Step {
  const counts: number[] = [];
  let number = 0;
  let count = 0;
  for (const { start, end } of message) {
    const reader = new WireReader(body, start, end);
    while (!reader.isAtEnd()) {
      const fieldStart = reader.position;
      const isArrived = fieldStart === position;
      const tag = isArrived ? peekTag(reader) : reader.readTag();
      if (Math.floor(tag / TAG_STEP) !== number) {
        // Fields of one number mostly follow each other. Of those that no message knows nobody asks the index.
        if (number < MAX_FIELD_NUMBERS) counts[number] = count;
        number = Math.floor(tag / TAG_STEP);
        count = number < MAX_FIELD_NUMBERS ? (counts[number] ?? 0) : 0;
      }
      if (!isArrived) reader.skipValue(tag);
      if (isArrived || position < reader.position) {
        reader.position = fieldStart;
        return { index: count, reader };
      }
      count += 1;
    }
  }
  throw new Error(`Cannot find byte ${position}: it starts no field`);
}

/** Lists the values with a tag up to and with that of one field, behind which nothing is known to be sound. */
function listPieces(
  body: Uint8Array,
  message: readonly Piece[],
  last: { readonly tag: number; readonly fieldStart: number },
): readonly Piece[] {
  const found: Piece[] = [];
  for (const { start, end } of message) {
    const reader = new WireReader(body, start, end);
    while (reader.position <= last.fieldStart && !reader.isAtEnd()) {
      const tag = peekTag(reader);
      if (tag === last.tag) found.push(readPiece(reader));
      else reader.skipValue(reader.readTag());
    }
  }
  return found;
}

/** Takes a field of wire type 2 and says where its value lies. */
function readPiece(reader: WireReader): Piece {
  reader.readTag();
  const end = reader.readValueEnd();
  const piece = { start: reader.position, end };
  reader.position = end;
  return piece;
}

/** Reads a tag without moving; 0 when there is none to read. */
function peekTag(reader: WireReader): number {
  try {
    return new WireReader(reader.bytes, reader.position, reader.end).readTag();
  } catch (error) {
    if (error instanceof FirnError) return 0;
    throw error;
  }
}

function toStepName(field: FieldSpec, index: number): string {
  const isIndexed = field.repeated === true && toWireType(field.kind) === WIRE_LENGTH;
  return isIndexed ? `${field.jsonName}[${index}]` : field.jsonName;
}

/** Reads the field again, step by step, until the step that fails. */
function describeFault({ field, reader, depth }: Place): string {
  try {
    const tag = reader.readTag();
    const wireType = tag % TAG_STEP;
    const own = field === undefined ? wireType : toWireType(field.kind);
    const mayBePacked = field?.repeated === true && wireType === WIRE_LENGTH;
    if (wireType !== own && !mayBePacked) return `found wire type ${wireType}, expected ${own}`;
    if (field === undefined || wireType !== WIRE_LENGTH) reader.skipValue(tag, toMaxGroups(depth));
    else return describeValueFault(field, reader);
  } catch (error) {
    if (error instanceof FirnError) return error.message.slice(READ_FAULT.length);
    throw error;
  }
  throw new Error(`Cannot describe the fault before byte ${reader.position}: the field is sound`);
}

function describeValueFault(field: FieldSpec, reader: WireReader): string {
  const end = reader.readValueEnd();
  const own = toWireType(field.kind);
  if (field.kind === "message") return `messages nest deeper than ${MAX_MESSAGE_DEPTH}`;
  if (field.kind === "string" && !isUtf8(reader.bytes, reader.position, end)) return "the text is not valid UTF-8";
  const values = new WireReader(reader.bytes, reader.position, end);
  if (own === WIRE_VARINT) while (!values.isAtEnd()) values.readUint32();
  const elementBytes = own === WIRE_FIXED64 ? 8 : 4;
  return `found ${end - reader.position} packed bytes, expected a multiple of ${elementBytes}`;
}

function shortenPath(path: string): string {
  if (path.length <= MAX_PATH_CHARS) return path;
  return `${path.slice(0, MAX_PATH_CHARS - PATH_TAIL_CHARS)}…${path.slice(-PATH_TAIL_CHARS)}`;
}
