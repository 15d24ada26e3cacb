/**
 * Removes from protobuf that is being written the fields that a later JSON key of the same name replaces.
 *
 * Each key writes one run of bytes, so a second one only has to know where the first one's run lies. Runs are cut out
 * once, at the end of their object: duplicates cost a move of the object's bytes, however many there are.
 */
import { MAX_MESSAGE_DEPTH } from "../../limits.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { MAX_FIELDS } from "./message-plan.ts";

interface Run {
  readonly depth: number;
  readonly start: number;
  readonly end: number;
}

/** Where the fields of the open messages lie, and which of them are void. */
export class DeadFields {
  readonly #output: ByteWriter;
  /** Depth and slot → start and end of the run, valid only for slots seen in the current message of that depth. */
  readonly #runs: Int32Array = new Int32Array((MAX_MESSAGE_DEPTH + 1) * (MAX_FIELDS + 1) * 2);
  readonly #dead: Run[] = [];

  constructor(output: ByteWriter) {
    this.#output = output;
  }

  /** Number of void runs, in all open messages. */
  get count(): number {
    return this.#dead.length;
  }

  /** Remembers that the field's run goes from `start` to the end of what is written. */
  place(depth: number, slot: number, start: number): void {
    const place = (depth * (MAX_FIELDS + 1) + slot) * 2;
    this.#runs[place] = start;
    this.#runs[place + 1] = this.#output.length;
  }

  /** Declares the field's run void: the same key comes again. */
  bury(depth: number, slot: number): void {
    const place = (depth * (MAX_FIELDS + 1) + slot) * 2;
    const start = this.#runs[place] ?? 0;
    const end = this.#runs[place + 1] ?? 0;
    if (end > start) this.#dead.push({ depth, start, end });
  }

  /** Cuts the void runs of the message of this depth, the innermost open one, out of its bytes. */
  remove(depth: number, messageStart: number): void {
    const { bytes, length } = this.#output;
    const runs: Run[] = [];
    for (let run = this.#dead.at(-1); run?.depth === depth; run = this.#dead.at(-1)) {
      runs.push(run);
      this.#dead.pop();
    }
    if (runs.length === 0) return;
    runs.sort((a, b) => a.start - b.start);
    let written = messageStart;
    let read = messageStart;
    for (const { start, end } of runs) {
      bytes.copyWithin(written, read, start);
      written += start - read;
      read = end;
    }
    bytes.copyWithin(written, read, length);
    this.#output.length = written + length - read;
  }
}
