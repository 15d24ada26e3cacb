/**
 * Codes a stream piece by piece as one gzip member or one zstd frame: {@link openStreamCoder}. What goes in comes out
 * at once, so that a reader never waits for what was written already; a stream that breaks off has no trailer, and is
 * no whole one to anybody. Engines are used again (`sync-engine.ts`): memory is theirs, however long the stream is.
 */
import { constants, crc32, createDeflateRaw, createZstdCompress } from "node:zlib";
import { joinBytes } from "../bytes.ts";
import { STREAM_PIECE_BYTES } from "../limits.ts";
import { openEnginePool, type EnginePool, type SyncEngine } from "./sync-engine.ts";

/** A coding of a stream. */
export type StreamCoding = "gzip" | "zstd";

/** A stream in the making. What it gives has memory of its own. */
export interface StreamCoder {
  /** Codes bytes of any length. */
  write(bytes: Uint8Array): Uint8Array;
  /** Ends the stream. Nothing is written afterwards. */
  end(): Uint8Array;
  /** Gives back what it holds, whether the stream has ended or not; may be called repeatedly. */
  close(): void;
}

/** Fast: an answer is coded once for each reading. More would make 1 to 5% less of telemetry in two to seven times. */
const LEVEL = 1;
/** Output that does not fit makes engines of zstd fail; what does not compress takes a few bytes more than it has. */
const OUTPUT_BYTES: number = STREAM_PIECE_BYTES * 2;
/** Answers that are written at the same time, beyond which memory is not kept. */
const MAX_IDLE = 2;
/** Magic, method, no flags, no time, fastest, unknown system. */
const GZIP_HEADER: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255);
const NOTHING: Uint8Array = new Uint8Array(0);
const PROBE_TEXT: Uint8Array = Uint8Array.of(0x66, 0x69, 0x72, 0x6e);

const DEFLATERS: EnginePool = openEnginePool({
  open: (chunkSize) => createDeflateRaw({ level: LEVEL, chunkSize }),
  outputBytes: OUTPUT_BYTES,
  maxIdle: MAX_IDLE,
  isSound: (engine) => isFlushing(engine, constants.Z_SYNC_FLUSH),
});
const ZSTD_ENGINES: EnginePool = openEnginePool({
  open: (chunkSize) =>
    createZstdCompress({
      chunkSize,
      params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
    }),
  outputBytes: OUTPUT_BYTES,
  maxIdle: MAX_IDLE,
  isSound: (engine) => isFlushing(engine, constants.ZSTD_e_flush),
});

/** Opens a stream; `null` where the runtime has no such engine any more. */
export function openStreamCoder(coding: StreamCoding): StreamCoder | null {
  const engine = (coding === "gzip" ? DEFLATERS : ZSTD_ENGINES).take();
  if (engine === null) return null;
  engine.reset();
  return coding === "gzip" ? openGzip(engine) : openZstd(engine);
}

function openGzip(engine: SyncEngine): StreamCoder {
  let header = GZIP_HEADER;
  let crc = 0;
  let length = 0;

  function takeHeader(): Uint8Array {
    const taken = header;
    header = NOTHING;
    return taken;
  }

  return {
    write: (bytes) => {
      crc = crc32(bytes, crc);
      length += bytes.length;
      return joinBytes([takeHeader(), ...runPieces(engine, bytes, constants.Z_SYNC_FLUSH)]);
    },
    end: () => {
      const last = engine.run(NOTHING, constants.Z_FINISH);
      const trailer = new DataView(new ArrayBuffer(8));
      trailer.setUint32(0, crc, true);
      trailer.setUint32(4, length % 2 ** 32, true);
      return joinBytes([takeHeader(), last, new Uint8Array(trailer.buffer)]);
    },
    close: openClose(engine, DEFLATERS),
  };
}

function openZstd(engine: SyncEngine): StreamCoder {
  return {
    write: (bytes) => joinBytes(runPieces(engine, bytes, constants.ZSTD_e_flush)),
    end: () => joinBytes([engine.run(NOTHING, constants.ZSTD_e_end)]),
    close: openClose(engine, ZSTD_ENGINES),
  };
}

function runPieces(engine: SyncEngine, bytes: Uint8Array, flush: number): Uint8Array[] {
  const coded: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += STREAM_PIECE_BYTES) {
    coded.push(engine.run(bytes.subarray(at, at + STREAM_PIECE_BYTES), flush).slice());
  }
  return coded;
}

function openClose(engine: SyncEngine, pool: EnginePool): () => void {
  let isClosed = false;
  return () => {
    if (!isClosed) pool.give(engine);
    isClosed = true;
  };
}

/** It gives what it was given when it is told to, and so again after it was reset in the middle. */
function isFlushing(engine: SyncEngine, flush: number): boolean {
  return [0, 1].every(() => {
    engine.reset();
    return engine.run(PROBE_TEXT, flush).length > PROBE_TEXT.length && engine.consumedBytes === PROBE_TEXT.length;
  });
}
