/**
 * What a store says when it does not do what it was asked, and which of the contract's kinds that is. Codes win over
 * statuses; a body may be empty or a proxy's page, and then the status decides (platform.md 5.2).
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
import { FirnError, type ErrorKind } from "../../errors.ts";
import { STORE_ERROR_MAX_BYTES } from "../../limits.ts";
import type { Seconds } from "../../units.ts";
import { readText } from "../http/answer-body.ts";
import { readRetryAfter } from "../http/answer-headers.ts";
import { childrenOf, parseXml, textOf, type XmlElement } from "../http/xml.ts";
import type { StoreClock } from "./store-clock.ts";

/** An answer that says no, or an error document in one that said yes. */
export interface S3Failure {
  readonly status: number;
  /** The store's own word for it; `null` when it gave none. */
  readonly code: string | null;
  /** The region in which the bucket is, where the store named it. */
  readonly region: string | null;
  /** Of an object that must be restored, with the tier in it if it has such; `null` when none was named. */
  readonly storageClass: string | null;
  readonly retryAfterSeconds: Seconds | undefined;
  /** Milliseconds by which the store's clock is ahead of the platform's; `null` when it told no time. */
  readonly clockOffset: number | null;
  readonly headers: Headers;
}

type StoreKind = Extract<
  ErrorKind,
  "store_unavailable" | "store_refused" | "object_not_found" | "object_changed" | "object_frozen"
>;

/** A code's kind and, for the operator, what to do; a message ends in it. */
type Meaning = readonly [kind: StoreKind, advice?: string];

const CHECK_RIGHTS = "give these credentials the right to make this call";
const CHECK_TOKEN = "renew the session token";
const MAKE_BUCKET = "make the bucket or correct its name";
const CHECK_DIALECT = "a header or call of Firn is not for this store: name its dialect in the settings";

const CODES: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ["SlowDown", ["store_unavailable"]],
  ["Throttling", ["store_unavailable"]],
  ["ThrottlingException", ["store_unavailable"]],
  ["TooManyRequests", ["store_unavailable"]],
  ["RequestLimitExceeded", ["store_unavailable"]],
  ["InternalError", ["store_unavailable"]],
  ["InternalFailure", ["store_unavailable"]],
  ["ServiceUnavailable", ["store_unavailable"]],
  ["RequestTimeout", ["store_unavailable"]],
  ["OperationAborted", ["store_unavailable"]],
  ["ConditionalRequestConflict", ["store_unavailable"]],
  ["TemporaryRedirect", ["store_unavailable"]],
  ["IDPCommunicationError", ["store_unavailable"]],
  // The bytes that arrived are not those that were sent: another attempt sends them again.
  ["BadDigest", ["store_unavailable"]],
  ["XAmzContentSHA256Mismatch", ["store_unavailable"]],
  ["IncompleteBody", ["store_unavailable"]],
  ["NoSuchKey", ["object_not_found"]],
  ["NoSuchUpload", ["object_not_found"]],
  ["InvalidObjectState", ["object_frozen", "restore it first"]],
  ["PreconditionFailed", ["object_changed"]],
  ["NoSuchBucket", ["store_refused", MAKE_BUCKET]],
  ["InvalidBucketName", ["store_refused", MAKE_BUCKET]],
  ["AccessDenied", ["store_refused", CHECK_RIGHTS]],
  ["AllAccessDisabled", ["store_refused", CHECK_RIGHTS]],
  ["AccountProblem", ["store_refused", CHECK_RIGHTS]],
  ["Unauthorized", ["store_refused", "check the access key"]],
  ["InvalidAccessKeyId", ["store_refused", "check the access key id"]],
  ["SignatureDoesNotMatch", ["store_refused", "check the secret access key"]],
  ["InvalidToken", ["store_refused", CHECK_TOKEN]],
  ["ExpiredToken", ["store_refused", CHECK_TOKEN]],
  ["ExpiredTokenException", ["store_refused", "give a new web identity token"]],
  ["InvalidIdentityToken", ["store_refused", "give a web identity token that the role's provider issued"]],
  ["IDPRejectedClaim", ["store_refused", "give a new web identity token"]],
  ["AuthorizationHeaderMalformed", ["store_refused", "set the region to the bucket's"]],
  ["PermanentRedirect", ["store_refused", "set the region or the endpoint to the bucket's"]],
  ["RequestTimeTooSkewed", ["store_refused", "set the clock"]],
  ["NotImplemented", ["store_refused", CHECK_DIALECT]],
  ["InvalidStorageClass", ["store_refused", "set a storage class that the store has, or none"]],
  ["AccessControlListNotSupported", ["store_refused", "set no ACL: the bucket has them turned off"]],
  ["InvalidTag", ["store_refused", "correct the tags"]],
  ["KMS.NotFoundException", ["store_refused", "set the key of encryption to one that exists"]],
  ["KMS.DisabledException", ["store_refused", "enable the key of encryption"]],
]);

