/** The bytes that are to be sent: a file or stdin, gzip or zstd taken off; what they are is seen or said. */
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import * as zlib from "node:zlib";
import { inflateStream } from "../../src/compression/inflate-stream.ts";
import { joinBytes } from "../../src/bytes.ts";
import { FirnError, toErrorMessage } from "../../src/errors.ts";
import { FORMATS, type ReplayFormat } from "../../src/replay/format.ts";
import { usageError } from "../options.ts";

/** Of one read. */
const PIECE_BYTES = 1024 * 1024;
const ENDINGS: Readonly<Record<string, ReplayFormat>> = {
  jsonl: "jsonl",
  ndjson: "jsonl",
  json: "json",
  "delimited.binpb": "proto-delimited",
  binpb: "proto",
  pb: "proto",
};
/** Of a frame, and of one to be skipped, whose first byte is any from 0x50 to 0x5f. */
const ZSTD_MAGIC: Uint8Array = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
const ZSTD_SKIPPABLE_MAGIC: Uint8Array = Uint8Array.of(0x2a, 0x4d, 0x18);
const GZIP_MAGIC: Uint8Array = Uint8Array.of(0x1f, 0x8b);

/** Says in which format a file is: as it is said, or as its name ends. @throws FirnError `invalid_request` */
export function toFormat(file: string, said: string | undefined): ReplayFormat {
  const known = FORMATS.find((format) => format === said);
  if (known !== undefined) return known;
  if (file === "-") return "jsonl";
  const ending = /\.((?:delimited\.)?[a-z]+)(?:\.(?:gz|zst))?$/.exec(file)?.[1] ?? "";
  const format = Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : undefined;
  if (format !== undefined) return format;
  throw usageError(`Cannot tell the format of ${file} from its name: expected --format ${FORMATS.join(" or ")}`);
}

/** Bytes that are read as they are asked for. */
export interface Input {
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Nobody reads on. */
  close(): void;
}

/** Opens a file, or stdin. @throws FirnError `invalid_request` when it cannot be read */
export async function openInput(file: string, stdin: Readable): Promise<Input> {
  const source = file === "-" ? stdin : await openFile(file);
  const close = (): void => void source.destroy();
  try {
    return { pieces: withFileName(file, await inflate(source)), close };
  } catch (error) {
    close();
    throw error;
  }
}

async function openFile(file: string): Promise<Readable> {
  try {
    const handle = await open(file);
    if (!(await handle.stat()).isDirectory()) return handle.createReadStream({ highWaterMark: PIECE_BYTES });
    await handle.close();
  } catch (error) {
    throw usageError(`Cannot read ${file}: ${toErrorMessage(error)}`);
  }
  throw usageError(`Cannot read ${file}: it is a folder, expected a file`);
}

/** What is wrong with the bytes is wrong with the file. */
async function* withFileName(file: string, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* pieces;
  } catch (error) {
    if (!(error instanceof FirnError) || error.kind !== "corrupt_object") throw error;
    throw usageError(`Cannot send ${file === "-" ? "stdin" : file}: ${error.message}`);
  }
}

/** Takes gzip and zstd off, whatever the name says. */
async function inflate(source: Readable): Promise<AsyncIterable<Uint8Array>> {
  const pieces = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, void>;
  let head: Uint8Array = new Uint8Array(0);
  // A pipe may give less than a magic number at once.
  while (head.length < ZSTD_MAGIC.length) {
    const next = await pieces.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : joinBytes([head, next.value]);
  }
  const rest = {
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
      yield head;
      for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
    },
  };
  if (beginsWith(head, GZIP_MAGIC)) return inflateStream(rest, "gzip");
  const isZstd = beginsWith(head, ZSTD_MAGIC) || beginsWith(head.subarray(1), ZSTD_SKIPPABLE_MAGIC);
  if (!isZstd) return rest;
  if (hasZstd()) return inflateStream(rest, "zstd");
  const found = `this is Node ${process.versions.node}, expected 22.15 or later, or 23.8 or later`;
  throw usageError(`Cannot read zstd: ${found}; or send what zstd -dc gives`);
}

/** Node has it from 22.15.0 and 23.8.0 on; the package says that it runs on 22.12. */
function hasZstd(): boolean {
  return "createZstdDecompress" in zlib && typeof zlib.createZstdDecompress === "function";
}

function beginsWith(bytes: Uint8Array, magic: Uint8Array): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}
