/** Mutations that know nothing of what the bytes mean. Each gives new bytes and leaves the source alone. */
import { pick, type Random } from "./random.ts";

/** Changes a body. @param other - another body, for mutations that take from it */
export type Mutation = (body: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const MAX_PIECE_BYTES = 64;
const INTERESTING = [0x00, 0x7f, 0x80, 0xff, 0x0a, 0x22, 0x7b, 0x5b, 0xc0, 0xed, 0xf8] as const;

/** By the name under which a run counts them. */
export const BYTE_MUTATIONS: Readonly<Record<string, Mutation>> = {
  "bytes.flip": (body, random) => {
    const bytes = Uint8Array.from(body);
    for (let count = 1 + random(4); count > 0; count -= 1) {
      const at = random(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    }
    return bytes;
  },
  "bytes.insert": (body, random) => {
    const piece = Uint8Array.from({ length: 1 + random(4) }, () =>
      random(2) === 0 ? pick(random, INTERESTING) : random(256),
    );
    const at = random(body.length + 1);
    return Buffer.concat([body.subarray(0, at), piece, body.subarray(at)]);
  },
  "bytes.overwrite": (body, random) => {
    const bytes = Uint8Array.from(body);
    for (let count = 1 + random(3); count > 0; count -= 1) bytes[random(bytes.length)] = pick(random, INTERESTING);
    return bytes;
  },
  "bytes.delete": (body, random) => {
    const [start, end] = choosePiece(body, random);
    return Buffer.concat([body.subarray(0, start), body.subarray(end)]);
  },
  "bytes.truncate": (body, random) => body.slice(0, random(body.length)),
  "bytes.repeat": (body, random) => {
    const [start, end] = choosePiece(body, random);
    const at = random(body.length + 1);
    return Buffer.concat([body.subarray(0, at), body.subarray(start, end), body.subarray(at)]);
  },
  "bytes.swap": (body, random) => {
    const [start, end] = choosePiece(body, random);
    const rest = Buffer.concat([body.subarray(0, start), body.subarray(end)]);
    const at = random(rest.length + 1);
    return Buffer.concat([rest.subarray(0, at), body.subarray(start, end), rest.subarray(at)]);
  },
  "bytes.splice": (body, random, other) =>
    Buffer.concat([body.subarray(0, random(body.length + 1)), other.subarray(random(other.length + 1))]),
};

function choosePiece(body: Uint8Array, random: Random): readonly [start: number, end: number] {
  const start = random(body.length);
  return [start, Math.min(body.length, start + 1 + random(MAX_PIECE_BYTES))];
}
