/**
 * The `Authorization` header → the token in it. Three spellings are the same credential: `Bearer T`, the bare token,
 * and `Basic` with the token as password (design section 9).
 */

/**
 * Finds the token in an `Authorization` header.
 * @returns the token, or `null` when the header is absent or holds none. Two headers, which arrive joined by a comma,
 * make a text that no configured digest matches.
 */
export function parseAuthorization(header: string | null): string | null {
  const value = header?.trim() ?? "";
  if (value === "") return null;
  const [, scheme, rest] = /^(bearer|basic)\s+(.*)$/i.exec(value) ?? [];
  if (scheme === undefined || rest === undefined) return value;
  return scheme.toLowerCase() === "bearer" ? rest : parseBasicPassword(rest);
}

/** RFC 7617: base64 of `user:password`; the user name may be anything. */
function parseBasicPassword(encoded: string): string | null {
  let decoded: string;
  try {
    decoded = atob(encoded);
  } catch {
    return null;
  }
  const colon = decoded.indexOf(":");
  return colon < 0 ? null : decoded.slice(colon + 1);
}
