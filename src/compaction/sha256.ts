/**
 * SHA-256 (FIPS 180-4) whose state is plain data: an output is hashed over several steps, between which the isolate may
 * be another one, and neither `crypto.subtle` nor a digest stream can be kept. Only compressed bytes pass through here.
 * Hot path, hence a function over typed arrays; `bench` measures it with compaction.
 */

/** A digest under way, at a multiple of 64 bytes. */
export interface Sha256State {
  /** Eight words in hex. */
  readonly words: string;
  /** Bytes hashed so far. */
  readonly length: number;
}

const BLOCK_BYTES = 64;
const WORDS = 8;
const LENGTH_BYTES = 8;

/** The state before the first byte. */
export const SHA256_START: Sha256State = {
  words: "6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19",
  length: 0,
};

/**
 * Hashes more bytes.
 * @param bytes a multiple of 64 bytes
 */
export function extendSha256({ words, length }: Sha256State, bytes: Uint8Array): Sha256State {
  if (bytes.length % BLOCK_BYTES !== 0) {
    throw new RangeError(`Cannot extend SHA-256: found ${bytes.length} bytes, expected a multiple of ${BLOCK_BYTES}`);
  }
  const state = decodeWords(words);
  hashBlocks(state, bytes);
  return { words: encodeWords(state), length: length + bytes.length };
}

/** Hashes the last bytes, of any length. @returns 64 hex digits */
export function endSha256(before: Sha256State, bytes: Uint8Array): string {
  const whole = bytes.length - (bytes.length % BLOCK_BYTES);
  const state = extendSha256(before, bytes.subarray(0, whole));
  const rest = bytes.subarray(whole);
  const blocks = rest.length + 1 + LENGTH_BYTES > BLOCK_BYTES ? 2 : 1;
  const last = new Uint8Array(blocks * BLOCK_BYTES);
  last.set(rest);
  last[rest.length] = 0x80;
  const bits = BigInt(before.length + bytes.length) * 8n;
  new DataView(last.buffer).setBigUint64(last.length - LENGTH_BYTES, bits);
  return extendSha256(state, last).words;
}

function decodeWords(words: string): Int32Array {
  const state = new Int32Array(WORDS);
  for (let word = 0; word < WORDS; word += 1) state[word] = Number.parseInt(words.slice(word * 8, word * 8 + 8), 16);
  return state;
}

function encodeWords(state: Int32Array): string {
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const K: Int32Array = Int32Array.from(
  (
    "428a2f98 71374491 b5c0fbcf e9b5dba5 3956c25b 59f111f1 923f82a4 ab1c5ed5 d807aa98 12835b01 243185be 550c7dc3 " +
    "72be5d74 80deb1fe 9bdc06a7 c19bf174 e49b69c1 efbe4786 0fc19dc6 240ca1cc 2de92c6f 4a7484aa 5cb0a9dc 76f988da " +
    "983e5152 a831c66d b00327c8 bf597fc7 c6e00bf3 d5a79147 06ca6351 14292967 27b70a85 2e1b2138 4d2c6dfc 53380d13 " +
    "650a7354 766a0abb 81c2c92e 92722c85 a2bfe8a1 a81a664b c24b8b70 c76c51a3 d192e819 d6990624 f40e3585 106aa070 " +
    "19a4c116 1e376c08 2748774c 34b0bcb5 391c0cb3 4ed8aa4a 5b9cca4f 682e6ff3 748f82ee 78a5636f 84c87814 8cc70208 " +
    "90befffa a4506ceb bef9a3f7 c67178f2"
  ).split(" "),
  (word) => Number.parseInt(word, 16) | 0,
);
const ROUNDS = 64;

/** The compression function over whole blocks, with the names of FIPS 180-4. */
function hashBlocks(state: Int32Array, bytes: Uint8Array): void {
  const schedule = new Int32Array(ROUNDS);
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    fillSchedule(schedule, bytes, at);
    let a = state[0] ?? 0;
    let b = state[1] ?? 0;
    let c = state[2] ?? 0;
    let d = state[3] ?? 0;
    let e = state[4] ?? 0;
    let f = state[5] ?? 0;
    let g = state[6] ?? 0;
    let h = state[7] ?? 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (K[round] ?? 0) + (schedule[round] ?? 0)) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    state[0] = (state[0] ?? 0) + a;
    state[1] = (state[1] ?? 0) + b;
    state[2] = (state[2] ?? 0) + c;
    state[3] = (state[3] ?? 0) + d;
    state[4] = (state[4] ?? 0) + e;
    state[5] = (state[5] ?? 0) + f;
    state[6] = (state[6] ?? 0) + g;
    state[7] = (state[7] ?? 0) + h;
  }
}

function fillSchedule(schedule: Int32Array, bytes: Uint8Array, at: number): void {
  for (let word = 0; word < 16; word += 1) {
    const from = at + word * 4;
    schedule[word] =
      ((bytes[from] ?? 0) << 24) |
      ((bytes[from + 1] ?? 0) << 16) |
      ((bytes[from + 2] ?? 0) << 8) |
      (bytes[from + 3] ?? 0);
  }
  for (let word = 16; word < ROUNDS; word += 1) {
    const early = schedule[word - 15] ?? 0;
    const late = schedule[word - 2] ?? 0;
    const s0 = ((early >>> 7) | (early << 25)) ^ ((early >>> 18) | (early << 14)) ^ (early >>> 3);
    const s1 = ((late >>> 17) | (late << 15)) ^ ((late >>> 19) | (late << 13)) ^ (late >>> 10);
    schedule[word] = ((schedule[word - 16] ?? 0) + s0 + (schedule[word - 7] ?? 0) + s1) | 0;
  }
}
