import { expect, test } from "vitest";
import { ByteWriter } from "../../src/otlp/byte-writer.ts";
import { GroupTree } from "../../src/otlp/group-tree.ts";
import { CONTAINER_RULES, ContextPart, type ItemContext } from "../../src/otlp/item-context.ts";
import { iterateItems } from "../../src/otlp/items.ts";
import { openRegrouper, type GroupOrder, type Regrouper } from "../../src/otlp/regroup.ts";
import { validateRequest } from "../../src/otlp/validate.ts";
import type { ItemSignal } from "../../src/signal.ts";
import { fixed64Field, lengthField, span, traces, varint, varintField } from "./wire-builder.ts";

type Bytes = readonly number[];

function addAll(regrouper: Regrouper, signal: ItemSignal, request: Bytes): void {
  for (const item of iterateItems(signal, Uint8Array.from(request))) regrouper.add(item);
}

function regroup(signal: ItemSignal, request: Bytes, order: GroupOrder = "arrival"): Bytes {
  const regrouper = openRegrouper();
  addAll(regrouper, signal, request);
  return [...regrouper.end(order)];
}

/** A resource with one attribute key, which names it. */
function resource(key: string): Bytes {
  return lengthField(1, lengthField(1, lengthField(1, key)));
}

function library(name: string): Bytes {
  return lengthField(1, lengthField(1, name));
}

function named(name: string): Bytes {
  return span(lengthField(5, name));
}

/** A metric of this name with one data point. */
function metric(name: string): Bytes {
  return lengthField(2, lengthField(1, name), lengthField(5, lengthField(1)));
}

function sum(...fields: readonly Bytes[]): Bytes {
  return lengthField(2, lengthField(1, "n"), lengthField(7, ...fields));
}

function point(byte: number): Bytes {
  return lengthField(1, fixed64Field(3, byte));
}

test("openRegrouper() puts items of one resource and scope together, as they were first seen", () => {
  const request = [
    ...lengthField(
      1,
      resource("b"),
      lengthField(2, library("y"), named("1")),
      lengthField(2, library("x"), named("2")),
    ),
    ...lengthField(1, resource("a"), lengthField(2, library("y"), named("3"))),
    ...lengthField(1, lengthField(2, library("y"), named("4")), resource("b")),
  ];

  expect(regroup("traces", request)).toEqual([
    ...lengthField(
      1,
      resource("b"),
      lengthField(2, library("y"), named("1"), named("4")),
      lengthField(2, library("x"), named("2")),
    ),
    ...lengthField(1, resource("a"), lengthField(2, library("y"), named("3"))),
  ]);
});

test("openRegrouper() sorts groups by their forms on every level when asked to", () => {
  const request = [
    ...lengthField(
      1,
      resource("bb"),
      lengthField(2, library("y"), metric("n"), metric("m")),
      lengthField(2, library("x"), metric("n")),
    ),
    ...lengthField(1, resource("b"), lengthField(2, metric("n"))),
  ];

  expect(regroup("metrics", request, "form")).toEqual([
    ...lengthField(1, resource("b"), lengthField(2, metric("n"))),
    ...lengthField(
      1,
      resource("bb"),
      lengthField(2, library("x"), metric("n")),
      lengthField(2, library("y"), metric("m"), metric("n")),
    ),
  ]);
});

test("openRegrouper() puts data points of one metric together", () => {
  const request = lengthField(
    1,
    lengthField(
      2,
      sum(point(1), varintField(2, 1)),
      sum(varintField(2, 2), point(2)),
      sum(varintField(2, 1), point(3)),
    ),
  );

  expect(regroup("metrics", request)).toEqual(
    lengthField(1, lengthField(2, sum(varintField(2, 1), point(1), point(3)), sum(varintField(2, 2), point(2)))),
  );
});

