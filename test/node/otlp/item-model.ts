/**
 * An independent reading of items with their contexts: protobufjs reads tags, values and messages, and plain code
 * applies protobuf's rules to what comes in pieces or several times.
 */
import protobuf from "protobufjs";
import { loadProtos } from "../../../scripts/generate-otlp-schema.ts";
import type { ItemSignal } from "../../../src/signal.ts";

/** A field as it stands on the wire. */
export interface WireField {
  readonly number: number;
  readonly wireType: number;
  /** All of its bytes. */
  readonly raw: Uint8Array;
  /** Its value without the length, when it is of wire type 2. */
  readonly value: Uint8Array;
}

/** Members of `Metric.data` by field number, and the numbers of their own fields besides the data points. */
export const DATA_MEMBERS: ReadonlyMap<number, readonly number[]> = new Map([
  [5, []],
  [7, [2, 3]],
  [9, [2]],
  [10, [2]],
  [11, []],
]);

const ROOT = loadProtos();
const RESOURCE = ROOT.lookupType("opentelemetry.proto.resource.v1.Resource");
const SCOPE = ROOT.lookupType("opentelemetry.proto.common.v1.InstrumentationScope");
const KEY_VALUE = ROOT.lookupType("opentelemetry.proto.common.v1.KeyValue");
const CONTAINER = { messages: 1, children: 2, text: 3 };

/** Lists the fields of a message. */
export function listFields(bytes: Uint8Array): readonly WireField[] {
  const reader = protobuf.Reader.create(bytes);
  const fields: WireField[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    const wireType = tag & 7;
    const value = wireType === 2 ? reader.bytes() : new Uint8Array(0);
    if (wireType !== 2) reader.skipType(wireType);
    fields.push({ number: tag >>> 3, wireType, value, raw: bytes.slice(start, reader.pos) });
  }
  return fields;
}

/** Describes every item with its context, in the order of the bytes: equal texts are equal items in equal contexts. */
export function describeItems(signal: ItemSignal, request: Uint8Array): readonly string[] {
  return valuesOf(listFields(request), 1).flatMap((container) => {
    const resource = listFields(container);
    return valuesOf(resource, CONTAINER.children).flatMap((scopeContainer) => {
      const scope = listFields(scopeContainer);
      const context = { resource: describeContainer(resource, RESOURCE), scope: describeContainer(scope, SCOPE) };
      const children = valuesOf(scope, CONTAINER.children);
      const items =
        signal === "metrics" ? children.flatMap(describePoints) : children.map((child) => ({ item: hex(child) }));
      return items.map((item) => JSON.stringify({ ...context, ...item }));
    });
  });
}

function describeContainer(fields: readonly WireField[], type: protobuf.Type): object {
  const known = Object.values(CONTAINER);
  return {
    message: toObject(type, valuesOf(fields, CONTAINER.messages)),
    schemaUrl: textOf(fields, CONTAINER.text),
    unknown: unknownOf(fields, known),
  };
}

function describePoints(metric: Uint8Array): readonly object[] {
  const fields = listFields(metric);
  let number = 0;
  let pieces: Uint8Array[] = [];
  for (const field of fields) {
    if (!DATA_MEMBERS.has(field.number)) continue;
    if (field.number !== number) pieces = [];
    number = field.number;
    pieces.push(field.value);
  }
  const data = listFields(Buffer.concat(pieces));
  const scalars = DATA_MEMBERS.get(number) ?? [];
  const context = {
    texts: [1, 2, 3].map((text) => textOf(fields, text)),
    metadata: valuesOf(fields, 12).map((value) => toObject(KEY_VALUE, [value])),
    unknown: unknownOf(fields, [1, 2, 3, 12, ...DATA_MEMBERS.keys()]),
    number,
    scalars: scalars.map((scalar) => varintOf(data, scalar)),
    unknownOfData: unknownOf(data, [1, ...scalars]),
  };
  return valuesOf(data, 1).map((point) => ({ ...context, item: hex(point) }));
}

function valuesOf(fields: readonly WireField[], number: number): readonly Uint8Array[] {
  return fields.filter((field) => field.number === number).map(({ value }) => value);
}

/** A message that may come in pieces; null when it is absent. */
function toObject(type: protobuf.Type, pieces: readonly Uint8Array[]): unknown {
  if (pieces.length === 0) return null;
  return type.toObject(type.decode(Buffer.concat(pieces)), { longs: String, bytes: String });
}

function textOf(fields: readonly WireField[], number: number): string {
  return new TextDecoder().decode(valuesOf(fields, number).at(-1));
}

function varintOf(fields: readonly WireField[], number: number): number {
  const last = fields.findLast((field) => field.number === number);
  if (last === undefined) return 0;
  const reader = protobuf.Reader.create(last.raw);
  reader.uint32();
  return reader.uint32();
}

function unknownOf(fields: readonly WireField[], known: readonly number[]): readonly string[] {
  return fields.filter(({ number }) => !known.includes(number)).map(({ raw }) => hex(raw));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
