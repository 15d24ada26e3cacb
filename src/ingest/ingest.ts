/**
 * Ingest: one OTLP request → canonical body → member → shard → answer. The order of the checks is that of otlp-http
 * 2.1; everything that can be refused is refused before anything is stored.
 */
import { compressGzip } from "../compression/gzip-member.ts";
import type { AppendHead, AppendOutcome, MemberForm, ShardBufferContract, ShardIdentity } from "../buffer/contract.ts";
import { FirnError, toErrorMessage } from "../errors.ts";
import { MEMBER_INLINE_MAX_BYTES, RETRY_AFTER_OVERLOAD } from "../limits.ts";
import { log } from "../log.ts";
import { decodeJsonRequest } from "../otlp/json/decode.ts";
import { CONTENT_TYPE, encodeExportResponse, type Encoding } from "../otlp/response.ts";
import { validateRequest, type Validation } from "../otlp/validate.ts";
import type { ItemSignal } from "../signal.ts";
import type { Millis } from "../units.ts";
import { chooseShard, type ComputeIdentity } from "./identity.ts";
import { parseContentCodings, parseMediaType } from "./media-type.ts";
import { decodeBody, readBody } from "./request-body.ts";

/** What ingest is given by the root. */
export interface IngestDeps {
  readonly maxRequestBytes: number;
  /** How long a body may take to arrive. */
  readonly bodyTimeout: Millis;
  readonly shards: number;
  /** Shards know a copy: without it a call that may have stored the request is never repeated here. */
  readonly isDeduped: boolean;
  readonly computeIdentity: ComputeIdentity;
  /** The archive's form; client bytes are kept as a member only when they have it already. */
  readonly form: MemberForm;
  readonly openShard: (identity: ShardIdentity) => Pick<ShardBufferContract, "append" | "appendStream">;
}

/** A request of an authenticated tenant. */
export interface IngestRequest {
  readonly tenant: string;
  readonly signal: ItemSignal;
  readonly request: Request;
}

/**
 * Takes one export request in.
 * @returns the answer, 200, once every item that it acknowledges is durable
 * @throws FirnError for everything else, see `http-errors.ts`
 */
export async function ingest({ tenant, signal, request }: IngestRequest, deps: IngestDeps): Promise<Response> {
  const encoding = parseMediaType(request.headers.get("content-type"));
  if (encoding === null) {
    const expected = `expected ${CONTENT_TYPE.protobuf} or ${CONTENT_TYPE.json}`;
    throw new FirnError("unsupported_media_type", `Cannot decode the media type of the request, ${expected}`);
  }
  const codings = parseContentCodings(request.headers.get("content-encoding"));
  const wire = await readBody(request, { maxBytes: deps.maxRequestBytes, timeout: deps.bodyTimeout });
  const { body, gzipMember } = decodeBody(wire, codings, deps.maxRequestBytes);
  const validation = toCanonical(signal, encoding, body);
  if (validation.itemCount === 0) return toResponse(signal, encoding, validation);

  const hash = await deps.computeIdentity({ tenant, signal, encoding, body });
  const member = toMember(validation, { body, gzipMember });
  const head: AppendHead = {
    identity: { tenant, signal, shard: chooseShard(hash, deps.shards) },
    hash: hash.subarray(0, 16),
    form: deps.form,
    itemCount: validation.itemCount,
    rejectedCount: validation.rejectedCount,
    memberBytes: member.byteLength,
  };
  return toAnswer(await appendMember(deps, head, member), { signal, encoding, validation });
}

/** The canonical form is the validated protobuf request; JSON is transcoded once, here. */
function toCanonical(signal: ItemSignal, encoding: Encoding, body: Uint8Array): Validation {
  return validateRequest(signal, encoding === "protobuf" ? body : decodeJsonRequest(signal, body));
}

/** The client's own gzip bytes are the member when they hold exactly the canonical body: nothing is recompressed. */
function toMember(validation: Validation, received: { body: Uint8Array; gzipMember: Uint8Array | null }): Uint8Array {
  if (received.gzipMember !== null && validation.body === received.body) return received.gzipMember;
  return compressGzip(validation.body);
}

/** One call to the shard; one more where the platform says that it may help and the shard would know a copy. */
async function appendMember(deps: IngestDeps, head: AppendHead, member: Uint8Array): Promise<AppendOutcome> {
  try {
    return await callShard(deps, head, member);
  } catch (error) {
    const mayRepeat = deps.isDeduped && hasFlag(error, "retryable") && !hasFlag(error, "overloaded");
    if (!mayRepeat) throw toUnavailable(deps, head, error);
  }
  try {
    return await callShard(deps, head, member);
  } catch (error) {
    throw toUnavailable(deps, head, error);
  }
}

function callShard(deps: IngestDeps, head: AppendHead, member: Uint8Array): Promise<AppendOutcome> {
  const shard = deps.openShard(head.identity);
  return member.byteLength <= MEMBER_INLINE_MAX_BYTES
    ? shard.append(head, member)
    : shard.appendStream(head, new Blob([member]).stream());
}

/** Whatever a shard failed with, the client still holds the data and may try again: never a 500 (reliability I11). */
function toUnavailable({ isDeduped }: IngestDeps, head: AppendHead, error: unknown): FirnError {
  const { tenant, signal, shard } = head.identity;
  log("warn", "append.failed", { tenant, signal, shard, error: toErrorMessage(error) });
  // What was lost may be the answer alone, so that nobody knows here whether the request is durable.
  const advice = isDeduped
    ? "sending it again is safe"
    : "sending it again may store it twice, because DEDUPE_WINDOW_SECONDS is 0";
  const message = `Cannot confirm the request: it may have been stored, ${advice}`;
  return new FirnError("unavailable", message, { retryAfterSeconds: RETRY_AFTER_OVERLOAD, cause: error });
}

/** Flags that the platform sets on errors of Durable Object calls (platform.md 3.2). */
function hasFlag(error: unknown, flag: "retryable" | "overloaded"): boolean {
  return typeof error === "object" && error !== null && Reflect.get(error, flag) === true;
}

function toAnswer(
  outcome: AppendOutcome,
  { signal, encoding, validation }: { signal: ItemSignal; encoding: Encoding; validation: Validation },
): Response {
  switch (outcome.kind) {
    case "stored":
      return toResponse(signal, encoding, validation);
    case "copy":
      return toResponse(signal, encoding, { ...validation, rejectedCount: outcome.rejectedCount });
    case "unavailable": {
      const { reason, retryAfterSeconds } = outcome;
      const why = reason === "backlog" ? "the backlog of its shard is full" : "its shard has too much under way";
      throw new FirnError("unavailable", `Cannot store the request now: ${why}`, { retryAfterSeconds });
    }
    default:
      throw refuseUnknown(outcome);
  }
}

/** A kind that a newer shard has added: an older worker understands it as `unavailable` (`buffer/contract.ts`). */
function refuseUnknown(_outcome: never): FirnError {
  const message = "Cannot store the request now: its shard is of a newer release than this worker, send it again";
  return new FirnError("unavailable", message, { retryAfterSeconds: RETRY_AFTER_OVERLOAD });
}

function toResponse(
  signal: ItemSignal,
  encoding: Encoding,
  outcome: Pick<Validation, "rejectedCount" | "message">,
): Response {
  const body = encodeExportResponse(signal, encoding, outcome);
  // No stream is made for a body without bytes, which is what a full success in protobuf has.
  return new Response(body.byteLength === 0 ? null : body, { headers: { "content-type": CONTENT_TYPE[encoding] } });
}
