/**
 * The stored bytes of an hour object, in chunks of whole members that follow each other: what is fetched with one call
 * and held until its members are read. Nothing is held open between two minutes, since several hour objects are read
 * side by side and the platform gives an invocation six connections.
 */
import { releaseBytes } from "../bytes.ts";
import type { ObjectStore } from "../object-store/contract.ts";
import type { Room } from "../piece-reader.ts";
import type { Bytes, Millis } from "../units.ts";
import { openBody, type ObjectBody } from "./object-body.ts";
import type { RunningUsage } from "./usage.ts";

/** Where a member stands in its object. */
export interface MemberPlace {
  readonly offset: number;
  readonly storedBytes: number;
}

/** Members that are fetched together. */
export interface Chunk {
  readonly offset: number;
  readonly length: number;
  /** Index of its first member, in what the chunks were planned for. */
  readonly firstMember: number;
}

/** Plans the chunks of members, offsets ascending: as many that follow each other as fit, but one at least. */
export function planChunks(members: readonly MemberPlace[], maxBytes: Bytes): readonly Chunk[] {
  const chunks: Chunk[] = [];
  members.forEach(({ offset, storedBytes }, index) => {
    const last = chunks.at(-1);
    const follows = last !== undefined && last.offset + last.length === offset;
    if (follows && last.length + storedBytes <= maxBytes) {
      chunks[chunks.length - 1] = { ...last, length: last.length + storedBytes };
    } else {
      chunks.push({ offset, length: storedBytes, firstMember: index });
    }
  });
  return chunks;
}

/** Chunks in their order; two at most are held, the one that was taken last and the next. */
export interface ChunkReader {
  /** Fetches the first chunk, unless the reading has begun. Fails as `take` does, which then fails likewise. */
  prefetch(): Promise<void>;
  /**
   * Takes a chunk, which is the one taken last or a later one, and begins to fetch the next. Its memory is used again
   * when a later one is taken.
   */
  take(index: number): Promise<Uint8Array>;
  /** Lets go of everything; may be called at any time and repeatedly. */
  close(): Promise<void>;
}

/** What is read in chunks. */
export interface ChunkSource {
  readonly store: ObjectStore;
  readonly key: string;
  /** Of the version that was listed; all chunks are of this one. */
  readonly etag: string | null;
  readonly chunks: readonly Chunk[];
  readonly usage: RunningUsage;
  /** How long a body may give nothing; `STORE_CALL_TIMEOUT` if absent. */
  readonly bodyTimeout?: Millis | undefined;
}

/** Opens a reader; nothing is fetched yet. The store calls were counted by whoever planned them. */
export function openChunks({ store, key, etag, chunks, usage, bodyTimeout }: ChunkSource): ChunkReader {
  const held = new Map<number, Promise<Room>>();
  /** Memory of chunks that are not held any more: what is left to be collected, is collected late. */
  const idle: Room[] = [];
  const longest = Math.max(0, ...chunks.map(({ length }) => length));
  const bodies = new Set<ObjectBody>();
  let hasBegun = false;
  let isClosed = false;

  async function fetchChunk({ offset, length }: Chunk): Promise<Room> {
    const range = { offset, length };
    const stream = await store.get(key, etag === null ? { range } : { range, ifMatch: etag });
    const body = openBody(stream, length, bodyTimeout, "passing");
    bodies.add(body);
    const memory = idle.pop() ?? new Uint8Array(longest);
    try {
      // Closed while the store was asked: nobody will read what it answered.
      return isClosed ? new Uint8Array(0) : await body.readWhole(memory);
    } finally {
      await body.close();
      bodies.delete(body);
    }
  }

  function fetch(index: number): Promise<Room> | null {
    const chunk = chunks[index];
    if (chunk === undefined) return null;
    const fetched = held.get(index) ?? fetchChunk(chunk);
    // A failure is for whoever takes the chunk; perhaps nobody does.
    fetched.catch(() => undefined);
    held.set(index, fetched);
    return fetched;
  }

  function letGo(index: number, free: (memory: Room) => void): void {
    const fetched = held.get(index);
    held.delete(index);
    // One that failed has freed itself.
    fetched?.then(({ buffer }) => free(new Uint8Array(buffer))).catch(() => undefined);
  }

  return {
    prefetch: async () => {
      if (!hasBegun && !isClosed) await fetch(0);
    },
    take: async (index) => {
      hasBegun = true;
      for (const earlier of held.keys()) if (earlier < index) letGo(earlier, (memory) => idle.push(memory));
      const fetched = fetch(index);
      if (fetched === null) throw new Error(`Cannot take chunk ${index} of ${chunks.length}`);
      const bytes = await fetched;
      if (index === 0) usage.objectCount++;
      usage.storedBytes += bytes.length;
      if (!isClosed) void fetch(index + 1);
      return bytes;
    },
    close: async () => {
      isClosed = true;
      for (const index of held.keys()) letGo(index, releaseBytes);
      for (const memory of idle.splice(0)) releaseBytes(memory);
      await Promise.all(Array.from(bodies, (body) => body.close()));
    },
  };
}
