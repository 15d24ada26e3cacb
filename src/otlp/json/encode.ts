/**
 * Protobuf requests → OTLP JSON, byte for byte as the Collector writes it (`docs/decisions/0007`, which also lists the
 * few differences): unknown fields are dropped, zeros without presence left out.
 *
 * Takes any bytes that `validate.ts` accepts, and checks again what it relies on, since archives are read from outside
 * too. One document a request; lines of bounded length are `lines.ts`'s.
 */
import { JSON_DOCUMENT_MAX_BYTES } from "../../limits.ts";
import type { Signal } from "../../signal.ts";
import { ByteWriter } from "../byte-writer.ts";
import { AttributeCache } from "./attribute-cache.ts";
import { MessageEncoder } from "./message-encoder.ts";
import { MessageFrame } from "./message-frame.ts";
import { REQUEST_PLAN } from "./message-plan.ts";

/** Depth of the request among nested messages. */
export const REQUEST_DEPTH = 1;
/** OTLP JSON is about 2.2 times the same protobuf. */
const EXPECTED_RATIO = 2.5;
const EXPECTED_EXTRA_BYTES = 256;
/** To remember the attributes of shorter requests takes longer than it saves. */
const ATTRIBUTE_CACHE_MIN_BYTES = 65_536;

/**
 * Encodes a protobuf request as one OTLP JSON document.
 *
 * @throws FirnError `corrupt_object` if the bytes are no request of the signal, `too_large` if the JSON is longer than
 *   `JSON_DOCUMENT_MAX_BYTES`
 */
export function encodeJsonRequest(signal: Signal, body: Uint8Array): Uint8Array {
  const encoder = openEncoder(body);
  const frame = new MessageFrame(REQUEST_DEPTH);
  frame.setRange(0, body.length);
  encoder.writeMessage(REQUEST_PLAN[signal], frame);
  return encoder.output.finish();
}

/** Opens an encoder for one protobuf request, which is its source. */
export function openEncoder(body: Uint8Array): MessageEncoder {
  const output = new ByteWriter(body.length * EXPECTED_RATIO + EXPECTED_EXTRA_BYTES, JSON_DOCUMENT_MAX_BYTES);
  const encoder = new MessageEncoder(output, body.length < ATTRIBUTE_CACHE_MIN_BYTES ? null : new AttributeCache());
  encoder.open(body);
  return encoder;
}
