/**
 * The XML that stores answer with, as plain values. All text stays text: a key may be `001` or begin with a space.
 * Entities are the five of XML and character numbers; what a DOCTYPE defines is left alone, so that nothing expands.
 */
import { XMLParser, XMLValidator } from "fast-xml-parser";

/** An element's children by their names, without name space prefixes; text beside children is under `#text`. */
export interface XmlElement {
  readonly [name: string]: XmlNode | undefined;
}
export type XmlNode = string | XmlElement | readonly XmlNode[];

/** A document: its outermost element. */
export interface XmlDocument {
  readonly name: string;
  readonly root: XmlElement;
}

/** Elements that stand in lists, of which there may be one or none. */
const LISTED: ReadonlySet<string> = new Set(["Contents", "CommonPrefixes", "Blob", "BlobPrefix", "Error", "Deleted"]);

const NAMED: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);
const MAX_CODE_POINT = 0x10_ff_ff;

/** Parses a document. @returns `null` for anything that is not well-formed XML with one outermost element */
export function parseXml(text: string): XmlDocument | null {
  // A byte order mark, or the blanks by which S3 keeps a connection open, may stand before a declaration.
  const document = text.trim();
  if (XMLValidator.validate(document) !== true) return null;
  const parsed = parse(document);
  if (parsed === null) return null;
  const roots = Object.entries(parsed).filter(([name]) => !name.startsWith("?") && name !== "#text");
  const [[name, node] = ["", ""], second] = roots;
  if (name === "" || second !== undefined) return null;
  return { name, root: toElement(firstOf(node) ?? "") };
}

/** The text of a child; `null` when there is none, `""` when it is empty. */
export function textOf(element: XmlElement, name: string): string | null {
  const child = firstOf(element[name]);
  if (child === undefined) return null;
  return typeof child === "string" ? child : "";
}

/** A child that has children; `null` when there is none, without children when it is empty. */
export function childOf(element: XmlElement, name: string): XmlElement | null {
  const child = firstOf(element[name]);
  return child === undefined ? null : toElement(child);
}

/** All children of a name, in their order. */
export function childrenOf(element: XmlElement, name: string): readonly XmlElement[] {
  const children = element[name];
  if (children === undefined) return [];
  return isList(children) ? children.map(toElement) : [toElement(children)];
}

function parse(document: string): XmlElement | null {
  const parser = new XMLParser({
    ignoreAttributes: true,
    parseTagValue: false,
    trimValues: false,
    removeNSPrefix: true,
    isArray: (name) => LISTED.has(name),
    entityDecoder: {
      decode: decodeEntities,
      reset: () => undefined,
      setXmlVersion: () => undefined,
      setExternalEntities: () => undefined,
      addInputEntities: () => undefined,
    },
  });
  try {
    const parsed: unknown = parser.parse(document);
    return isElement(parsed) ? parsed : null;
  } catch {
    // Names that the parser refuses, such as `__proto__`.
    return null;
  }
}

function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replaceAll(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));/gi, (whole, hex, decimal, named) => {
    if (typeof named === "string") return NAMED.get(named) ?? whole;
    const code = typeof hex === "string" ? Number.parseInt(hex, 16) : Number(decimal);
    return code > MAX_CODE_POINT ? whole : String.fromCodePoint(code);
  });
}

function firstOf(node: XmlNode | undefined): XmlNode | undefined {
  return node !== undefined && isList(node) ? node[0] : node;
}

function toElement(node: XmlNode): XmlElement {
  return isElement(node) ? node : {};
}

function isElement(node: unknown): node is XmlElement {
  return typeof node === "object" && node !== null && !Array.isArray(node);
}

function isList(node: XmlNode): node is readonly XmlNode[] {
  return Array.isArray(node);
}
