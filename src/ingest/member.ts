/**
 * The member of a request: its bytes as they will stand in an object (protocol 2). The client's own bytes are kept
 * where they are that already; otherwise they are written in the archive's form here.
 */
import { joinBytes } from "../bytes.ts";
import type { MemberForm } from "../buffer/contract.ts";
import { compressMember, literalMember, type Compression } from "../compression/member.ts";
import { FirnError } from "../errors.ts";
import {
  JSON_RUN_BYTES,
  JSON_WHOLE_MAX_BYTES,
  MAX_REQUEST_BYTES_CEILING,
  MAX_TOP_LEVEL_FIELD_BYTES,
  STREAM_PIECE_BYTES,
} from "../limits.ts";
import { encodeJsonElements, openJsonElements } from "../otlp/json/elements.ts";
import { JSON_SEPARATOR } from "../otlp/json/envelope.ts";
import { byteOrderMarkBytes } from "../otlp/json/text.ts";
import type { Encoding } from "../otlp/response.ts";
import { openTopLevelSplitter } from "../otlp/top-level.ts";
import type { ItemSignal } from "../signal.ts";
import type { DecodedBody } from "./request-body.ts";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const ENDING: Uint8Array = new Uint8Array([LINE_FEED]);

/** A request of spans, metrics or log records that was found sound. */
export interface ItemRequest {
  readonly signal: ItemSignal;
  readonly received: DecodedBody;
  /** The validated protobuf; the same reference as the body received when nothing was changed. */
  readonly canonical: Uint8Array;
}

/** A member, and the form in which its batch is written. */
export interface FormedMember {
  readonly form: MemberForm;
  readonly member: Uint8Array;
}

/**
 * Makes the member of a request that consists of items: protobuf, or the JSON of its containers with commas between
 * them, to which the shard gives head and tail. A request whose JSON no reader would take is kept as protobuf: JSON may
 * be twenty times as long, and what was accepted must be read back.
 */
export function makeItemMember(request: ItemRequest, form: MemberForm): FormedMember {
  const { received, canonical } = request;
  const { compression } = form;
  const json = form.marshaler === "otlp_json" ? makeJsonMember(request, compression) : null;
  if (json !== null) return { form, member: json };
  const isKept = canonical === received.body && received.cleanCoding === compression;
  const member = isKept ? received.wire : compressMember(canonical, compression);
  return { form: { marshaler: "otlp_proto", compression }, member };
}

/** @returns `null` for JSON that is too long for a reader or a shard */
function makeJsonMember({ signal, canonical }: ItemRequest, compression: Compression): Uint8Array | null {
  if (canonical.byteLength <= JSON_WHOLE_MAX_BYTES) {
    return compressMember(encodeJsonElements(signal, canonical), compression);
  }
  try {
    return joinRuns(toJsonRuns(signal, canonical), compression);
  } catch (error) {
    if (error instanceof FirnError && error.kind === "too_large") return null;
    throw error;
  }
}

/** Compresses each run before the next is made. */
function joinRuns(runs: Iterable<Uint8Array>, compression: Compression): Uint8Array | null {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const run of runs) {
    // A run of more than one element is much shorter.
    if (run.byteLength > MAX_TOP_LEVEL_FIELD_BYTES) return null;
    // A copy in any case: a run is a view that the next is written over, and compression may be none.
    const part = compressMember(joinBytes(length === 0 ? [run] : [JSON_SEPARATOR, run]), compression);
    length += part.byteLength;
    if (length > MAX_REQUEST_BYTES_CEILING) return null;
    parts.push(part);
  }
  return joinBytes(parts);
}

function* toJsonRuns(signal: ItemSignal, canonical: Uint8Array): Generator<Uint8Array, void, void> {
  const splitter = openTopLevelSplitter();
  const elements = openJsonElements(signal, JSON_RUN_BYTES);
  // In pieces, since the splitter names every field of a piece at once, and there may be one every two bytes.
  for (let start = 0; start < canonical.byteLength; start += STREAM_PIECE_BYTES) {
    for (const { container } of splitter.push(canonical.subarray(start, start + STREAM_PIECE_BYTES))) {
      if (container !== null) yield* elements.add(container);
    }
  }
  splitter.end();
  yield* elements.end();
}

/**
 * Makes the member of a profiles request, which is an object of its own in the encoding in which it came. A JSON object
 * is one document on one line that ends in a line feed (collector-s3 D4): what stands between the tokens may change.
 */
export function makeProfilesMember(encoding: Encoding, received: DecodedBody, compression: Compression): Uint8Array {
  const isClean = received.cleanCoding === compression;
  if (encoding === "protobuf") return isClean ? received.wire : compressMember(received.body, compression);
  const line = toLine(received.body);
  const isEnded = line.at(-1) === LINE_FEED;
  if (!isClean || line !== received.body) {
    return compressMember(isEnded ? line : joinBytes([line, ENDING]), compression);
  }
  return isEnded ? received.wire : joinBytes([received.wire, literalMember(ENDING, compression)]);
}

/**
 * Drops the byte order mark, and puts spaces where lines break: inside strings JSON allows neither of the two bytes.
 * @returns the body itself, the same reference, when it is one line already
 */
function toLine(body: Uint8Array): Uint8Array {
  const start = byteOrderMarkBytes(body);
  const firstBreak = body.indexOf(LINE_FEED);
  const isLine = (firstBreak < 0 || firstBreak === body.byteLength - 1) && !body.includes(CARRIAGE_RETURN);
  if (start === 0 && isLine) return body;
  return body.subarray(start).map((byte) => (byte === LINE_FEED || byte === CARRIAGE_RETURN ? SPACE : byte));
}
