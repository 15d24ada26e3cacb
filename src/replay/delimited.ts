/**
 * Messages that follow each other, each with its length before it: the format of the Collector's file exporter, 4 bytes
 * big-endian (collector-s3 5.2).
 */
import { REPLAY_RUN_BYTES } from "../limits.ts";

/** What stands before a message. */
export const LENGTH_BYTES = 4;

/** Encodes what stands before a message of so many bytes. */
export function encodeLength(length: number): Uint8Array {
  const bytes = new Uint8Array(LENGTH_BYTES);
  new DataView(bytes.buffer).setUint32(0, length);
  return bytes;
}

/** Gathers fields of one protobuf message into messages of a useful size, whatever pieces they came in. */
export interface MessageGatherer {
  /** Takes a field and yields the messages that it completes; views, valid until the next call. */
  add(field: Uint8Array): Iterable<Uint8Array>;
  /** Yields what is left. */
  end(): Iterable<Uint8Array>;
}

/** Opens a gatherer. A field above `REPLAY_RUN_BYTES` is a message by itself. */
export function openMessageGatherer(): MessageGatherer {
  const gathered = new Uint8Array(REPLAY_RUN_BYTES);
  let length = 0;

  function* end(): Generator<Uint8Array, void, void> {
    if (length === 0) return;
    yield encodeLength(length);
    yield gathered.subarray(0, length);
    length = 0;
  }

  function* add(field: Uint8Array): Generator<Uint8Array, void, void> {
    if (length + field.length > gathered.length) yield* end();
    if (field.length > gathered.length) {
      yield encodeLength(field.length);
      yield field;
      return;
    }
    gathered.set(field, length);
    length += field.length;
  }

  return { add, end };
}
