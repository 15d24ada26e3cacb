/** Writes protobuf by hand, sound or not: what an encoder would refuse to write is what the tests of rejects need. */

/** Bytes of a varint of up to 64 bits. */
export function varint(value: number | bigint): readonly number[] {
  const output: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) output.push(Number(rest & 0x7fn) | 0x80);
  return [...output, Number(rest)];
}

/** Bytes of a tag. */
export function tag(number: number, wireType: number): readonly number[] {
  return varint(number * 8 + wireType);
}

/** A field of wire type 0. */
export function varintField(number: number, value: number | bigint): readonly number[] {
  return [...tag(number, 0), ...varint(value)];
}

/** A field of wire type 1, all bytes of the value alike. */
export function fixed64Field(number: number, byte: number = 0): readonly number[] {
  return [...tag(number, 1), ...Array.from({ length: 8 }, () => byte)];
}

/** A field of wire type 5, all bytes of the value alike. */
export function fixed32Field(number: number, byte: number = 0): readonly number[] {
  return [...tag(number, 5), ...Array.from({ length: 4 }, () => byte)];
}

/** A field of wire type 2: bytes, a nested message as its fields, or a text. */
export function lengthField(number: number, ...values: readonly (readonly number[] | string)[]): readonly number[] {
  const value = values.flatMap((part) => (typeof part === "string" ? [...new TextEncoder().encode(part)] : part));
  return [...tag(number, 2), ...varint(value.length), ...value];
}

/** So many bytes alike, such as an id. */
export function fill(size: number, byte: number): readonly number[] {
  return Array.from({ length: size }, () => byte);
}

/** A traces request with one scope that holds these fields, mostly spans (field 2). */
export function traces(...scopeFields: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(lengthField(1, lengthField(2, ...scopeFields)));
}

/** A span with good ids and these fields after them. */
export function span(...fields: readonly (readonly number[])[]): readonly number[] {
  return lengthField(2, lengthField(1, fill(16, 1)), lengthField(2, fill(8, 2)), ...fields);
}

/** A logs request with one log record of these fields. */
export function logs(...recordFields: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(lengthField(1, lengthField(2, lengthField(2, ...recordFields))));
}

/** A metrics request with one metric of these fields. */
export function metrics(...metricFields: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(lengthField(1, lengthField(2, lengthField(2, ...metricFields))));
}

/** Unknown groups in groups. */
export function groups(depth: number): readonly number[] {
  return [3, 4].flatMap((wireType) => Array.from({ length: depth }, () => tag(99, wireType)).flat());
}

/** An AnyValue of arrays in arrays, two messages each, around the fields of a value. */
export function nestedArrays(arrays: number, innermost: readonly number[] = []): readonly number[] {
  let value = innermost;
  for (let index = 0; index < arrays; index += 1) value = lengthField(5, lengthField(1, value));
  return value;
}

/** An AnyValue that is a list of one short attribute: that one's value is three messages deeper than the list. */
export const SHORT_LIST: readonly number[] = lengthField(
  6,
  lengthField(1, lengthField(1, "service.name"), lengthField(2, lengthField(1, "shop"))),
);
