/**
 * Where a replay is put together, page behind page, so that what turned out to be half a page can be cut off again:
 * the file that was asked for, or, before a pipe, memory and then a file without a name.
 */
import { mkdtemp, open, rm, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";

/** Bytes that grow at the end; positions count from the beginning of the replay. */
export interface Spool {
  readonly length: number;
  append(bytes: Uint8Array): Promise<void>;
  /** Cuts off what is behind a position. */
  truncate(length: number): Promise<void>;
  /** The bytes from a position to the end; not before what was released. */
  readFrom(position: number): Promise<Uint8Array>;
  /** What is there now stays: it is made durable, or printed and forgotten. */
  release(): Promise<void>;
  close(): Promise<void>;
}

/** Room for writes that are gathered, and before a pipe for what may still be cut off; more goes to disk. */
const GATHER_BYTES = 1024 * 1024;
const PIPE_MEMORY_BYTES = 8 * 1024 * 1024;
const COPY_BYTES = 1024 * 1024;

/** Opens the file of `--output`, at the end of what is kept of it. */
export async function openFileSpool(path: string, length: number): Promise<Spool> {
  const file = await open(path, length === 0 ? "w+" : "r+");
  await file.truncate(length);
  const tail = openTail(GATHER_BYTES, length);
  return {
    get length() {
      return tail.length;
    },
    append: async (bytes) => await tail.append(bytes, async () => file),
    truncate: async (kept) => {
      await tail.flush(file);
      await file.truncate(kept);
      tail.cut(kept);
    },
    readFrom: async (position) => {
      await tail.flush(file);
      return await readRange(file, position, tail.length);
    },
    release: async () => {
      await tail.flush(file);
      await file.datasync();
    },
    close: async () => await file.close(),
  };
}

/** Opens what stands before a pipe. @param memoryBytes - more than this is kept on disk until it is released */
export function openPipeSpool(pipe: Writable, memoryBytes: number = PIPE_MEMORY_BYTES): Spool {
  const tail = openTail(memoryBytes, 0);
  let file: FileHandle | null = null;
  /** What was printed; the file begins there. */
  let printed = 0;
  const openFile = async (): Promise<FileHandle> => (file ??= await openNameless());
  const readPlace = async (position: number, end: number): Promise<Uint8Array> => {
    const inFile = Math.max(0, Math.min(end, tail.start) - position);
    const stored =
      inFile === 0 || file === null ? [] : [await readRange(file, position - printed, position - printed + inFile)];
    return Buffer.concat([...stored, tail.read(Math.max(position, tail.start), end)]);
  };
  return {
    get length() {
      return tail.length;
    },
    append: async (bytes) => await tail.append(bytes, openFile, printed),
    truncate: async (kept) => {
      await file?.truncate(Math.min(kept, tail.start) - printed);
      tail.cut(kept);
    },
    readFrom: async (position) => await readPlace(position, tail.length),
    release: async () => {
      for (let at = printed; at < tail.length; at += COPY_BYTES) {
        await print(pipe, await readPlace(at, Math.min(at + COPY_BYTES, tail.length)));
      }
      await file?.truncate(0);
      printed = tail.length;
      tail.restart(printed);
    },
    close: async () => await file?.close(),
  };
}

/** The last bytes, in memory; what does not fit is written to a file. */
interface Tail {
  /** Position of the first byte in memory. */
  readonly start: number;
  readonly length: number;
  append(bytes: Uint8Array, openFile: () => Promise<FileHandle>, fileStart?: number): Promise<void>;
  flush(file: FileHandle, fileStart?: number): Promise<void>;
  read(position: number, end: number): Uint8Array;
  cut(length: number): void;
  restart(position: number): void;
}

function openTail(capacity: number, position: number): Tail {
  const memory = Buffer.allocUnsafe(capacity);
  let start = position;
  let used = 0;
  const flush = async (file: FileHandle, fileStart = 0): Promise<void> => {
    await writeAll(file, memory.subarray(0, used), start - fileStart);
    start += used;
    used = 0;
  };
  return {
    get start() {
      return start;
    },
    get length() {
      return start + used;
    },
    append: async (bytes, openFile, fileStart = 0) => {
      for (let taken = 0; taken < bytes.length;) {
        if (used === capacity) await flush(await openFile(), fileStart);
        const piece = bytes.subarray(taken, taken + capacity - used);
        memory.set(piece, used);
        used += piece.length;
        taken += piece.length;
      }
    },
    flush,
    read: (from, end) => memory.subarray(from - start, Math.max(from, end) - start),
    cut: (length) => {
      used = Math.max(0, length - start);
      start = Math.min(start, length);
    },
    restart: (from) => {
      start = from;
      used = 0;
    },
  };
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const rest = bytes.subarray(written);
    const { bytesWritten } = await file.write(rest, 0, rest.length, position + written);
    written += bytesWritten;
  }
}

async function readRange(file: FileHandle, start: number, end: number): Promise<Uint8Array> {
  const bytes = Buffer.alloc(Math.max(0, end - start));
  for (let read = 0; read < bytes.length;) {
    const { bytesRead } = await file.read(bytes, read, bytes.length - read, start + read);
    if (bytesRead === 0) throw new Error("Cannot read back what was written: the file is shorter than it was");
    read += bytesRead;
  }
  return bytes;
}

/** A file that is gone when the process is, however it ends. */
async function openNameless(): Promise<FileHandle> {
  const directory = await mkdtemp(join(tmpdir(), "firn-replay-"));
  try {
    return await open(join(directory, "page"), "wx+", 0o600);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Writes to a pipe as fast as it takes it; afterwards the bytes are not needed any more. */
export async function print(pipe: Writable, bytes: Uint8Array | string): Promise<void> {
  await new Promise<void>((settle, refuse) => {
    pipe.write(bytes, (error) => (error === null || error === undefined ? settle() : refuse(error)));
  });
}
