/** Spans of every shape beside the same written by `JSON.stringify`: those of the usual form and all near it. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeJsonRequest } from "../../../src/otlp/json/encode.ts";
import { fill, lengthField, tag, varintField } from "../wire-builder.ts";

/** A field of a span: on the wire, and what JSON says of it; `undefined` if nothing. */
interface Field {
  readonly name: string;
  readonly wire: readonly number[];
  readonly json: unknown;
}

const BYTE = fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0xff);

function idField(name: string, number: number, idBytes: number): fc.Arbitrary<Field> {
  const sound = fc.array(BYTE, { minLength: idBytes, maxLength: idBytes });
  const other = fc.constantFrom<readonly number[]>([], [1], fill(idBytes - 1, 1), fill(idBytes, 0));
  const bytes = fc.oneof({ weight: 8, arbitrary: sound }, { weight: 1, arbitrary: other });
  return bytes.map((id) => {
    const isNone = id.length === 0 || (id.length === idBytes && id.every((byte) => byte === 0));
    const hex = id.map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return { name, wire: lengthField(number, id), json: isNone ? undefined : hex };
  });
}

function textField(name: string, number: number): fc.Arbitrary<Field> {
  return fc.constantFrom("", "GET", 'a"b', "größer", "x".repeat(300)).map((text) => {
    return { name, wire: lengthField(number, text), json: text === "" ? undefined : text };
  });
}

function timeField(name: string, number: number): fc.Arbitrary<Field> {
  const times = fc.oneof(
    fc.constantFrom(0n, 1n, 1_544_712_660_300_000_001n),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  );
  return times.map((time) => {
    const bytes = new Uint8Array(BigUint64Array.of(time).buffer);
    return { name, wire: [...tag(number, 1), ...bytes], json: time === 0n ? undefined : String(time) };
  });
}

const KIND: fc.Arbitrary<Field> = fc.constantFrom(0, 1, 5, 9, 10, 127, 128).map((kind) => {
  return { name: "kind", wire: varintField(6, kind), json: kind === 0 ? undefined : kind };
});
const FLAGS: fc.Arbitrary<Field> = fc.constantFrom(0, 1, 0x100, 0x301, 0xffff_ffff).map((flags) => {
  const bytes = new Uint8Array(Uint32Array.of(flags).buffer);
  return { name: "flags", wire: [...tag(16, 5), ...bytes], json: flags === 0 ? undefined : flags };
});
/** In pdata's order; each may be absent. */
const FIELDS = fc.tuple(
  ...[
    idField("traceId", 1, 16),
    idField("spanId", 2, 8),
    fc.option(textField("traceState", 3), { nil: null, freq: 2 }),
    idField("parentSpanId", 4, 8),
    FLAGS,
    textField("name", 5),
    KIND,
    timeField("startTimeUnixNano", 7),
    timeField("endTimeUnixNano", 8),
  ].map((field) => fc.option<Field | null>(field, { nil: null, freq: 8 })),
);
/** On the wire they may come in any order. */
const SPAN = FIELDS.map((fields) => fields.filter((field) => field !== null)).chain((present) =>
  fc.oneof(
    fc.constant({ present, sent: present }),
    fc.shuffledSubarray(present, { minLength: present.length }).map((sent) => ({ present, sent })),
  ),
);

test("encodeJsonRequest() writes spans of the usual form as any other", () => {
  fc.assert(
    fc.property(fc.array(SPAN, { minLength: 1, maxLength: 4 }), (spans) => {
      const wire = spans.flatMap(({ sent }) => lengthField(2, ...sent.map((field) => field.wire)));
      const body = Uint8Array.from(lengthField(1, lengthField(2, wire)));
      const expected = spans.map(({ present }) => ({
        ...Object.fromEntries(present.map(({ name, json }) => [name, json])),
        status: {},
      }));

      const json = new TextDecoder().decode(encodeJsonRequest("traces", body));

      expect(json).toBe(
        JSON.stringify({ resourceSpans: [{ resource: {}, scopeSpans: [{ scope: {}, spans: expected }] }] }),
      );
    }),
    { numRuns: 1000 },
  );
});
