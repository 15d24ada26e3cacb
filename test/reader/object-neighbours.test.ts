/** What stands in an object before the one thing that is wrong with it: all of it is given, however it is gathered. */
import { assert, asyncProperty, constantFrom, integer } from "fast-check";
import { describe, expect, it } from "vitest";
import type { ObjectForm } from "../../src/archive/object-form.ts";
import { compressMember } from "../../src/compression/member.ts";
import { TOP_LEVEL_FIELDS_AT_ONCE } from "../../src/limits.ts";
import { hashKey } from "../../src/reader/part-hash.ts";
import { readProtobufFields } from "../../src/reader/object-fields.ts";
import { foreignKey, FORMS, jsonElement } from "./archive-forms.ts";
import { readRequest, take } from "./archive-sample.ts";
import { concat, field, request } from "./otlp-sample.ts";
import { bytesObject, openSyntheticStore } from "./synthetic-store.ts";

const HOUR = { start: "2026-05-01T14:00:00Z", end: "2026-05-01T15:00:00Z" };
const FAULTS: Readonly<Record<ObjectForm["marshaler"], readonly Uint8Array[]>> = {
  otlp_proto: [
    request("traces", ["n-x"]).map((byte) => (byte === 0x78 ? 0xff : byte)),
    Uint8Array.of(0x0f),
    Uint8Array.of(0x08, 0x01),
    field(1, Uint8Array.of(0x12, 0x7f, 0x01)),
  ],
  otlp_json: ['{"scopeSpans":[{"spans":5}]}', '{"scopeSpans":]}', "5", '{"scopeSpans":[[]]}'].map(toBytes),
};

function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The contents of members, those of JSON in one document. */
function toContents(names: readonly string[], { marshaler }: ObjectForm, fault: number): readonly Uint8Array[] {
  const broken = FAULTS[marshaler][fault] ?? new Uint8Array(0);
  if (marshaler === "otlp_proto") return names.map((name) => (name === "" ? broken : request("traces", [name])));
  const elements = names.map((name) => (name === "" ? broken : toBytes(jsonElement("traces", [name]))));
  const separated = elements.flatMap((element) => [toBytes(","), element]).slice(1);
  return [toBytes('{"resourceSpans":['), ...separated, toBytes("]}")];
}

describe("readWindow()", () => {
  const cases = FORMS.flatMap((form) => [true, false].map((isOneMember) => ({ ...form, isOneMember })));

  it.each(cases)(
    "gives what stands before a fault: $marshaler, $compression, one member: $isOneMember",
    async ({ isOneMember, ...form }) => {
      await assert(
        asyncProperty(
          integer({ min: 0, max: 9 }),
          integer({ min: 0, max: 3 }),
          constantFrom(7, 1000, 1_000_000),
          async (faultAt, fault, pieceBytes) => {
            const names = Array.from({ length: 10 }, (_, index) => (index === faultAt ? "" : `n-${index}`));
            const contents = toContents(names, form, fault);
            const members = (isOneMember ? [concat(contents)] : contents).map((raw) =>
              compressMember(raw, form.compression),
            );
            const key = foreignKey("traces", form);
            const store = openSyntheticStore();
            store.objects.set(key, bytesObject(concat(members), pieceBytes));

            const skipped = await take(readRequest(HOUR, { store, onError: "skip" }));

            const expected = names.slice(0, faultAt).map((name) => request("traces", [name]));
            expect(skipped).toMatchObject({ itemCount: faultAt, unreadable: [key] });
            expect(skipped.bytes).toEqual(concat(expected));
            await expect(take(readRequest(HOUR, { store }))).rejects.toMatchObject({ kind: "corrupt_object" });
          },
        ),
        { numRuns: 30 },
      );
    },
  );
});

describe("readWindow() from a place inside an object", () => {
  const cases = FORMS.flatMap((form) => [true, false].map((isOneMember) => ({ ...form, isOneMember })));

  it.each(cases)(
    "counts fields, whatever they come in: $marshaler, $compression, one member: $isOneMember",
    async ({ isOneMember, ...form }) => {
      await assert(
        asyncProperty(integer({ min: 1, max: 60 }), constantFrom(7, 1000, 1_000_000), async (count, pieceBytes) => {
          const names = Array.from({ length: count }, (_, index) => `n-${index}`);
          const contents = toContents(names, form, 0);
          const members = isOneMember ? [concat(contents)] : contents;
          const key = foreignKey("traces", form);
          const store = openSyntheticStore();
          const object = concat(members.map((raw) => compressMember(raw, form.compression)));
          store.objects.set(key, bytesObject(object, pieceBytes));
          const start = "2026-05-01T14:09:00Z";

          for (const fields of new Set([0, 1, count >> 1, count - 1])) {
            const place = { generation: 0, part: hashKey(key), runs: 0, fields };
            const taken = await take(readRequest({ ...HOUR, start }, { store, place }));

            expect(taken.itemCount).toBe(count - fields);
            expect(taken.bytes).toEqual(concat(names.slice(fields).map((name) => request("traces", [name]))));
          }
        }),
        { numRuns: 10 },
      );
    },
  );

  it("counts more fields than are named at once", async () => {
    const one = request("traces", ["n"]);
    const count = TOP_LEVEL_FIELDS_AT_ONCE + 10;
    const key = foreignKey("traces", { marshaler: "otlp_proto", compression: "gzip" });
    const object = compressMember(concat(Array.from({ length: count }, () => one)), "gzip");
    const store = openSyntheticStore({ [key]: object });
    for (const left of [20, 10, 1]) {
      const place = { generation: 0, part: hashKey(key), runs: 0, fields: count - left };

      const taken = await take(readRequest({ ...HOUR, start: "2026-05-01T14:09:00Z" }, { store, place }));

      expect(taken.itemCount).toBe(left);
      expect(taken.bytes.length).toBe(left * one.length);
    }
  });
});

describe("readProtobufFields()", () => {
  it("names a bounded number of fields at once, though there is one every two bytes", async () => {
    const fieldCount = 3 * TOP_LEVEL_FIELDS_AT_ONCE + 5;
    const piece = new Uint8Array(2 * fieldCount).map((_, at) => (at % 2 === 0 ? 0x0a : 0));
    const counts: number[] = [];

    for await (const run of readProtobufFields(once(piece), "traces")) counts.push(run.fields.length);

    expect(counts).toEqual([TOP_LEVEL_FIELDS_AT_ONCE, TOP_LEVEL_FIELDS_AT_ONCE, TOP_LEVEL_FIELDS_AT_ONCE, 5]);
  });
});

async function* once(piece: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield piece;
}
