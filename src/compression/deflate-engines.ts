/** Engines for raw deflate, both ways, that are used again (`sync-engine.ts`). */
import { constants, createDeflateRaw, createInflateRaw } from "node:zlib";
import { KIB, MIB } from "../units.ts";
import { openEnginePool, type EnginePool, type SyncEngine } from "./sync-engine.ts";

/** How long pieces are that an engine inflates: few for who passes them on, short for who has much else in memory. */
export type PieceSize = "long" | "short";

/** Memory of these engines: a piece of 3 or 2 MiB, and what an input may still make behind it. */
export const PIECE_INFLATER_BYTES: Readonly<Record<PieceSize, number>> = { long: 3.25 * MIB, short: 2.25 * MIB };
/** Memory of one that inflates members of hour objects whole. */
const MEMBER_INFLATER_BYTES: number = 4 * MIB + 64 * KIB;
/** Memory of a deflating one: bytes that do not compress take 5 more for each 16 KiB. */
const DEFLATER_BYTES: number = 4 * MIB + 64 * KIB;
/** Objects that are read at the same time, beyond which memory is not kept. */
const MAX_IDLE_INFLATERS = 2;
/** "firn" as a stream of one stored block, and a byte behind it. */
const PROBE: Uint8Array = Uint8Array.of(1, 4, 0, 0xfb, 0xff, 0x66, 0x69, 0x72, 0x6e, 0);
const PROBE_TEXT: Uint8Array = PROBE.subarray(5, 9);

/** Engines that inflate, by `Z_SYNC_FLUSH`: with input that ends too early they wait for more. */
export const PIECE_INFLATERS: Readonly<Record<PieceSize, EnginePool>> = {
  long: openInflaters(PIECE_INFLATER_BYTES.long, MAX_IDLE_INFLATERS),
  short: openInflaters(PIECE_INFLATER_BYTES.short, MAX_IDLE_INFLATERS),
};

/** The same for whole members, each of which is used up before the next. */
export const MEMBER_INFLATERS: EnginePool = openInflaters(MEMBER_INFLATER_BYTES, 1);

/** Engines that deflate by level, by `Z_FINISH`: a deployment has one level. */
const deflaters = new Map<number, EnginePool>();

/** The engines of a level, 1 to 9. */
export function deflatersOf(level: number): EnginePool {
  const pool = deflaters.get(level) ?? openDeflaters(level);
  deflaters.set(level, pool);
  return pool;
}

function openInflaters(outputBytes: number, maxIdle: number): EnginePool {
  return openEnginePool({
    open: (chunkSize) => createInflateRaw({ chunkSize }),
    outputBytes,
    maxIdle,
    isSound: (engine) => isProbeRead(engine) && isProbeRead(engine),
  });
}

function openDeflaters(level: number): EnginePool {
  return openEnginePool({
    open: (chunkSize) => createDeflateRaw({ level, chunkSize }),
    outputBytes: DEFLATER_BYTES,
    maxIdle: 1,
    isSound: (engine) => isProbeWritten(engine) && isProbeWritten(engine),
  });
}

function isProbeRead(engine: SyncEngine): boolean {
  engine.reset();
  const output = engine.run(PROBE, constants.Z_SYNC_FLUSH);
  return engine.consumedBytes === PROBE.length - 1 && isSame(output, PROBE_TEXT);
}

function isProbeWritten(engine: SyncEngine): boolean {
  engine.reset();
  const output = engine.run(PROBE_TEXT, constants.Z_FINISH);
  return output.length > PROBE_TEXT.length && engine.consumedBytes === PROBE_TEXT.length;
}

function isSame(found: Uint8Array, expected: Uint8Array): boolean {
  return found.length === expected.length && found.every((byte, index) => byte === expected[index]);
}
