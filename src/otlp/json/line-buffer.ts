/**
 * Fills lines of OTLP JSON up to a length: {@link LineBuffer} knows which of the nested lists are open in the line, and
 * where a line that became too long is broken so that the rest starts the next one.
 *
 * It breaks at the outermost list that has an element before the one that is too much: containers stay whole if they
 * fit a line, instrumentation scopes if they do. What encloses the break is closed and written again in the next line.
 * What the elements are, `lines.ts` knows.
 */
import type { ByteWriter } from "../byte-writer.ts";

const COMMA = 0x2c;

/** Heads and tails up to this are repeated for every element, if they must be: that is the caller's small limit. */
const LIGHT_FRAME_BYTES = 16_384;

/** What every line begins and ends with: the list of the request lies between. */
export interface LineFrame {
  readonly prefix: Uint8Array;
  readonly suffix: Uint8Array;
}

/** A list that is open: what its element begins and ends with. */
interface Level {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

/** One line in the making. Level 0 is the list of the request; an open level encloses the elements of the next. */
export class LineBuffer {
  readonly #output: ByteWriter;
  readonly #frame: LineFrame;
  readonly #maxBytes: number;
  readonly #memoryBytes: number;
  readonly #levels: Level[] = [];
  /** How many of the levels have their head in this line. */
  #written = 0;
  /** By level: elements begun in this line under what encloses them, and where the last of them begins. */
  readonly #counts: number[] = [0];
  readonly #starts: number[] = [0];
  #lines: Uint8Array<ArrayBuffer>[] = [];
  /** Memory of a line that was taken: whoever asks for the next one is done with it. */
  #spare: Uint8Array<ArrayBuffer> | null = null;

  /** @param maxBytes limit of a line with its frame */
  constructor(output: ByteWriter, frame: LineFrame, maxBytes: number) {
    this.#output = output;
    this.#memoryBytes = output.capacity;
    this.#frame = frame;
    this.#maxBytes = maxBytes;
    this.#startLine();
  }

  /** Says whether there are complete lines to take. */
  get hasLines(): boolean {
    return this.#lines.length > 0;
  }

  /** Takes the complete lines, which are valid until something is written again. */
  takeLines(): readonly Uint8Array[] {
    const lines = this.#lines;
    this.#lines = [];
    const memory = lines[0]?.buffer;
    if (memory !== undefined) this.#spare = memory.byteLength > 2 * this.#memoryBytes ? null : new Uint8Array(memory);
    return lines;
  }

  /** Opens an element whose parts follow as elements of the next level; nothing is written before the first does. */
  open(head: Uint8Array, tail: Uint8Array): void {
    this.#levels.push({ head, tail });
  }

  /** Closes the element that was opened last. */
  close(): void {
    const level = this.#levels.pop();
    if (level === undefined || this.#written <= this.#levels.length) return;
    this.#output.append(level.tail);
    this.#written -= 1;
  }

  /** Makes the line ready for an undivided element, which the caller then appends to the output. */
  beginElement(): void {
    while (this.#written < this.#levels.length) this.#writeHead();
    this.#countElement(this.#written);
  }

  /** Ends the element; breaks the line if it has become too long. */
  endElement(): void {
    const innermost = this.#levels.length;
    for (let level = 0; level <= innermost; level++) {
      if (this.#lineBytes() <= this.#limitAt(level)) continue;
      if ((this.#counts[level] ?? 0) > 1) this.#breakAt(level);
      else if (level === innermost) this.#finishLine();
    }
  }

  /** Completes the line in the making, if it holds anything. */
  end(): void {
    if ((this.#counts[0] ?? 0) > 0) this.#finishLine();
  }

  /** Length of the line if it ended here. */
  #lineBytes(): number {
    let length = this.#output.length + this.#frame.suffix.length;
    for (let level = 0; level < this.#written; level++) length += this.#levels[level]?.tail.length ?? 0;
    return length;
  }

  /**
   * The length above which a line is broken at a level. Where heads and tails alone exceed the limit no break can help,
   * and each would repeat them: if they are large, a line may hold as much again, lest the output explode.
   */
  #limitAt(level: number): number {
    let frameBytes = this.#frame.prefix.length + this.#frame.suffix.length;
    for (let outer = 0; outer < level; outer++) {
      frameBytes += (this.#levels[outer]?.head.length ?? 0) + (this.#levels[outer]?.tail.length ?? 0);
    }
    return frameBytes > Math.max(this.#maxBytes, LIGHT_FRAME_BYTES) ? frameBytes + this.#maxBytes : this.#maxBytes;
  }

  /** Ends the line before the last element of a level and starts the next line with that element. */
  #breakAt(level: number): void {
    const output = this.#output;
    const start = this.#starts[level] ?? 0;
    const rest = output.bytes.slice(start, output.length);
    const innerWritten = this.#written;
    output.length = start - 1;
    this.#written = level;
    this.#finishLine();
    while (this.#written < level) this.#writeHead();
    this.#counts[level] = 1;
    const moved = output.length - start;
    for (let inner = level; inner <= innerWritten; inner++) this.#starts[inner] = (this.#starts[inner] ?? 0) + moved;
    this.#written = innerWritten;
    output.append(rest);
  }

  /** Closes what is open in the line, completes it and starts an empty one. */
  #finishLine(): void {
    const output = this.#output;
    for (let level = this.#written - 1; level >= 0; level--) {
      const tail = this.#levels[level]?.tail;
      if (tail !== undefined) output.append(tail);
    }
    output.append(this.#frame.suffix);
    this.#lines.push(output.exchange(this.#spare ?? new Uint8Array(this.#memoryBytes)));
    this.#spare = null;
    this.#startLine();
  }

  #startLine(): void {
    this.#output.length = 0;
    this.#output.append(this.#frame.prefix);
    this.#written = 0;
    this.#counts[0] = 0;
  }

  /** Begins the next open level in the line. */
  #writeHead(): void {
    const level = this.#written;
    this.#countElement(level);
    const head = this.#levels[level]?.head;
    if (head !== undefined) this.#output.append(head);
    this.#written = level + 1;
    this.#counts[this.#written] = 0;
  }

  #countElement(level: number): void {
    const count = this.#counts[level] ?? 0;
    if (count > 0) this.#output.byte(COMMA);
    this.#counts[level] = count + 1;
    this.#starts[level] = this.#output.length;
  }
}