test.each<readonly [fact: string, one: Bytes, other: Bytes]>([
  ["members of data", lengthField(5, lengthField(1)), lengthField(7, lengthField(1))],
  ["fields of their data", lengthField(5, lengthField(1)), lengthField(5, lengthField(1), varintField(31, 1))],
  [
    "unknown fields",
    [...lengthField(5, lengthField(1)), ...varintField(31, 1)],
    lengthField(5, lengthField(1), varintField(31, 1)),
  ],
])("openRegrouper() keeps metrics apart that differ in %s", (_fact, one, other) => {
  const request = lengthField(1, lengthField(2, lengthField(2, one), lengthField(2, other)));

  expect(regroup("metrics", request)).toHaveLength(request.length);
});

test("openRegrouper() keeps a resource that is empty apart from one that is absent", () => {
  const request = [
    ...lengthField(1, lengthField(1), lengthField(2, span())),
    ...lengthField(1, lengthField(2, span())),
  ];

  expect(regroup("traces", request)).toEqual(request);
});

test("openRegrouper() copies items as they are, unknown fields and all", () => {
  const odd = lengthField(2, varintField(90, 1), lengthField(5, "x"), [...varint(6 * 8), 0x80, 0x00]);

  expect(regroup("traces", [...traces(odd)])).toEqual([...traces(odd)]);
});

test("Regrouper.end() writes an empty request without items", () => {
  expect(regroup("traces", [...traces()])).toEqual([]);
});

test("Regrouper.end() forgets what it wrote", () => {
  const regrouper = openRegrouper();
  const empty = regrouper.heldBytes;
  addAll(regrouper, "traces", [...traces(span())]);

  const first = regrouper.end("arrival");

  expect(regrouper.itemCount).toBe(0);
  expect(regrouper.heldBytes).toBe(empty);
  expect(regrouper.end("arrival")).toHaveLength(0);
  addAll(regrouper, "traces", [...traces(span())]);
  expect(regrouper.end("arrival")).toEqual(first);
});

test("Regrouper.release() lets the request go: items and their contexts were copied", () => {
  const regrouper = openRegrouper();
  const request = Uint8Array.from(lengthField(1, resource("a"), lengthField(2, span())));
  const expected = [...request];

  for (const item of iterateItems("traces", request)) regrouper.add(item);
  regrouper.release();
  request.fill(0);

  expect([...regrouper.end("arrival")]).toEqual(expected);
});

test("Regrouper.heldBytes is never less than the request takes", () => {
  const regrouper = openRegrouper();
  for (let index = 0; index < 300; index += 1) {
    addAll(
      regrouper,
      "logs",
      lengthField(1, resource(`${index % 50}`), lengthField(2, library(`${index}`), lengthField(2))),
    );
  }
  const { heldBytes, itemCount } = regrouper;

  const output = regrouper.end("form");

  expect(itemCount).toBe(300);
  expect(output.length).toBeLessThanOrEqual(heldBytes);
  expect(validateRequest("logs", output).itemCount).toBe(300);
});

test("GroupTree.find() keeps contexts of one hash apart and stays fast", () => {
  const tree = new GroupTree();
  const groups = new Set<number>();
  const forms = collidingForms(50_000);

  for (const form of forms) groups.add(tree.find(toContext(form)));

  expect(new Set(forms.map(String)).size).toBe(forms.length);
  expect(groups.size).toBe(forms.length);
});

function toContext(scope: Uint8Array): ItemContext {
  return { resource: toPart(new Uint8Array(0)), scope: toPart(scope), metric: null };
}

function toPart(bytes: Uint8Array): ContextPart {
  return new ContextPart({ bytes, start: 0, end: bytes.length }, CONTAINER_RULES);
}

/**
 * Makes forms whose hash is 0 where {@link GroupTree} hashes them: its last step makes 0 of a word equal to the state
 * before it. Each is an unknown field of ten bytes, which are free.
 */
