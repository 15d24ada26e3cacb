/**
 * Engines of `node:zlib` that are used again and again, each by one reader or writer at a time, in synchronous calls
 * whose output lies in memory of the engine. The documented calls make an engine and an array each time; V8 does not
 * know of the one and collects the other late: reading 1.4 GB of members took 500 MiB, with engines 9 MiB and half of
 * the CPU (docs/decisions/0012-dense-members.md).
 *
 * What is used of them is undocumented, but Node has had it since version 8 and workerd with it; `npm` unpacks packages
 * in the same way (`minizlib`). An engine is tried before its first use, and who gets none takes another way.
 */
/* oxlint-disable no-underscore-dangle -- that is how the runtimes name them */
import { releaseBytes } from "../bytes.ts";

/** An engine between two calls. */
export interface SyncEngine {
  /** Its memory for output. */
  readonly memory: Uint8Array;
  /** Says whether a call failed: it is of no further use then. */
  readonly isBroken: boolean;
  /** Input that the last call consumed; bytes. */
  readonly consumedBytes: number;
  /**
   * Runs once, until the input is consumed or its stream has ended.
   * @param flush of `constants`
   * @param outputAt where in its memory the output begins; what lies before is kept
   * @returns a view of its memory, right until the next call; an array of its own if the memory was too small
   * @throws Error of zlib
   */
  run(input: Uint8Array, flush: number, outputAt?: number): Uint8Array;
  /** Begins a new stream. */
  reset(): void;
}

/** Engines of one kind. */
export interface EnginePool {
  /** Takes an engine, which is the caller's until it is given back; `null` when the runtime has none. */
  take(): SyncEngine | null;
  /** Gives an engine back, after the last use of its output; a broken one is dropped. */
  give(engine: SyncEngine): void;
}

/** Describes the engines of a pool. */
export interface EngineKind {
  /** Makes an engine whose pieces of output have so many bytes. */
  readonly open: (chunkSize: number) => unknown;
  readonly outputBytes: number;
  /** Idle engines that are kept. */
  readonly maxIdle: number;
  /** Says whether an engine does what it should. */
  readonly isSound: (engine: SyncEngine) => boolean;
  /** Where given, the engine has the memory of others with as many bytes of output, whose calls end its own output. */
  readonly sharing?: SharedMemory;
}

/** Memory of several engines, of which one at a time has output that is still looked at. */
export interface SharedMemory {
  /** That of the first engine; `null` before. */
  memory: Uint8Array | null;
}

/** What an engine made, its taker's until it is released. */
export interface HeldContent {
  readonly content: Uint8Array;
  /** Gives the engine back; may be called repeatedly. */
  release(): void;
}

/** Holds the output of an engine's last call. */
export function holdOutput(content: Uint8Array, engine: SyncEngine, pool: EnginePool): HeldContent {
  let isHeld = true;
  return {
    content,
    release: () => {
      if (isHeld) pool.give(engine);
      isHeld = false;
    },
  };
}

/** Opens a pool without engines. */
export function openEnginePool(kind: EngineKind): EnginePool {
  const idle: SyncEngine[] = [];
  return {
    take: () => idle.pop() ?? openEngine(kind),
    give: (engine) => {
      if (!engine.isBroken && idle.length < kind.maxIdle) idle.push(engine);
    },
  };
}

function openEngine({ open, outputBytes, isSound, sharing }: EngineKind): SyncEngine | null {
  try {
    const zlib = open(outputBytes);
    if (!isHandled(zlib) || zlib._handle === null) return null;
    if (sharing !== undefined) share(zlib, sharing);
    const engine = toSyncEngine(zlib, zlib._handle);
    return isSound(engine) ? engine : null;
  } catch {
    return null;
  }
}

function share(zlib: HandledEngine, sharing: SharedMemory): void {
  const own = zlib._outBuffer;
  sharing.memory ??= own;
  if (sharing.memory === own || sharing.memory.length !== own.length) return;
  zlib._outBuffer = sharing.memory;
  releaseBytes(own);
}

/** What engines have besides what is documented. */
interface HandledEngine {
  /** The native part; `null` after it was closed. */
  _handle: NativeHandle | null;
  /** Its memory for output, and where in it that begins. */
  _outBuffer: Uint8Array;
  _outOffset: number;
  /** Runs in one synchronous call, then closes the native part and lets go of it. */
  _processChunk(input: Uint8Array, flush: number): Uint8Array;
  bytesWritten: number;
  reset(): void;
  removeAllListeners(event: string): void;
}

interface NativeHandle {
  close(): void;
}

function toSyncEngine(zlib: HandledEngine, handle: NativeHandle): SyncEngine {
  handle.close = () => undefined;
  let isBroken = false;

  function run(input: Uint8Array, flush: number, outputAt: number = 0): Uint8Array {
    zlib._handle = handle;
    zlib._outOffset = outputAt;
    isBroken = true;
    const { buffer, byteOffset, length } = zlib._processChunk(input, flush);
    isBroken = false;
    // Each call adds one.
    zlib.removeAllListeners("error");
    return new Uint8Array(buffer, byteOffset, length);
  }

  function reset(): void {
    zlib._handle = handle;
    zlib.reset();
  }

  const { buffer, byteOffset, length } = zlib._outBuffer;
  return {
    memory: new Uint8Array(buffer, byteOffset, length),
    get isBroken() {
      return isBroken;
    },
    get consumedBytes() {
      return zlib.bytesWritten;
    },
    run,
    reset,
  };
}

function isHandled(value: unknown): value is HandledEngine {
  if (typeof value !== "object" || value === null) return false;
  if (!("_handle" in value && "_processChunk" in value && "_outBuffer" in value && "_outOffset" in value)) return false;
  return typeof value._processChunk === "function" && value._outBuffer instanceof Uint8Array;
}
