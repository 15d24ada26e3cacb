/**
 * A protobuf message as a tree of fields that can be written again with one place changed and every length around it
 * right, so that a mutation reaches the inside of a message. By the `.proto` files it knows which fields are messages.
 */
import protobuf from "protobufjs";

/** One field as it stands on the wire. */
export interface WireNode {
  readonly number: number;
  readonly wireType: number;
  /** What follows the tag, without the length of a length-delimited field. */
  readonly value: Uint8Array;
  /** Fields inside, where the field is a message. */
  readonly children: readonly WireNode[] | null;
  /** Whether the `.proto` file says that it is text. */
  readonly isText: boolean;
}

/** Rewrites one field: gets it as it would be written, gives what stands there instead. */
export type WireEdit = (encoded: Uint8Array, node: WireNode) => Uint8Array;

/** Reads a valid message of a type. */
export function parseWire(type: protobuf.Type, body: Uint8Array): readonly WireNode[] {
  const reader = protobuf.Reader.create(body);
  const nodes: WireNode[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const wireType = tag & 7;
    const field = type.fieldsById[tag >>> 3];
    const start = reader.pos;
    const value = wireType === 2 ? reader.bytes() : body.subarray(start, reader.skipType(wireType).pos);
    const inner = field?.resolvedType;
    nodes.push({
      number: tag >>> 3,
      wireType,
      value,
      children: wireType === 2 && inner instanceof protobuf.Type ? parseWire(inner, value) : null,
      isText: field?.type === "string",
    });
  }
  return nodes;
}

/** Lists the fields of a tree, a message before what is in it. */
export function listNodes(nodes: readonly WireNode[]): readonly WireNode[] {
  return nodes.flatMap((node) => [node, ...listNodes(node.children ?? [])]);
}

/** Writes a tree. @param target - the field that `edit` rewrites; none is rewritten when it is absent */
export function writeTree(nodes: readonly WireNode[], target?: WireNode, edit?: WireEdit): Uint8Array {
  return Buffer.concat(
    nodes.map((node) => {
      const encoded = writeNode(node, target, edit);
      return node === target && edit !== undefined ? edit(encoded, node) : encoded;
    }),
  );
}

function writeNode(node: WireNode, target?: WireNode, edit?: WireEdit): Uint8Array {
  const value = node.children === null ? node.value : writeTree(node.children, target, edit);
  return node.wireType === 2
    ? writeDelimited(node.number, value)
    : Buffer.concat([writeTag(node.number, node.wireType), value]);
}

/** Writes a length-delimited field. */
export function writeDelimited(number: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([writeTag(number, 2), writeVarint(BigInt(value.length)), value]);
}

/** Writes a tag; number and wire type may be ones that protobuf does not have. */
export function writeTag(number: number, wireType: number): Uint8Array {
  return writeVarint((BigInt(number) << 3n) | BigInt(wireType));
}

/** Writes a varint. @param minBytes - more than it needs makes it non-minimal */
export function writeVarint(value: bigint, minBytes = 1): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(Number(rest & 0x7fn));
    rest >>= 7n;
  } while (rest > 0n || bytes.length < minBytes);
  return Uint8Array.from(bytes, (byte, i) => (i < bytes.length - 1 ? byte | 0x80 : byte));
}
