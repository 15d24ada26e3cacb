/** URLs of blobs and of their container, encoded so that what is signed is what is sent. Pure. */

/** What is asked for. */
export interface BlobAddress {
  /** URL of the container, without a slash at its end. */
  readonly containerUrl: string;
  /** Name of the blob; the container itself without one. */
  readonly key?: string;
  /** What has no value is left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
}

/**
 * Keys under which Azure would keep another name, or none: dots are resolved on the way, a backslash becomes a slash,
 * and control characters are in no name.
 * https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
 */
const UNNAMEABLE: readonly (readonly [RegExp, string])[] = [
  [/(?:^|\/)\.{1,2}(?:\/|$)/, 'it has a segment "." or ".."'],
  [/\\/, "it has a backslash"],
  [/\p{Cc}/u, "it has a control character"],
  [/\p{Cs}/u, "it is not Unicode text"],
  [/^$/, "it is empty"],
];

/**
 * Formats a URL: all but letters, digits and `-._~` is percent-encoded, slashes of a key excepted.
 * @throws RangeError for a key that Azure would not keep as it is
 */
export function formatBlobUrl({ containerUrl, key, query = {} }: BlobAddress): URL {
  const path = key === undefined ? "" : `/${assertBlobName(key).split("/").map(encode).join("/")}`;
  const parameters = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encode(value)}`],
  );
  return new URL(`${containerUrl}${path}${parameters.length === 0 ? "" : `?${parameters.join("&")}`}`);
}

function assertBlobName(key: string): string {
  const [, found] = UNNAMEABLE.find(([pattern]) => pattern.test(key)) ?? [];
  if (found === undefined) return key;
  throw new RangeError(`Cannot name a blob "${key}": ${found}, which Azure does not keep`);
}

/** A prefix may end in half a character; nothing begins with the replacement that stands for it then. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(/[!'()*]/g, toPercent);
}

function toPercent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
