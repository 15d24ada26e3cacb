/**
 * Ingest: one OTLP request → canonical body → member → shard → answer. The order of the checks is that of otlp-http
 * 2.1; everything that can be refused is refused before anything is stored.
 */
import type { AppendHead, AppendOutcome, MemberForm } from "../buffer/contract.ts";
import { FirnError } from "../errors.ts";
import { RETRY_AFTER_OVERLOAD } from "../limits.ts";
import { decodeJsonRequest } from "../otlp/json/decode.ts";
import { checkProfilesRequest } from "../otlp/profiles.ts";
import { CONTENT_TYPE, encodeExportResponse, type Encoding, type ExportOutcome } from "../otlp/response.ts";
import { validateRequest } from "../otlp/validate.ts";
import { isItemSignal, type ItemSignal, type Signal } from "../signal.ts";
import type { Millis } from "../units.ts";
import { chooseShard, type ComputeIdentity } from "./identity.ts";
import { parseContentCodings, parseMediaType } from "./media-type.ts";
import { makeItemMember, makeProfilesMember, type FormedMember } from "./member.ts";
import { isProbe, isProbeRequest } from "./probe.ts";
import { decodeBody, readBody, type DecodedBody } from "./request-body.ts";
import { appendMember, type ShardCallDeps } from "./shard-call.ts";

/** What ingest is given by the root. */
export interface IngestDeps extends ShardCallDeps {
  readonly maxRequestBytes: number;
  /** How long a body may take to arrive. */
  readonly bodyTimeout: Millis;
  readonly shards: number;
  readonly computeIdentity: ComputeIdentity;
  /** The archive's form; client bytes are kept as a member only when they have it already. */
  readonly form: MemberForm;
}

/** A request of an authenticated tenant. */
export interface IngestRequest {
  readonly tenant: string;
  readonly signal: Signal;
  readonly request: Request;
}

/** A sound request. */
interface Accepted extends ExportOutcome {
  /** Items kept; 0: there is nothing to store. */
  readonly itemCount: number;
  readonly makeMember: () => FormedMember;
}

const NOTHING_TO_SAY: ExportOutcome = { rejectedCount: 0, message: "" };

/**
 * Takes one export request in.
 * @returns the answer, 200, once every item that it acknowledges is durable
 * @throws FirnError for everything else, see `http-errors.ts`
 */
export async function ingest({ tenant, signal, request }: IngestRequest, deps: IngestDeps): Promise<Response> {
  const encoding = parseMediaType(request.headers.get("content-type"));
  if (encoding === null) {
    if (await isProbeRequest(request, deps.bodyTimeout)) return toResponse(signal, "json", NOTHING_TO_SAY);
    const expected = `expected ${CONTENT_TYPE.protobuf} or ${CONTENT_TYPE.json}`;
    throw new FirnError("unsupported_media_type", `Cannot decode the media type of the request, ${expected}`);
  }
  const codings = parseContentCodings(request.headers.get("content-encoding"));
  const wire = await readBody(request, { maxBytes: deps.maxRequestBytes, timeout: deps.bodyTimeout });
  const received = decodeBody(wire, codings, deps.maxRequestBytes);
  if (isProbe(received.body)) return toResponse(signal, encoding, NOTHING_TO_SAY);
  const accepted = isItemSignal(signal)
    ? acceptItems({ signal, encoding, received }, deps.form)
    : acceptProfiles({ encoding, received }, deps.form);
  if (accepted.itemCount === 0) return toResponse(signal, encoding, accepted);

  const hash = await deps.computeIdentity({ tenant, signal, encoding, body: received.body });
  const { form, member } = accepted.makeMember();
  const head: AppendHead = {
    identity: { tenant, signal, shard: chooseShard(hash, deps.shards) },
    hash: hash.subarray(0, 16),
    form,
    itemCount: accepted.itemCount,
    rejectedCount: accepted.rejectedCount,
    memberBytes: member.byteLength,
  };
  return toResponse(signal, encoding, toOutcome(await appendMember(deps, head, member), accepted));
}

/** The canonical form is the validated protobuf request; JSON is transcoded once, here. */
function acceptItems(
  { signal, encoding, received }: { signal: ItemSignal; encoding: Encoding; received: DecodedBody },
  form: MemberForm,
): Accepted {
  const { body } = received;
  const validation = validateRequest(signal, encoding === "protobuf" ? body : decodeJsonRequest(signal, body));
  const makeMember = (): FormedMember => makeItemMember({ signal, received, canonical: validation.body }, form);
  return { ...validation, makeMember };
}

/** Each request is one item, kept in the encoding in which it came, whatever the archive's marshaler. */
function acceptProfiles(
  { encoding, received }: { encoding: Encoding; received: DecodedBody },
  { compression }: MemberForm,
): Accepted {
  const { isEmpty } = checkProfilesRequest(encoding, received.body);
  return {
    ...NOTHING_TO_SAY,
    itemCount: isEmpty ? 0 : 1,
    makeMember: () => ({
      form: { marshaler: encoding === "protobuf" ? "otlp_proto" : "otlp_json", compression },
      member: makeProfilesMember(encoding, received, compression),
    }),
  };
}

/** What the client is told; a copy is told what its original was. */
function toOutcome(outcome: AppendOutcome, accepted: ExportOutcome): ExportOutcome {
  switch (outcome.kind) {
    case "stored":
      return accepted;
    case "copy":
      return { rejectedCount: outcome.rejectedCount, message: accepted.message };
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

function toResponse(signal: Signal, encoding: Encoding, outcome: ExportOutcome): Response {
  const body = encodeExportResponse(signal, encoding, outcome);
  // No stream is made for a body without bytes, which is what a full success in protobuf has.
  return new Response(body.byteLength === 0 ? null : body, { headers: { "content-type": CONTENT_TYPE[encoding] } });
}
