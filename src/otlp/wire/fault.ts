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
import { READ_FAULT, TAG_STEP, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT, WireReader } from "./format.ts";

/** Longest path that is told in full; the middle of a longer one is left out, so that a message keeps its limit. */
const MAX_PATH_CHARS = 400;
/** Characters kept at the end of a path that is too long. */
const PATH_TAIL_CHARS = 100;

/** The place of one field: its path, the message it stands in and a reader that is about to read its tag. */
interface Place {
  readonly path: string;
  readonly field: FieldSpec | undefined;
  readonly reader: WireReader;
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
  let pieces: readonly Piece[] = [{ start: 0, end: body.length }];
  for (;;) {
    const step = findStep(body, { fields, pieces, position });
    const name = step.field === undefined ? "" : toStepName(step.field, step.found.length - 1);
    path += path === "" || name === "" ? name : `.${name}`;
    if (step.isArrived || step.field?.message === undefined) return { path, field: step.field, reader: step.reader };
    fields = MESSAGES[step.field.message] ?? [];
    pieces = step.field.repeated === true ? step.found.slice(-1) : step.found;
  }
}

/** One message deeper: the field that is, or holds, the byte looked for, and its pieces so far, itself the last. */
interface Step {
  readonly field: FieldSpec | undefined;
  readonly found: readonly Piece[];
  readonly isArrived: boolean;
  readonly reader: WireReader;
}

function findStep(
  body: Uint8Array,
  message: { readonly fields: readonly FieldSpec[]; readonly pieces: readonly Piece[]; readonly position: number },
): Step {
  const found = new Map<FieldSpec, Piece[]>();
  for (const piece of message.pieces) {
    const reader = new WireReader(body, piece.start, piece.end);
    while (!reader.isAtEnd()) {
      const isArrived = reader.position === message.position;
      const tag = isArrived ? peekTag(reader) : reader.readTag();
      const field = message.fields.find((candidate) => candidate.number === Math.floor(tag / TAG_STEP));
      const pieces = (field && found.get(field)) ?? [];
      if (field !== undefined) found.set(field, pieces);
      if (isArrived) return { field, found: [...pieces, piece], isArrived, reader };
      if (tag % TAG_STEP === WIRE_LENGTH) {
        const end = reader.readValueEnd();
        pieces.push({ start: reader.position, end });
        if (message.position < end) return { field, found: pieces, isArrived, reader };
        reader.position = end;
      } else {
        pieces.push(piece);
        reader.skipValue(tag);
      }
    }
  }
  throw new Error(`Cannot find byte ${message.position}: it starts no field`);
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
  return field.repeated === true && toWireType(field.kind) === WIRE_LENGTH
    ? `${field.jsonName}[${index}]`
    : field.jsonName;
}

/** Reads the field again, step by step, until the step that fails. */
function describeFault({ field, reader }: Place): string {
  try {
    const tag = reader.readTag();
    const wireType = tag % TAG_STEP;
    const own = field === undefined ? wireType : toWireType(field.kind);
    const mayBePacked = field?.repeated === true && wireType === WIRE_LENGTH;
    if (wireType !== own && !mayBePacked) return `found wire type ${wireType}, expected ${own}`;
    if (field === undefined || wireType !== WIRE_LENGTH) reader.skipValue(tag);
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
