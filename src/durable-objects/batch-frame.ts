/**
 * What makes one JSON document of the members of a batch: here the frame of OTLP JSON meets the members of the archive.
 * An object in JSON is exactly one document and a line feed (design section 5, collector-s3 W4).
 */
import type { MemberForm, ShardIdentity } from "../buffer/contract.ts";
import type { BatchFrame } from "../buffer/shard.ts";
import { literalMember } from "../compression/member.ts";
import { JSON_SEPARATOR, JSON_TAIL, jsonHead } from "../otlp/json/envelope.ts";
import { isItemSignal } from "../signal.ts";

/**
 * Makes the frame of a shard's batches of one form: `null` for protobuf, whose requests concatenate, and for profiles,
 * whose one member is a whole document with its line feed.
 */
export function toFrame({ signal }: ShardIdentity, { marshaler, compression }: MemberForm): BatchFrame | null {
  if (marshaler === "otlp_proto" || !isItemSignal(signal)) return null;
  return {
    head: literalMember(jsonHead(signal), compression),
    separator: literalMember(JSON_SEPARATOR, compression),
    tail: literalMember(JSON_TAIL, compression),
  };
}
