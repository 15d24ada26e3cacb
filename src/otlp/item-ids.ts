/**
 * Ids of spans, links, log records and exemplars: which of them otlp-http 7 accepts, read from a sound message. A field
 * that is sent twice counts as its last occurrence.
 */
import { base64Bytes, findBase64End } from "./base64.ts";
import type { FieldSpec } from "./schema.ts";
import { MESSAGES } from "./schema.generated.ts";
import { toTag } from "./wire/table.ts";
import { WireReader } from "./wire/format.ts";

/** Bytes of each id, by its name in the `.proto` files. */
export const ID_BYTES: Readonly<Record<string, number>> = { trace_id: 16, span_id: 8, parent_span_id: 8 };
const BASE64_ID_BYTES: ReadonlySet<number> = new Set(Object.values(ID_BYTES));

/** A bad id. */
export interface IdFault {
  /** Key of the id in OTLP JSON. */
  readonly jsonName: string;
  /** The rest of the sentence: what it must be. */
  readonly text: string;
}

/** Finds the first bad id of a span: `trace_id` and `span_id` are needed, a parent of eight zero bytes is none. */
export function findSpanFault(reader: WireReader): IdFault | undefined {
  const ids = readIds(reader, "Span");
  return (
    checkId(ids, { name: "trace_id", isNeeded: true }) ??
    checkId(ids, { name: "span_id", isNeeded: true }) ??
    checkId(ids, { name: "parent_span_id", isNeeded: false, mayBeZero: true })
  );
}

/** Finds the first bad id of a link, where both are needed. */
export function findLinkFault(reader: WireReader): IdFault | undefined {
  const ids = readIds(reader, "Span.Link");
  return checkId(ids, { name: "trace_id", isNeeded: true }) ?? checkId(ids, { name: "span_id", isNeeded: true });
}

/** Finds the bad ids of a log record or an exemplar, where both may be absent; a bad trace id comes first. */
export function findRecordFaults(reader: WireReader, message: string): readonly IdFault[] {
  const ids = readIds(reader, message);
  return ["trace_id", "span_id"].flatMap((name) => checkId(ids, { name, isNeeded: false }) ?? []);
}

interface IdRule {
  readonly name: string;
  readonly isNeeded: boolean;
  readonly mayBeZero?: true;
}

interface Id {
  readonly field: FieldSpec;
  readonly value: Uint8Array;
}

function readIds(reader: WireReader, message: string): ReadonlyMap<string, Id> {
  const ids = new Map<string, Id>();
  for (const field of MESSAGES[message] ?? []) {
    if (field.name in ID_BYTES) ids.set(field.name, { field, value: new Uint8Array(0) });
  }
  while (!reader.isAtEnd()) {
    const tag = reader.readTag();
    const id = [...ids.values()].find(({ field }) => toTag(field) === tag);
    if (id === undefined) {
      reader.skipValue(tag);
      continue;
    }
    const end = reader.readValueEnd();
    ids.set(id.field.name, { field: id.field, value: reader.bytes.subarray(reader.position, end) });
    reader.position = end;
  }
  return ids;
}

function checkId(ids: ReadonlyMap<string, Id>, rule: IdRule): IdFault | undefined {
  const id = ids.get(rule.name);
  const size = ID_BYTES[rule.name] ?? 0;
  if (id === undefined || (id.value.length === 0 && !rule.isNeeded)) return undefined;
  const { jsonName } = id.field;
  if (id.value.length !== size) {
    const hint = isBase64OfId(id.value) ? " (ids are hex in OTLP JSON, this looks like base64)" : "";
    return { jsonName, text: `must be ${size} bytes, got ${id.value.length}${hint}` };
  }
  if (rule.mayBeZero !== true && id.value.every((byte) => byte === 0))
    return { jsonName, text: "must not be all zero" };
  return undefined;
}

/** Says whether an id is the padded base64 of one: 24 or 12 characters, which the JSON decoder leaves as its text. */
function isBase64OfId(value: Uint8Array): boolean {
  if (value.length % 4 !== 0) return false;
  const end = findBase64End(value, 0, value.length);
  return end >= 0 && BASE64_ID_BYTES.has(base64Bytes(end));
}
