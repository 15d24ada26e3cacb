/** One JSON document → one line: what may stand between its tokens goes, everything else stays as it is. */
import { byteOrderMarkBytes } from "../otlp/json/text.ts";

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Makes a document fit a line. One that holds no line break but around it is taken as it is; raw line breaks inside
 * strings are no JSON.
 * @param document - checked JSON, with or without a byte order mark
 * @returns without a line feed at its end; may be a view of the document
 */
export function toJsonLine(document: Uint8Array): Uint8Array {
  let start = byteOrderMarkBytes(document);
  let end = document.length;
  while (start < end && isWhiteSpace(document[start])) start += 1;
  while (start < end && isWhiteSpace(document[end - 1])) end -= 1;
  const trimmed = document.subarray(start, end);
  return trimmed.includes(LINE_FEED) || trimmed.includes(CARRIAGE_RETURN) ? minify(trimmed) : trimmed;
}

function minify(document: Uint8Array): Uint8Array {
  const line = new Uint8Array(document.length);
  let length = 0;
  let isInString = false;
  for (let index = 0; index < document.length; index += 1) {
    const byte = document[index] ?? 0;
    if (!isInString && isWhiteSpace(byte)) continue;
    line[length++] = byte;
    if (byte === QUOTE) isInString = !isInString;
    else if (byte === BACKSLASH) line[length++] = document[++index] ?? 0;
  }
  return line.subarray(0, length);
}

function isWhiteSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB;
}
