/**
 * One call to STS: a role for an hour. AssumeRole is signed with long-lived keys; for AssumeRoleWithWebIdentity the
 * token is the proof and nothing is signed. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
import { sha256HexOf } from "../../bytes.ts";
import type { S3CredentialsConfig, S3Keys, S3Role } from "../../config/storage-config.ts";
import { FirnError } from "../../errors.ts";
import { STORE_CALL_TIMEOUT, STORE_ERROR_MAX_BYTES, STS_DURATION } from "../../limits.ts";
import { readText } from "../http/answer-body.ts";
import { send, type Fetch } from "../http/send.ts";
import { childOf, parseXml, textOf, type XmlElement } from "../http/xml.ts";
import { toFailure, toStoreError } from "./s3-errors.ts";
import { sign } from "./sign.ts";
import type { StoreClock } from "./store-clock.ts";

/** Keys for a time. */
export interface TemporaryKeys {
  readonly keys: S3Keys;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Where STS is and how it is reached. */
export interface StsDeps {
  readonly fetch: Fetch;
  readonly clock: StoreClock;
  /** URL of STS. */
  readonly endpoint: string;
  readonly region: string;
}

/** Who asks for a role. */
export type RoleRequest = Extract<S3CredentialsConfig, { kind: "web-identity" }> | RoleWithKeys;

/** Keys that may assume a role. */
interface RoleWithKeys {
  readonly kind: "keys";
  readonly keys: S3Keys;
  readonly role: S3Role;
}

const FORM = "application/x-www-form-urlencoded; charset=utf-8";

/**
 * Asks for a role.
 * @throws FirnError `store_unavailable`; `store_refused` when the role is not given.
 */
export async function assumeRole(request: RoleRequest, deps: StsDeps): Promise<TemporaryKeys> {
  const failure = `Cannot assume role "${request.role.arn}" for S3`;
  const first = await ask(request, deps, failure);
  const answer = first.kind === "skewed" ? await ask(request, deps, failure) : first;
  if (answer.kind === "answered") return readKeys(request, answer.text, failure);
  throw answer.error;
}

type StsAnswer =
  | { readonly kind: "answered"; readonly text: string }
  /** Refused, and the clock was far off: it is right now. */
  | { readonly kind: "skewed" | "refused"; readonly error: FirnError };

async function ask(request: RoleRequest, deps: StsDeps, failure: string): Promise<StsAnswer> {
  const { fetch, clock, endpoint } = deps;
  const body = formatForm(request);
  const skew = clock.skew();
  const headers = await headersFor(request, deps, body);
  const response = await send(
    { method: "POST", url: `${endpoint}/`, headers, body },
    { fetch, failure, timeout: STORE_CALL_TIMEOUT },
  );
  const text = await readText(response, STORE_ERROR_MAX_BYTES, failure);
  if (response.ok && text !== null) return { kind: "answered", text };
  const isSkewed = (response.status === 400 || response.status === 403) && clock.learn(response.headers, skew);
  const answer = toFailure(response, text, clock);
  const note =
    answer.code === "AccessDenied" ? "the role must trust these credentials, and the external id" : undefined;
  return { kind: isSkewed ? "skewed" : "refused", error: toStoreError(failure, answer, note) };
}

function formatForm(request: RoleRequest): string {
  const { arn, externalId } = request.role;
  const isSigned = request.kind === "keys";
  const form = new URLSearchParams({
    Action: isSigned ? "AssumeRole" : "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: arn,
    RoleSessionName: "firn",
    DurationSeconds: String(STS_DURATION),
  });
  if (isSigned && externalId !== null) form.set("ExternalId", externalId);
  if (!isSigned) form.set("WebIdentityToken", request.token);
  return form.toString();
}

async function headersFor(request: RoleRequest, deps: StsDeps, body: string): Promise<Headers> {
  if (request.kind === "web-identity") return new Headers({ "content-type": FORM });
  return sign(
    {
      method: "POST",
      url: `${deps.endpoint}/`,
      headers: { "content-type": FORM },
      sha256Hex: await sha256HexOf(new TextEncoder().encode(body)),
    },
    {
      keys: request.keys,
      service: "sts",
      // STS has real regions only; AWS's first answers for all where a store has none.
      region: deps.region === "auto" ? "us-east-1" : deps.region,
      time: deps.clock.now(),
      derivedKeys: new Map(),
    },
  );
}

function readKeys(request: RoleRequest, text: string, failure: string): TemporaryKeys {
  const root = parseXml(text)?.root ?? {};
  const action = request.kind === "keys" ? "AssumeRole" : "AssumeRoleWithWebIdentity";
  const credentials: XmlElement = childOf(childOf(root, `${action}Result`) ?? {}, "Credentials") ?? {};
  const accessKeyId = textOf(credentials, "AccessKeyId");
  const secretAccessKey = textOf(credentials, "SecretAccessKey");
  const sessionToken = textOf(credentials, "SessionToken");
  const expiresAt = Date.parse(textOf(credentials, "Expiration") ?? "");
  if (accessKeyId !== null && secretAccessKey !== null && sessionToken !== null && !Number.isNaN(expiresAt)) {
    return { keys: { accessKeyId, secretAccessKey, sessionToken }, expiresAt };
  }
  throw new FirnError("store_unavailable", `${failure}: the answer has no credentials in it`);
}
