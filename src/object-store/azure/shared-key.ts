/**
 * Shared Key: what of a request is signed with the account's key, and how. Pure; what the request says is the caller's.
 * https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
 */

/** A request before it is signed. */
export interface UnsignedRequest {
  readonly method: string;
  /** As it is sent: the path stays encoded in the signature. */
  readonly url: URL;
  readonly headers: Headers;
  /** Bytes of the body, 0 without one; the runtime writes the header, so that it does not stand among the others. */
  readonly contentLength: number;
}

/** Headers whose values stand in the text in these places, without their names; `null` is the length of the body. */
const SIGNED_HEADERS: readonly (string | null)[] = [
  "content-encoding",
  "content-language",
  null,
  "content-md5",
  "content-type",
  "date",
  "if-modified-since",
  "if-match",
  "if-none-match",
  "if-unmodified-since",
  "range",
];

/** Imports the account's key for {@link signSharedKey}. */
export function importAccountKey(key: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/** Signs a request. @returns the value of its `Authorization` header */
export async function signSharedKey(account: string, key: CryptoKey, request: UnsignedRequest): Promise<string> {
  const text = new TextEncoder().encode(formatStringToSign(account, request));
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, text));
  return `SharedKey ${account}:${signature.toBase64()}`;
}

/**
 * Formats what is signed, lines joined by `\n`:
 *
 * | lines         | hold                                                                         |
 * |---------------|------------------------------------------------------------------------------|
 * | 1             | the method                                                                   |
 * | 11            | values of {@link SIGNED_HEADERS}, empty where there is none; a length 0 too   |
 * | one each      | `name:value` of each `x-ms-` header, sorted                                   |
 * | 1             | `/<account>` and the path; with the account in the path it stands there twice |
 * | one each      | `name:value` of each parameter of the query, decoded, sorted                  |
 */
export function formatStringToSign(account: string, { method, url, headers, contentLength }: UnsignedRequest): string {
  const standard = SIGNED_HEADERS.map((name) => {
    if (name !== null) return headers.get(name) ?? "";
    return contentLength === 0 ? "" : String(contentLength);
  });
  // Headers are iterated sorted, in lower case, values without the spaces around them.
  const own = [...headers].filter(([name]) => name.startsWith("x-ms-")).map(([name, value]) => `${name}:${value}`);
  return [method, ...standard, ...own, `/${account}${url.pathname}`, ...formatParameters(url)].join("\n");
}

/** A parameter that is given several times is one line, its values sorted and joined by commas. */
function formatParameters({ searchParams }: URL): readonly string[] {
  const names = new Set([...searchParams.keys()].map((name) => name.toLowerCase()));
  return [...names].toSorted().map((name) => {
    const values = [...searchParams].flatMap(([given, value]) => (given.toLowerCase() === name ? [value] : []));
    return `${name}:${values.toSorted().join(",")}`;
  });
}
