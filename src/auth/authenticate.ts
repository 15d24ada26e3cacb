/**
 * Credentials → grant. Only digests are compared, every configured one in constant time, so that neither the time nor
 * the answer says how close a guess came (reliability S1).
 */
import type { Config } from "../config.ts";
import type { Scope, TokenRule } from "../config/token-settings.ts";
import { FirnError } from "../errors.ts";
import type { Grant } from "./contract.ts";
import { parseAuthorization } from "./credentials.ts";

/** All scopes of the unnamed tenant: local runs without any configured token. */
const ANONYMOUS: Grant = { tenant: "", scopes: ["ingest", "read", "admin"] };

/**
 * Decides what a request may do.
 * @param header - the `Authorization` header, `null` when absent
 * @throws FirnError `unauthenticated` when no token is configured and anonymous access is off, or none matches.
 */
export async function authenticate(
  header: string | null,
  config: Pick<Config, "tokens" | "allowAnonymous">,
): Promise<Grant> {
  if (config.tokens.length === 0) {
    if (config.allowAnonymous) return ANONYMOUS;
    throw new FirnError("unauthenticated", "Cannot accept requests: no token is configured, see INGEST_TOKEN_SHA256");
  }
  const token = parseAuthorization(header);
  if (token === null) {
    throw new FirnError("unauthenticated", "Cannot accept the request without a token, expected Authorization: Bearer");
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
  const grant = findGrant(digest, config.tokens);
  if (grant === null) throw new FirnError("unauthenticated", "Cannot accept the token: it is not known");
  return grant;
}

/** Compares with every rule: one token may stand in several rules of its tenant, each adding scopes. */
function findGrant(digest: Uint8Array, rules: readonly TokenRule[]): Grant | null {
  const scopes = new Set<Scope>();
  let tenant: string | null = null;
  for (const rule of rules) {
    const matches = crypto.subtle.timingSafeEqual(digest, Uint8Array.fromHex(rule.sha256Hex));
    if (!matches || (tenant !== null && tenant !== rule.tenant)) continue;
    tenant = rule.tenant;
    for (const scope of rule.scopes) scopes.add(scope);
  }
  return tenant === null ? null : { tenant, scopes: [...scopes] };
}

/** Refuses a grant that lacks a scope. @throws FirnError `permission_denied`. */
export function requireScope(grant: Grant, scope: Scope): void {
  if (grant.scopes.includes(scope)) return;
  throw new FirnError("permission_denied", `Cannot do this with the token: it lacks the scope "${scope}"`);
}
