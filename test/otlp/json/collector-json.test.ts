/** The JSON is the Collector's: compared with what pdata itself wrote. Where it differs, `encode.test.ts` says so. */
import { expect, test } from "vitest";
import { encodeJsonRequest } from "../../../src/otlp/json/encode.ts";
import { MESSAGES } from "../../../src/otlp/schema.generated.ts";
import { REQUEST_MESSAGE, type MessageTable } from "../../../src/otlp/schema.ts";
import { COLLECTOR_SAMPLES } from "../../fixtures/collector-json.generated.ts";

const TABLE: MessageTable = MESSAGES;

test.each(COLLECTOR_SAMPLES)(
  "encodeJsonRequest() writes byte for byte what the Collector writes: $name",
  ({ signal, protobuf, json }) => {
    const body = Uint8Array.from(atob(protobuf), (character) => character.charCodeAt(0));

    const written = encodeJsonRequest(signal, body);

    expect(new TextDecoder().decode(written)).toBe(json);
    expect(written).toEqual(new TextEncoder().encode(json));
  },
);

/** Adds the fields that occur in a JSON value of a message, such as `Span.kind`. */
function collectFields(message: string, value: unknown, fields: Set<string>): void {
  for (const [jsonName, member] of Object.entries(value as object)) {
    fields.add(`${message}.${jsonName}`);
    const inner = TABLE[message]?.find((spec) => spec.jsonName === jsonName)?.message;
    if (inner !== undefined) for (const element of [member].flat()) collectFields(inner, element, fields);
  }
}

test("the samples of the Collector have every field of the message table and no other", () => {
  const fields = new Set<string>();
  for (const { signal, json } of COLLECTOR_SAMPLES) collectFields(REQUEST_MESSAGE[signal], JSON.parse(json), fields);

  const known = Object.entries(TABLE).flatMap(([name, specs]) => specs.map(({ jsonName }) => `${name}.${jsonName}`));
  expect([...fields].toSorted()).toEqual(known.toSorted());
});
