import { expect, test } from "vitest";
import { MAX_TOP_LEVEL_FIELD_BYTES } from "../../src/limits.ts";
import { openTopLevelSplitter, type TopLevelField } from "../../src/otlp/top-level.ts";
import { toKind } from "./json/document-sample.ts";
import { fill, fixed32Field, fixed64Field, lengthField, tag, varint, varintField } from "./wire-builder.ts";

const GROUP = [
  ...tag(7, 3),
  ...varintField(1, 300),
  ...tag(8, 3),
  ...lengthField(9, fill(200, 7)),
  ...tag(8, 4),
  ...tag(7, 4),
];
/** Every wire type, containers between them. */
const FIELDS: readonly (readonly number[])[] = [
  lengthField(1, fill(300, 1)),
  varintField(5, 2 ** 40),
  lengthField(1),
  GROUP,
  fixed64Field(6, 1),
  lengthField(2 ** 29 - 1, "unknown"),
  fixed32Field(7, 2),
  lengthField(1, "last"),
];

function split(stream: Uint8Array, pieceBytes: number): TopLevelField[] {
  const splitter = openTopLevelSplitter();
  const fields: TopLevelField[] = [];
  for (let start = 0; start < stream.length; start += pieceBytes) {
    fields.push(...splitter.push(stream.slice(start, start + pieceBytes)));
  }
  splitter.end();
  return fields;
}

test.each([1, 2, 3, 7, 64, 100, 255, 10_000])(
  "openTopLevelSplitter() yields the same fields from pieces of %d bytes",
  (pieceBytes) => {
    const fields = split(Uint8Array.from(FIELDS.flat()), pieceBytes);

    expect(fields.map(({ field }) => [...field])).toEqual(FIELDS);
    expect(fields.map(({ container }) => container && container.length)).toEqual([
      300,
      null,
      0,
      null,
      null,
      null,
      null,
      4,
    ]);
  },
);

test("openTopLevelSplitter() yields views of a piece that holds whole fields", () => {
  const piece = Uint8Array.from(lengthField(1, "abc"));

  const [first] = openTopLevelSplitter().push(piece);

  expect(first?.field.buffer).toBe(piece.buffer);
  expect(first?.container).toEqual(new TextEncoder().encode("abc"));
});

test("openTopLevelSplitter() keeps what it needs of a piece whose memory is used again", () => {
  const stream = Uint8Array.from(lengthField(1, fill(100, 9)));
  const splitter = openTopLevelSplitter();
  const piece = stream.slice(0, 60);

  splitter.push(piece);
  piece.fill(0);

  expect(splitter.push(stream.slice(60))[0]?.field).toEqual(stream);
});

test("openTopLevelSplitter() takes empty pieces and an empty stream", () => {
  const splitter = openTopLevelSplitter();

  expect(splitter.push(new Uint8Array(0))).toEqual([]);
  expect(() => splitter.end()).not.toThrow();
});

test("openTopLevelSplitter() takes a large container in small pieces", () => {
  const stream = new Uint8Array(8_000_000);
  stream.set([...tag(1, 2), ...varint(stream.length - 5)]);

  const fields = split(stream, 4096);

  expect(fields).toHaveLength(1);
  expect(fields[0]?.container).toHaveLength(stream.length - 5);
});

test.each([
  ["a field number of 0", [0, 1]],
  ["wire type 6", tag(3, 6)],
  ["wire type 7", tag(3, 7)],
  ["a varint of eleven bytes", [...tag(3, 0), ...fill(11, 0x80)]],
  ["a tag of six bytes", fill(6, 0x80)],
  ["a length above 2^31 - 1", [...tag(1, 2), ...varint(2 ** 31)]],
  ["a field above the limit", [...tag(1, 2), ...varint(MAX_TOP_LEVEL_FIELD_BYTES)]],
  ["field 1 that is no message", varintField(1, 1)],
  ["the end of a group that is not open", tag(3, 4)],
  ["the end of another group", [...tag(3, 3), ...tag(4, 4)]],
  ["groups that nest too deep", Array.from({ length: 101 }, () => [...tag(3, 3)]).flat()],
])("openTopLevelSplitter() refuses %s", (_, bytes) => {
  for (const pieceBytes of [1, 1000])
    expect(toKind(() => split(Uint8Array.from(bytes), pieceBytes))).toBe("corrupt_object");
});

test.each([
  ["a tag", [0x80]],
  ["a length", [...tag(1, 2), 0x80]],
  ["a payload", [...tag(1, 2), 5, 1, 2]],
  ["a fixed value", [...tag(3, 1), 1]],
  ["a group", [...tag(3, 3), ...varintField(1, 1)]],
])("openTopLevelSplitter() refuses a stream that ends inside %s", (_, bytes) => {
  expect(toKind(() => split(Uint8Array.from(bytes), 1))).toBe("corrupt_object");
});

test("openTopLevelSplitter() refuses a group that grows above the limit", () => {
  const splitter = openTopLevelSplitter();
  splitter.push(Uint8Array.from(tag(3, 3)));
  const element = Uint8Array.from(lengthField(4, fill(60_000, 1)));

  const kind = toKind(() => {
    for (let index = 0; index < 600; index++) splitter.push(element);
  });

  expect(kind).toBe("corrupt_object");
});