/** Reads what an answer that says no has to say, and frees its connection. */
export async function readFailure(response: Response, options: ReadFailureOptions): Promise<S3Failure> {
  const text = await readText(response, STORE_ERROR_MAX_BYTES, options.failure);
  return toFailure(response, text, options.clock);
}

interface ReadFailureOptions {
  /** What messages begin with. */
  readonly failure: string;
  readonly clock: StoreClock;
}

/** Takes an answer and its body apart. @param text `null` when the body was too long to be an error document */
export function toFailure({ status, headers }: Response, text: string | null, clock: StoreClock): S3Failure {
  const document = text === null ? null : parseXml(text);
  const error = document === null ? {} : findError(document.name, document.root);
  return {
    status,
    code: toCode(textOf(error, "Code")),
    region: toRegion(headers.get("x-amz-bucket-region") ?? textOf(error, "Region")),
    storageClass: toStorageClass(error),
    retryAfterSeconds: readRetryAfter(headers, clock.now()),
    clockOffset: clock.measure(headers),
    headers,
  };
}

/**
 * Makes an error that was reported inside an answer, per key or beside keep-alive blanks.
 * @param element the `Error` element
 */
export function toInnerFailure({ status, headers }: Response, element: XmlElement): S3Failure {
  const code = toCode(textOf(element, "Code"));
  return { status, code, region: null, storageClass: null, retryAfterSeconds: undefined, clockOffset: null, headers };
}

/** STS puts the error into an envelope; `Error` is always parsed as a list. */
function findError(name: string, root: XmlElement): XmlElement {
  if (name === "Error") return root;
  return childrenOf(root, "Error")[0] ?? {};
}

/** Words only: a code goes into messages. */
function toCode(code: string | null): string | null {
  return code !== null && /^[A-Za-z][\w.]{1,63}$/.test(code) ? code : null;
}

/** `StorageClass`, and of `INTELLIGENT_TIERING` the `AccessTier`: words in capitals. */
function toStorageClass(error: XmlElement): string | null {
  const names = [textOf(error, "StorageClass"), textOf(error, "AccessTier")];
  const known = names.filter((name) => name !== null && /^[A-Z][A-Z_]{1,31}$/.test(name));
  return known.length === 0 ? null : known.join(" ");
}

function toRegion(region: string | null): string | null {
  return region !== null && /^[a-z][a-z0-9-]{1,40}$/.test(region) ? region : null;
}

/**
 * Makes the error of the contract.
 * @param failure what the message begins with, such as `Cannot head object "a/b" in S3`
 * @param note what else the caller knows of the cause
 */
export function toStoreError(failure: string, answer: S3Failure, note?: string): FirnError {
  const [kind, advice] = meaningOf(answer);
  const said = answer.code === null ? `HTTP ${answer.status}` : `${answer.code} (${answer.status})`;
  const region = answer.region === null ? undefined : `the bucket is in region "${answer.region}"`;
  const isFrozen = kind === "object_frozen" && answer.storageClass !== null;
  const place = isFrozen ? `it lies in the storage class "${answer.storageClass}"` : undefined;
  const parts = [said, note, region, formatSkew(answer), place, advice];
  const { retryAfterSeconds } = answer;
  return new FirnError(kind, `${failure}: ${parts.filter((part) => part !== undefined).join(", ")}`, {
    ...(kind === "store_unavailable" && retryAfterSeconds !== undefined ? { retryAfterSeconds } : {}),
    ...(isFrozen ? { storageClass: answer.storageClass } : {}),
  });
}

function formatSkew({ code, clockOffset }: S3Failure): string | undefined {
  if (code !== "RequestTimeTooSkewed" || clockOffset === null) return undefined;
  const seconds = Math.round(Math.abs(clockOffset) / 1000);
  return `the clock here is ${seconds} s ${clockOffset > 0 ? "behind" : "ahead of"} the store's`;
}

/** The kind of a failure alone. */
export function kindOf(answer: S3Failure): StoreKind {
  return meaningOf(answer)[0];
}

function meaningOf({ status, code }: S3Failure): Meaning {
  const known = code === null ? undefined : CODES.get(code);
  if (known !== undefined) return known;
  if (status === 501) return ["store_refused", CHECK_DIALECT];
  if (status >= 500 || status === 408 || status === 425 || status === 429) return ["store_unavailable"];
  // An error document in an answer that said yes, whose code nobody knows: the effect is unknown.
  if (status < 300) return ["store_unavailable"];
  if (status < 400) return ["store_refused", "set the region or the endpoint to the bucket's"];
  if (status === 401 || status === 403) return ["store_refused", CHECK_RIGHTS];
  // S3 names the code of a missing object; one that has none, or another, is about something else that is missing.
  if (status === 404) return ["store_refused", "check the endpoint and the access key"];
  if (status === 412) return ["object_changed"];
  return ["store_refused"];
}
