/**
 * Writes a request anew without some of its fields: everything else is copied unchanged, but for the lengths of the
 * messages around a change. One pass from front to back, one copy, no list of changes, however many there are.
 *
 * Hot path, hence a class: `bench/otlp-cut.ts`.
 */
import { ByteWriter } from "./byte-writer.ts";
import { MAX_VARINT_BYTES, WireReader } from "./wire/format.ts";

/** A message that is being written: the length in front of it is not known yet. */
interface OpenMessage {
  /** The byte after it, in the body. */
  readonly end: number;
  /** Where its value starts in the output, behind its length as it was. */
  readonly outputStart: number;
  readonly lengthBytes: number;
}

/** Writes one request; every position is one of the body that it comes from, and none is before the last. */
export class RequestRewriter {
  readonly #body: Uint8Array;
  readonly #output: ByteWriter;
  /** The bytes of the body before this one are in the output, or were left out. */
  #from = 0;
  /** The messages around `#from` that have changed, the outermost first. */
  readonly #open: OpenMessage[] = [];

  /** @param body sound protobuf; what is written instead must not be longer, or room has to be made on the way */
  constructor(body: Uint8Array) {
    this.#body = body;
    this.#output = new ByteWriter(body.length + MAX_VARINT_BYTES, Number.POSITIVE_INFINITY);
  }

  /**
   * Opens the messages around the next change, unless they are open.
   *
   * @param starts first bytes of the request and of the messages in it, from the outermost on
   * @param level index of the innermost of them
   */
  open(starts: Int32Array, level: number): void {
    for (let index = this.#open.length + 1; index <= level; index += 1) {
      const reader = new WireReader(this.#body, starts[index] ?? 0);
      reader.readTag();
      const lengthStart = reader.position;
      const end = reader.readValueEnd();
      this.#copyUntil(reader.position);
      this.#open.push({ end, outputStart: this.#output.length, lengthBytes: reader.position - lengthStart });
    }
  }

  /** Closes the open messages that end at or before a position. */
  closeUntil(position: number): void {
    for (let last = this.#open.at(-1); last !== undefined && last.end <= position; last = this.#open.at(-1)) {
      this.#copyUntil(last.end);
      this.#output.closeLength(last.outputStart, last.lengthBytes);
      this.#open.pop();
    }
  }

  /** Leaves out the bytes from `start` to before `end`. */
  drop(start: number, end: number): void {
    this.#copyUntil(start);
    this.#from = end;
  }

  /** Adds a number, up to 2^32 - 1, in front of a position. */
  insertVarint(position: number, tag: number, value: number): void {
    this.#copyUntil(position);
    this.#output.varint(tag);
    this.#output.varint(value);
  }

  /**
   * Ends the request.
   * @returns an array in a buffer at most about twice as large: whoever holds or sends the array has all of the buffer
   */
  end(): Uint8Array {
    const output = this.#output;
    this.closeUntil(this.#body.length);
    this.#copyUntil(this.#body.length);
    return output.length < this.#body.length / 2 ? output.toBytes() : output.bytes.subarray(0, output.length);
  }

  #copyUntil(position: number): void {
    if (position <= this.#from) return;
    this.#output.copy(this.#body, this.#from, position);
    this.#from = position;
  }
}
