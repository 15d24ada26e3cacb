/**
 * Removes from protobuf that is being written the fields that a later JSON key of the same name replaces.
 *
 * A key that comes again only leaves a note of where its own bytes begin; what stands before them under its number is
 * cut out once, at the end of the object. So duplicates cost one walk over the object's bytes, however many there are.
 */
import type { ByteWriter } from "../byte-writer.ts";
import { TAG_STEP, WireReader } from "../wire/format.ts";

interface Note {
  readonly depth: number;
  readonly fieldNumber: number;
  /** Fields of this number before this position are void. */
  start: number;
}

/** Which fields of the open messages are void. */
export class DeadFields {
  readonly #output: ByteWriter;
  /** Innermost message last. */
  readonly #notes: Note[] = [];

  constructor(output: ByteWriter) {
    this.#output = output;
  }

  /** Notes that a field of the innermost message comes again, here. */
  bury(depth: number, fieldNumber: number): void {
    const start = this.#output.length;
    for (let index = this.#notes.length - 1; index >= 0; index--) {
      const note = this.#notes[index];
      if (note?.depth !== depth) break;
      if (note.fieldNumber === fieldNumber) {
        note.start = start;
        return;
      }
    }
    this.#notes.push({ depth, fieldNumber, start });
  }

  /** Cuts the void fields of the innermost message, which has some, out of its bytes. */
  remove(depth: number, messageStart: number): void {
    const output = this.#output;
    const starts = new Map<number, number>();
    for (let note = this.#notes.at(-1); note?.depth === depth; note = this.#notes.at(-1)) {
      starts.set(note.fieldNumber, note.start);
      this.#notes.pop();
    }
    const reader = new WireReader(output.bytes, messageStart, output.length);
    let written = messageStart;
    while (!reader.isAtEnd()) {
      const fieldStart = reader.position;
      const tag = reader.readTag();
      reader.skipValue(tag);
      if (fieldStart < (starts.get(Math.floor(tag / TAG_STEP)) ?? 0)) continue;
      if (written < fieldStart) output.bytes.copyWithin(written, fieldStart, reader.position);
      written += reader.position - fieldStart;
    }
    output.length = written;
  }
}
