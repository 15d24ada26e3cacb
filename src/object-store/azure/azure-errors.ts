/**
 * What a refused request to Azure means: its code and status → the closed kinds of the contract, with what to do next.
 * Never repeats Azure's sentence: after a wrong signature it holds the signature.
 * https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
 */
import { FirnError, type ErrorKind } from "../../errors.ts";

/** An answer that is not the one that was asked for. */
export interface AzureFailure {
  readonly status: number;
  /** Azure's code, such as `BlobNotFound`; `null` when the answer named none. */
  readonly code: string | null;
  readonly retryAfterSeconds?: number;
}

/** Codes that mean that asking again is useless until an operator acts, each with what is wrong. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ["AuthenticationFailed", "the account key or the signature is not taken: check it, its times and this clock"],
  ["InvalidAuthenticationInfo", "the account key or the signature is not taken: check it"],
  ["NoAuthenticationInformation", "the service saw no credentials: check the endpoint"],
  ["AuthorizationFailure", "the key, the signature or the account's network rules do not allow it: check them"],
  [
    "AuthorizationPermissionMismatch",
    "the signature lacks a permission: it needs read, create, write, list and delete",
  ],
  ["AuthorizationProtocolMismatch", "the signature is for https: change the endpoint or the signature"],
  ["AuthorizationResourceTypeMismatch", "the signature does not cover containers and blobs"],
  ["AuthorizationServiceMismatch", "the signature does not cover the blob service"],
  ["AuthorizationSourceIPMismatch", "the signature is for other addresses: Workers have none of their own"],
  ["InsufficientAccountPermissions", "the credentials lack a permission"],
  ["KeyBasedAuthenticationNotPermitted", "the account takes no account keys: allow them, or use a signature"],
  ["PublicAccessNotPermitted", "the service saw no credentials: check the endpoint"],
  ["AccountIsDisabled", "the storage account is disabled"],
  ["AccountRequiresHttps", "the account takes https only: change the endpoint"],
  ["ContainerDisabled", "the container is disabled"],
  ["ContainerNotFound", "there is no such container, create it"],
  ["ResourceNotFound", "there is no such container or account"],
  ["BlobImmutableDueToPolicy", "an immutability policy protects the blob"],
  ["BlobImmutableDueToLegalHold", "a legal hold protects the blob"],
  ["BlobOperationNotSupported", "the account does not take it: it may have a hierarchical namespace"],
  ["LeaseIdMissing", "somebody holds a lease on the blob or the container: break it"],
  ["LeaseAlreadyPresent", "somebody holds a lease on the blob or the container: break it"],
  ["InvalidHeaderValue", "the service does not take the access tier, a tag or this version of the API"],
  ["InvalidBlobTier", "the service does not take the access tier"],
  ["BlobTierInadequateForContentLength", "the access tier is not for blobs of this length"],
  ["BlobAccessTierNotSupportedForAccountType", "the account does not know the access tier"],
  ["UnsupportedHeader", "the account does not take tags or an access tier"],
  ["FeatureVersionMismatch", "the account does not take tags or an access tier"],
  ["InvalidTag", "a tag has characters that Azure does not take"],
  ["InvalidResourceName", "the container has no name that Azure takes, or the key is too long for one"],
  ["KeyVaultEncryptionKeyNotFound", "the key that encrypts the account is gone"],
  ["KeyVaultAccessTokenCannotBeAcquired", "the account cannot reach the key that encrypts it"],
  ["UnsupportedHttpVerb", "the endpoint is not a blob service"],
  ["RequestBodyTooLarge", "the blob is too large"],
]);

/** Codes that would else be refused by their status. The bytes arrived changed, or a state that ends by itself. */
const PASSING: ReadonlySet<string> = new Set([
  "Md5Mismatch",
  "Crc64Mismatch",
  "IncompleteBody",
  "OperationTimedOut",
  "InternalError",
  "ServerBusy",
  "AccountBeingCreated",
  "ContainerBeingDeleted",
]);

const CHANGED = "the bytes that arrived have another digest";
const MISSING: ReadonlySet<string> = new Set(["BlobNotFound"]);
/** The tier that must be rehydrated before anything reads it, also while it is. */
export const FROZEN_TIER = "Archive";
const FROZEN: ReadonlySet<string> = new Set(["BlobArchived", "BlobBeingRehydrated"]);

/**
 * Makes the error of a call.
 * @param failure what its message begins with, such as `Cannot head object "a/b"`
 * @param answer what Azure answered
 * @param containerUrl endpoint and container, named where the operator must look
 */
export function toStoreError(failure: string, answer: AzureFailure, containerUrl: string): FirnError {
  const { status, code, retryAfterSeconds } = answer;
  const kind = kindOf(answer);
  const said = code === null ? `HTTP ${status}` : `${code}, HTTP ${status}`;
  const place = kind === "store_refused" ? ` in container ${containerUrl}` : "";
  const options = {
    ...(kind === "store_unavailable" && retryAfterSeconds !== undefined ? { retryAfterSeconds } : {}),
    ...(kind === "object_frozen" ? { storageClass: FROZEN_TIER } : {}),
  };
  return new FirnError(kind, `${failure}${place}: ${describe(kind, answer)} (${said})`, options);
}

function kindOf({ status, code }: AzureFailure): ErrorKind {
  if (code !== null) {
    if (MISSING.has(code)) return "object_not_found";
    if (FROZEN.has(code)) return "object_frozen";
    if (code === "ConditionNotMet") return "object_changed";
    if (PASSING.has(code)) return "store_unavailable";
    if (REFUSALS.has(code)) return "store_refused";
  }
  // A redirect comes from no blob service; what remains of 400 says that the request itself is not taken.
  if (status >= 300 && status < 400) return "store_refused";
  return status === 400 || status === 401 || status === 403 || status === 405 ? "store_refused" : "store_unavailable";
}

function describe(kind: ErrorKind, { status, code }: AzureFailure): string {
  if (code !== null) {
    if (code === "Md5Mismatch" || code === "Crc64Mismatch") return CHANGED;
    if (REFUSALS.has(code)) return REFUSALS.get(code) ?? "";
  }
  if (kind === "object_not_found") return "it does not exist";
  if (kind === "object_frozen") return "it lies in the archive tier: rehydrate it first";
  if (kind === "object_changed") return "it is another version";
  if (status >= 300 && status < 400) return "the endpoint redirects: check it";
  if (kind === "store_refused") return "the service refuses it";
  return status < 300 ? "the answer makes no sense" : "the service failed";
}