function collidingForms(count: number): readonly Uint8Array[] {
  // The first resource is group 1, and a scope has no tag of data: -1.
  const seed = Math.imul(1 ^ (-1 << 24) ^ 12, 0x9e3779b1);
  return Array.from({ length: count }, (_, index) => {
    const view = new DataView(new ArrayBuffer(12));
    view.setUint32(0, 0x0000_0a22, true);
    view.setUint32(4, index, true);
    view.setInt32(8, stepHash(stepHash(seed, 0x0000_0a22), index), true);
    return new Uint8Array(view.buffer);
  });
}

function stepHash(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/** Writes what was gathered as requests of bounded length. */
function writeParts(
  regrouper: Regrouper,
  maxBytes: number,
): readonly { readonly bytes: Bytes; readonly itemCount: number }[] {
  const parts = regrouper.openParts("form");
  const written: { readonly bytes: Bytes; readonly itemCount: number }[] = [];
  for (;;) {
    const output = new ByteWriter(0, Number.POSITIVE_INFINITY);
    const restBytes = parts.maxRestBytes;
    const itemCount = parts.writeNext(output, maxBytes);
    if (itemCount === 0) break;
    expect(Math.min(output.length, maxBytes)).toBeLessThanOrEqual(restBytes);
    written.push({ bytes: [...output.toBytes()], itemCount });
  }
  regrouper.clear();
  return written;
}

test("Regrouper.add() writes the shortest tags and lengths, whatever stands between items", () => {
  const [tag = 0, length = 0, ...payload] = named("2");
  const long = [tag | 0x80, 0, length | 0x80, 0, ...payload];
  const unknown = [0x78, 5];
  const request = traces(named("1"), long, named("3"), unknown, named("4"), named("5"));
  expect(regroup("traces", [...request])).toEqual([...traces(unknown, ...["1", "2", "3", "4", "5"].map(named))]);
});

test("Regrouper.add() sorts the items of a group by their keys, and leaves those of one key as they came", () => {
  const regrouper = openRegrouper();
  const names = ["c", "a2", "b", "a1"];
  const keys = [0xffff_ffff, 1, 5, 1];
  const request = Uint8Array.from(traces(...names.map(named)));
  let index = 0;
  for (const item of iterateItems("traces", request)) regrouper.add(item, keys[index++] ?? 0);

  expect([...regrouper.end("form")]).toEqual([...traces(...["a2", "a1", "b", "c"].map(named))]);
});

test.each([1, 60, 100, 150, 1000, 100_000])("Regrouper.openParts() cuts what was gathered at %i bytes", (maxBytes) => {
  const request = ["a", "b"].flatMap((key) =>
    lengthField(
      1,
      resource(key),
      ...["x", "y"].map((name) => lengthField(2, library(name), ...["1", "2", "3", "4"].map(named))),
    ),
  );
  const regrouper = openRegrouper();
  addAll(regrouper, "traces", request);

  const parts = writeParts(regrouper, maxBytes);

  expect(parts.reduce((total, { itemCount }) => total + itemCount, 0)).toBe(16);
  for (const part of parts) expect(part.bytes.length <= maxBytes || part.itemCount === 1).toBe(true);
  expect(
    regroup(
      "traces",
      parts.flatMap(({ bytes }) => bytes),
      "form",
    ),
  ).toEqual(regroup("traces", request, "form"));
  expect(regrouper.itemCount).toBe(0);
});

test("Regrouper.openParts() goes on with a metric under its context", () => {
  const request = lengthField(1, resource("a"), lengthField(2, sum(varintField(2, 1), point(1), point(2), point(3))));
  const regrouper = openRegrouper();
  addAll(regrouper, "metrics", request);

  const parts = writeParts(regrouper, 1);

  expect(parts.map(({ bytes }) => bytes)).toEqual(
    [1, 2, 3].map((byte) => lengthField(1, resource("a"), lengthField(2, sum(varintField(2, 1), point(byte))))),
  );
});
