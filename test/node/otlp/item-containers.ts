/**
 * Random other ways to write the containers of a request, items untouched: fields in other orders, messages in pieces,
 * scalars sent twice, unknown fields on every level, members of a oneof that a later one makes void.
 */
import protobuf from "protobufjs";
import { pick, type Random } from "../../../scripts/fuzz/random.ts";
import type { ItemSignal } from "../../../src/signal.ts";
import { DATA_MEMBERS, listFields, type WireField } from "./item-model.ts";

/** Field numbers that no version of OTLP uses in a container. */
const UNKNOWN_NUMBERS = [4, 15, 16, 31, 1000, 2 ** 29 - 1] as const;

/** Writes a request in another way; with unknown fields it holds the same items in other contexts, else the same. */
export function scrambleContainers(
  signal: ItemSignal,
  request: Uint8Array,
  { random, hasUnknown }: { readonly random: Random; readonly hasUnknown: boolean },
): Uint8Array {
  const unknown = (): Uint8Array[] => (hasUnknown && random(3) === 0 ? [randomUnknown(random)] : []);
  const rewriteScope = (value: Uint8Array): Uint8Array =>
    scramble(listFields(value), random, (field) =>
      field.number === 2 && signal === "metrics"
        ? [writeField(2, scrambleMetric(field.value, random, unknown)), ...unknown()]
        : [...rewriteContainerField(field, random), ...unknown()],
    );
  const rewriteContainer = (value: Uint8Array): Uint8Array =>
    scramble(listFields(value), random, (field) =>
      field.number === 2
        ? [writeField(2, rewriteScope(field.value)), ...unknown()]
        : [...rewriteContainerField(field, random), ...unknown()],
    );
  return Buffer.concat(listFields(request).map(({ value }) => writeField(1, rewriteContainer(value))));
}

/** Rewrites every field of a message and perhaps turns their order around, number by number as the Collector does. */
function scramble(
  fields: readonly WireField[],
  random: Random,
  rewrite: (field: WireField) => readonly Uint8Array[],
): Uint8Array {
  const ordered = random(2) === 0 ? fields : fields.toSorted((left, right) => right.number - left.number);
  return Buffer.concat(ordered.flatMap(rewrite));
}

/** A resource or scope in one or several pieces; a schema URL that comes twice, the last one being right. */
function rewriteContainerField({ number, value, raw }: WireField, random: Random): readonly Uint8Array[] {
  if (number === 1) return splitMessage(1, value, random);
  if (number === 3) return random(2) === 0 ? [raw] : [writeField(3, Buffer.from("void")), raw];
  return [raw];
}

function scrambleMetric(metric: Uint8Array, random: Random, unknown: () => Uint8Array[]): Uint8Array {
  return scramble(listFields(metric), random, (field) => {
    if (!DATA_MEMBERS.has(field.number)) return [field.raw, ...unknown()];
    const data = Buffer.concat(listFields(field.value).flatMap(({ raw }) => [raw, ...unknown()]));
    return [...voidData(field, random), ...splitMessage(field.number, data, random)];
  });
}

/** Members of `data` in front of the one that counts: others, or the same one with another between. */
function voidData({ number, value }: WireField, random: Random): readonly Uint8Array[] {
  const others = [...DATA_MEMBERS.keys()].filter((other) => other !== number);
  const other = writeField(
    others[random(others.length)] ?? 0,
    random(2) === 0 ? writeField(1, Buffer.of()) : Buffer.of(),
  );
  return pick(random, [[], [other], [writeField(number, value), other], [other, other]]);
}

/** A message as one field or as several, cut between its fields. */
function splitMessage(number: number, value: Uint8Array, random: Random): readonly Uint8Array[] {
  const fields = listFields(value).map(({ raw }) => raw);
  const at = random(fields.length + 1);
  if (random(2) === 0) return [writeField(number, value)];
  return [fields.slice(0, at), fields.slice(at)].map((piece) => writeField(number, Buffer.concat(piece)));
}

function writeField(number: number, value: Uint8Array): Uint8Array {
  const tag = number * 8 + 2;
  return protobuf.Writer.create().uint32(tag).bytes(value).finish();
}

function randomUnknown(random: Random): Uint8Array {
  const tag = pick(random, UNKNOWN_NUMBERS) * 8;
  const writer = protobuf.Writer.create();
  return pick(random, [
    () => writer.uint32(tag).uint32(random(1000)),
    () => writer.uint32(tag + 2).bytes(Uint8Array.from({ length: random(4) }, () => random(256))),
    () => writer.uint32(tag + 5).fixed32(random(1000)),
    () => writer.uint32(tag + 3).uint32(tag + 4),
  ])().finish();
}
