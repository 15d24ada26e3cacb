/**
 * The answer to List Blobs → keys, prefixes and the marker of the next page. Pure.
 * https://learn.microsoft.com/rest/api/storageservices/list-blobs#response-body
 */
import type { ObjectInfo } from "../contract.ts";
import { childOf, childrenOf, parseXml, textOf, type XmlElement } from "../http/xml.ts";
import { FROZEN_TIER } from "./azure-errors.ts";
import { unquote } from "./head-blob.ts";

/** A page as Azure gives it. */
export interface BlobPage {
  readonly objects: readonly ObjectInfo[];
  readonly prefixes: readonly string[];
  /** `null` on the last page; a page may be empty and have one. */
  readonly nextMarker: string | null;
  /** A directory among the blobs: only accounts with a hierarchical namespace have them. */
  readonly hasDirectory: boolean;
}

/**
 * Names that hold what XML cannot (U+FFFE, U+FFFF) come percent-encoded and say so in an attribute; a name that is not
 * cannot hold this text, since its `<` would be escaped.
 */
const ENCODED_NAME = /<Name Encoded="true">([^<]*)<\/Name>/g;

/** Parses a page. @returns `null` for anything that is not one */
export function parseBlobPage(text: string): BlobPage | null {
  const document = parseXml(text.replaceAll(ENCODED_NAME, "<EncodedName>$1</EncodedName>"));
  if (document?.name !== "EnumerationResults") return null;
  const blobs = childOf(document.root, "Blobs");
  const nextMarker = textOf(document.root, "NextMarker");
  if (blobs === null || nextMarker === null) return null;
  const elements = childrenOf(blobs, "Blob");
  const objects = elements.map(parseBlob);
  const prefixes = childrenOf(blobs, "BlobPrefix").map(parseName);
  if (!objects.every((object) => object !== null) || !prefixes.every((name) => name !== null)) return null;
  const hasDirectory = elements.some((element) => {
    const properties = childOf(element, "Properties");
    return properties !== null && textOf(properties, "ResourceType") === "directory";
  });
  return { objects, prefixes, nextMarker: nextMarker === "" ? null : nextMarker, hasDirectory };
}

function parseBlob(element: XmlElement): ObjectInfo | null {
  const key = parseName(element);
  const properties = childOf(element, "Properties");
  const length = properties === null ? null : textOf(properties, "Content-Length");
  if (key === null || properties === null || length === null || !/^\d{1,15}$/.test(length)) return null;
  const etag = textOf(properties, "Etag");
  const isFrozen = textOf(properties, "AccessTier") === FROZEN_TIER;
  return {
    key,
    length: Number(length),
    etag: etag === null ? null : unquote(etag),
    sha256Hex: null,
    ...(isFrozen ? { frozenClass: FROZEN_TIER } : {}),
  };
}

function parseName(element: XmlElement): string | null {
  const encoded = textOf(element, "EncodedName");
  if (encoded === null) return textOf(element, "Name");
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}
