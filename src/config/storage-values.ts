/** Values that the settings of several stores share: URLs, tags, secrets, single words. */
import type { SettingReader } from "./setting-reader.ts";
import type { ObjectTag } from "./storage-config.ts";

/** What a word looks like, for the program and for people. */
export type WordForm = readonly [pattern: RegExp, expected: string];

/** S3 and Azure take ten tags with names of 128 and values of 256 characters. */
const MAX_TAGS = 10;
const TAG_NAME_MAX_CHARS = 128;
const TAG_VALUE_MAX_CHARS = 256;
/** Printable ASCII without spaces: what may stand in a header. */
const HEADER_WORD = /^[\x21-\x7e]+$/;

/**
 * Reads a URL. Its scheme decides between TLS and plain HTTP, its port and path are kept.
 * @returns it without a slash at its end; `null` when it is not set
 */
export function readEndpoint(read: SettingReader, setting: string): string | null {
  const value = read.optional(setting);
  if (value === null) return null;
  const url = URL.parse(value);
  const isPlain = url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (isPlain && (url.protocol === "https:" || url.protocol === "http:")) return url.href.replace(/\/+$/, "");
  throw read.wrong(setting, "expected a URL such as https://s3.example.com, without credentials, query or fragment");
}

/** Reads `name=value&name=value` as `x-amz-tagging` has it. */
export function readTags(read: SettingReader, setting: string): readonly ObjectTag[] {
  const value = read.optional(setting);
  if (value === null) return [];
  const tags = [...new URLSearchParams(value)].map(([name, text]) => ({ name, value: text }));
  const isWrong = tags.some(
    (tag) => tag.name === "" || tag.name.length > TAG_NAME_MAX_CHARS || tag.value.length > TAG_VALUE_MAX_CHARS,
  );
  const isTwice = new Set(tags.map((tag) => tag.name)).size < tags.length;
  if (tags.length > 0 && tags.length <= MAX_TAGS && !isWrong && !isTwice) return tags;
  throw read.wrong(setting, `found "${value}", expected up to ${MAX_TAGS} different tags such as "team=a&cost=b"`);
}

/** Reads a secret that stands in a header or signs one. */
export function readSecret(read: SettingReader, setting: string): string | null {
  const value = read.optional(setting);
  if (value === null || HEADER_WORD.test(value)) return value;
  throw read.wrong(setting, "it holds a space, a line end or another character that no key has");
}

/**
 * Reads a word that is no secret.
 * @param form - the pattern, and in words what it takes
 */
export function readWord(read: SettingReader, setting: string, [pattern, expected]: WordForm): string | null {
  const value = read.optional(setting);
  if (value === null || pattern.test(value)) return value;
  throw read.wrong(setting, `found "${value}", expected ${expected}`);
}
