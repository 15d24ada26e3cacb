/** ListObjectsV2, a page at a time. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
import { FirnError } from "../../errors.ts";
import { LIST_PAGE_KEYS } from "../../limits.ts";
import { assertCursorMoves, assertListable } from "../bounds.ts";
import type { ListPage, ListRequest, ObjectInfo } from "../contract.ts";
import { childrenOf, textOf, type XmlElement } from "../http/xml.ts";
import { askXml, type S3Client } from "./client.ts";
import { readEtag } from "./head-object.ts";
import { toStoreError } from "./s3-errors.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html */
const FROZEN_CLASSES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/** Lists a page. */
export async function listObjects(client: S3Client, request: ListRequest): Promise<ListPage> {
  assertListable(request);
  const failure = `Cannot list "${request.prefix}" in S3`;
  const answer = await askXml(client, { call: "list", method: "GET", key: null, query: queryOf(request) });
  if (answer.kind === "failed") throw toStoreError(failure, answer.failure);
  const { document } = answer;
  if (document?.name !== "ListBucketResult") throw senseless(failure, "the answer is no listing");
  const page = readPage(document.root, failure);
  assertCursorMoves(request, page.cursor);
  return page;
}

function queryOf(request: ListRequest): Readonly<Record<string, string>> {
  const { prefix, delimiter, startAfter, cursor, limit = LIST_PAGE_KEYS } = request;
  return {
    "list-type": "2",
    // Keys may have characters that XML has not.
    "encoding-type": "url",
    prefix,
    "max-keys": String(limit),
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(cursor !== undefined
      ? { "continuation-token": cursor }
      : startAfter !== undefined
        ? { "start-after": startAfter }
        : {}),
  };
}

function readPage(root: XmlElement, failure: string): ListPage {
  const isEncoded = textOf(root, "EncodingType") === "url";
  const read = (element: XmlElement, name: string): string => {
    const key = decode(textOf(element, name), isEncoded);
    if (key === null) throw senseless(failure, `the answer has a ${name} that cannot be read`);
    return key;
  };
  const objects = childrenOf(root, "Contents").map((element) => readObject(element, read(element, "Key"), failure));
  const prefixes = childrenOf(root, "CommonPrefixes").map((element) => read(element, "Prefix"));
  const cursor = readCursor(root, failure);
  return {
    objects,
    ...(prefixes.length === 0 ? {} : { prefixes }),
    ...(cursor === null ? {} : { cursor }),
  };
}

/** A listing that does not say whether it ends, or where to go on, would pass for a whole one. */
function readCursor(root: XmlElement, failure: string): string | null {
  const isTruncated = textOf(root, "IsTruncated");
  if (isTruncated === "false") return null;
  const token = textOf(root, "NextContinuationToken");
  if (isTruncated === "true" && token !== null && token !== "") return token;
  throw senseless(
    failure,
    isTruncated === "true" ? "more follows, but not where" : "the answer does not say if it ends",
  );
}

function readObject(element: XmlElement, key: string, failure: string): ObjectInfo {
  const size = textOf(element, "Size") ?? "";
  if (!/^\d{1,15}$/.test(size)) throw senseless(failure, `the answer gives "${key}" no size`);
  const storageClass = textOf(element, "StorageClass");
  const isFrozen = storageClass !== null && FROZEN_CLASSES.has(storageClass);
  return {
    key,
    length: Number(size),
    etag: readEtag(textOf(element, "ETag")),
    sha256Hex: null,
    ...(isFrozen ? { frozenClass: storageClass } : {}),
  };
}

/** Some stores write a space as `+`, all of them a plus as `%2B`. */
function decode(text: string | null, isEncoded: boolean): string | null {
  if (text === null || !isEncoded) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return null; // not UTF-8
  }
}

function senseless(failure: string, found: string): FirnError {
  return new FirnError("store_unavailable", `${failure}: ${found}`);
}
