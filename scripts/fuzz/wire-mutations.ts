/** Mutations of protobuf: one field of a message changed, everything around it still right (otlp-http 6). */
import { chooseDepth, pick, type Random } from "./random.ts";
import { listNodes, writeDelimited, writeTag, writeTree, writeVarint, type WireNode } from "./wire-tree.ts";

/** Changes one field: gets it as it is written, gives what stands there instead. */
type FieldMutation = (encoded: Uint8Array, node: WireNode, random: Random) => Uint8Array;

/** Lengths that lie: beyond any message, at the edges of 32 and 64 bits, negative for a reader of signed numbers. */
const LENGTHS = [0n, 1n, 127n, 128n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 63n, 2n ** 64n - 1n] as const;
const NUMBERS = [0, 1, 2, 3, 5, 15, 16, 2047, 2 ** 29 - 1, 2 ** 29, 2 ** 32] as const;
const BAD_UTF8 = ["ff", "c080", "eda080", "f4908080", "e282", "80"] as const;
/** Field numbers that lead from `KeyValue` deeper: `value`, then `array_value.values` or `kvlist_value.values`. */
const ATTRIBUTES = [1, 3, 6, 7, 9] as const;

const FIELD_MUTATIONS: Readonly<Record<string, FieldMutation>> = {
  "wire.length": (_encoded, { number, value }, random) => {
    const length = random(2) === 0 ? pick(random, LENGTHS) : BigInt(Math.max(0, value.length + random(9) - 4));
    return Buffer.concat([writeTag(number, 2), writeVarint(length), value]);
  },
  "wire.tag": (encoded, { number, wireType }, random) => {
    const tag = random(2) === 0 ? writeTag(number, random(8)) : writeTag(pick(random, NUMBERS), wireType);
    return Buffer.concat([tag, encoded.subarray(writeTag(number, wireType).length)]);
  },
  "wire.longVarint": (encoded, { number, wireType }, random) => {
    const tag = writeTag(number, wireType);
    const padded = writeVarint(BigInt(number * 8 + wireType), random(12));
    return Buffer.concat([padded, encoded.subarray(tag.length)]);
  },
  "wire.delete": () => new Uint8Array(),
  "wire.repeat": (encoded, _node, random) => Buffer.concat(Array.from({ length: 2 + random(3) }, () => encoded)),
  "wire.empty": (_encoded, { number }) => writeDelimited(number, new Uint8Array()),
  "wire.reverse": (encoded, { number, children }) =>
    children === null ? encoded : writeDelimited(number, writeTree(children.toReversed())),
  "wire.text": (_encoded, { number, value }, random) => {
    const bad = Buffer.from(pick(random, BAD_UTF8), "hex");
    const at = random(value.length + 1);
    return writeDelimited(number, Buffer.concat([value.subarray(0, at), bad, value.subarray(at)]));
  },
  "wire.unknown": (encoded, _node, random) => {
    const number = pick(random, NUMBERS);
    const content = Uint8Array.from({ length: random(30) }, () => random(256));
    return Buffer.concat([encoded, random(2) === 0 ? writeDelimited(number, content) : writeGroup(number, content)]);
  },
  "wire.group": (encoded, { number }, random) => {
    const end = random(3) === 0 ? [] : writeTag(random(3) === 0 ? number + 1 : number, 4);
    return Buffer.concat(
      [random(4) === 0 ? [] : writeTag(number, 3), encoded, end].map((part) => Uint8Array.from(part)),
    );
  },
  "wire.nest": (encoded, _node, random) => {
    const depth = chooseDepth(random);
    const nested = random(3) === 0 ? nestGroups(depth) : nestValues(depth, random);
    return Buffer.concat([encoded, writeDelimited(pick(random, ATTRIBUTES), nested)]);
  },
};

/** Names of the mutations, as a run counts them. */
export const WIRE_MUTATIONS: readonly string[] = Object.keys(FIELD_MUTATIONS);

/** Applies a mutation to a random field of a message. */
export function mutateWire(name: string, nodes: readonly WireNode[], random: Random): Uint8Array {
  const mutation = FIELD_MUTATIONS[name];
  if (mutation === undefined) throw new Error(`Cannot mutate: there is no "${name}"`);
  const all = listNodes(nodes);
  const fitting = name === "wire.text" ? all.filter(({ isText }) => isText) : all;
  const target = fitting[random(fitting.length)];
  return writeTree(nodes, target, (encoded, node) => mutation(encoded, node, random));
}

function writeGroup(number: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([writeTag(number, 3), writeDelimited(1, content), writeTag(number, 4)]);
}

/** A `KeyValue` whose value holds lists in lists; heads only, from the inside, since each level holds the rest. */
function nestValues(depth: number, random: Random): Uint8Array {
  const heads: Uint8Array[] = [writeDelimited(1, Buffer.from("deep"))];
  let length = heads[0]?.length ?? 0;
  const wrap = (number: number): void => {
    const head = Buffer.concat([writeTag(number, 2), writeVarint(BigInt(length))]);
    heads.push(head);
    length += head.length;
  };
  for (let level = 0; level < depth; level += 1) {
    const isList = random(2) === 0;
    if (!isList) wrap(2);
    wrap(1);
    wrap(isList ? 5 : 6);
  }
  wrap(2);
  return Buffer.concat(heads.toReversed());
}

function nestGroups(depth: number): Uint8Array {
  const starts = Array.from({ length: depth }, () => writeTag(40, 3));
  const ends = Array.from({ length: depth }, () => writeTag(40, 4));
  return Buffer.concat([...starts, ...ends]);
}
