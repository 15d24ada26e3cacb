/** The bytes that are to be sent: a file or stdin, gzip taken off; what they are is seen from their name or said. */
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { toErrorMessage } from "../../src/errors.ts";
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
const ZSTD_MAGIC: Uint8Array = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
const GZIP_MAGIC: Uint8Array = Uint8Array.of(0x1f, 0x8b);

/** Says in which format a file is: as it is said, or as its name ends. @throws FirnError `invalid_request` */
export function toFormat(file: string, said: string | undefined): ReplayFormat {
  const known = FORMATS.find((format) => format === said);
  if (known !== undefined) return known;
  if (file === "-") return "jsonl";
  const ending = /\.((?:delimited\.)?[a-z]+)(?:\.gz)?$/.exec(file)?.[1] ?? "";
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
    return { pieces: await inflate(source), close };
  } catch (error) {
    close();
    throw error;
  }
}

async function openFile(file: string): Promise<Readable> {
  try {
    return (await open(file)).createReadStream({ highWaterMark: PIECE_BYTES });
  } catch (error) {
    throw usageError(`Cannot read ${file}: ${toErrorMessage(error)}`);
  }
}

/** Takes gzip off, whatever the name says. */
async function inflate(source: Readable): Promise<AsyncIterable<Uint8Array>> {
  const pieces = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, void>;
  const first = await pieces.next();
  const head = first.done === true ? new Uint8Array(0) : first.value;
  const rest = {
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
      yield head;
      for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
    },
  };
  if (beginsWith(head, ZSTD_MAGIC))
    throw usageError("Cannot read zstd: expected plain bytes or gzip, such as zstd -dc gives");
  if (!beginsWith(head, GZIP_MAGIC)) return rest;
  const gunzip = createGunzip();
  Readable.from(rest)
    .on("error", (error) => gunzip.destroy(error))
    .pipe(gunzip);
  return gunzip;
}

function beginsWith(bytes: Uint8Array, magic: Uint8Array): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}
