/**
 * Protobuf requests → OTLP JSON in the style of pdata: hex ids, 64-bit integers as strings, enums as numbers,
 * lowerCamelCase, zeros without presence omitted, unknown fields dropped. Differences: `docs/replay.md`, formats.
 *
 * Takes any bytes that `validate.ts` accepts, and checks again what it relies on, since archives are read from outside
 * too. One document a request; lines of bounded length are `lines.ts`'s.
 */
import type { Signal } from "../../signal.ts";
import { bytes, MIB, type Bytes } from "../../units.ts";
import { ByteWriter } from "../byte-writer.ts";
import { MessageEncoder, MessageFrame } from "./message-encoder.ts";
import { REQUEST_PLAN } from "./message-plan.ts";

/** JSON of one document or line: more does not fit an isolate of 128 MB beside its protobuf. */
export const MAX_JSON_BYTES: Bytes = bytes(96 * MIB);
/** Depth of the request among nested messages. */
export const REQUEST_DEPTH = 1;
/** OTLP JSON is about 2.2 times the same protobuf. */
const EXPECTED_RATIO = 2.5;
const EXPECTED_EXTRA_BYTES = 256;

/**
 * Encodes a protobuf request as one OTLP JSON document.
 *
 * @throws FirnError `corrupt_object` if the bytes are no request of the signal, `too_large` if the JSON exceeds 96 MiB
 */
export function encodeJsonRequest(signal: Signal, body: Uint8Array): Uint8Array {
  const output = new ByteWriter(body.length * EXPECTED_RATIO + EXPECTED_EXTRA_BYTES, MAX_JSON_BYTES);
  const encoder = new MessageEncoder(output);
  encoder.open(body);
  const frame = new MessageFrame(REQUEST_DEPTH);
  frame.setRange(0, body.length);
  encoder.writeMessage(REQUEST_PLAN[signal], frame);
  return output.toBytes();
}
