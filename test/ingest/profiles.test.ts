/** Profiles: checked for form only, each request an object of its own in the encoding it came in (otlp-http 2). */
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { MemberForm } from "../../src/buffer/contract.ts";
import { compressMember, literalMember } from "../../src/compression/member.ts";
import { inflateBody } from "../../src/compression/request-body.ts";
import { call, JSON_TYPE, PROTOBUF, readStatus } from "../app-kit.ts";
import { lengthField, varintField } from "../otlp/wire-builder.ts";
import { code, openDeps, post, send, toBytes, type Appended } from "./ingest-kit.ts";

const JSON_BODY =
  '{"resourceProfiles":[{"scopeProfiles":[{"profiles":[{"sample_type":1,"x":[null]}]}]}],"dictionary":{}}';
const WIRE_BODY = Uint8Array.from([
  ...lengthField(1, [255, 255]),
  ...varintField(77, 1),
  ...lengthField(2, "dictionary"),
]);

interface Sent {
  readonly body: string | Uint8Array;
  readonly headers: Record<string, string>;
  readonly form?: MemberForm;
}

async function store({ body, headers, form }: Sent): Promise<Appended> {
  const { deps, appended } = openDeps(undefined, form);
  const response = await send(post(body, headers), deps, "profiles");
  const [only] = appended;
  if (response.status !== 200 || only === undefined) throw new Error("Expected the request to be stored");
  return only;
}

function toText({ head, member }: Appended): string {
  const { compression } = head.form;
  const raw = compression === "none" ? member : inflateBody(compression, member, 1e6).body;
  return new TextDecoder().decode(raw);
}

const FORMS: readonly MemberForm[] = (["otlp_proto", "otlp_json"] as const).flatMap((marshaler) =>
  (["gzip", "zstd", "none"] as const).map((compression) => ({ marshaler, compression })),
);

describe("POST /v1development/profiles", () => {
  it.each(FORMS)(
    "JSON is archived as one JSON document and a line feed, with $marshaler and $compression",
    async (form) => {
      const appended = await store({ body: JSON_BODY, headers: JSON_TYPE, form });

      expect(appended.head).toMatchObject({
        identity: { signal: "profiles" },
        form: { marshaler: "otlp_json", compression: form.compression },
        itemCount: 1,
        rejectedCount: 0,
      });
      expect(toText(appended)).toBe(`${JSON_BODY}\n`);
    },
  );

  it.each(FORMS)("protobuf is archived as it came, with $marshaler and $compression", async (form) => {
    const { head, member } = await store({ body: WIRE_BODY, headers: PROTOBUF, form });

    expect(head.form).toEqual({ marshaler: "otlp_proto", compression: form.compression });
    const raw = form.compression === "none" ? member : inflateBody(form.compression, member, 1e6).body;
    expect(raw).toEqual(WIRE_BODY);
  });

  it.each(["gzip", "zstd"] as const)(
    "clean %s is kept as it came, in both encodings; JSON gets its line feed behind it",
    async (coding) => {
      const form: MemberForm = { marshaler: "otlp_proto", compression: coding };
      const coded = { "content-encoding": coding };
      const json = await code(coding, toBytes(JSON_BODY));
      const ended = await code(coding, toBytes(`${JSON_BODY}\n`));
      const wire = await code(coding, WIRE_BODY);
      const lineFeed = literalMember(new Uint8Array([10]), coding);

      const stored = await Promise.all([
        store({ body: json, headers: { ...JSON_TYPE, ...coded }, form }),
        store({ body: ended, headers: { ...JSON_TYPE, ...coded }, form }),
        store({ body: wire, headers: { ...PROTOBUF, ...coded }, form }),
      ]);

      expect(stored.map(({ member }) => [...member])).toEqual([[...json, ...lineFeed], [...ended], [...wire]]);
      expect(stored.slice(0, 2).map(toText)).toEqual([`${JSON_BODY}\n`, `${JSON_BODY}\n`]);
    },
  );

  it.each([
    ["a byte order mark", `\ufeff${JSON_BODY}`, `${JSON_BODY}\n`],
    ["lines", '{\n "a": [\r\n1]\n}', '{  "a": [  1] }\n'],
    ["lines and a line feed at its end", '{"a":\n1}\n', '{"a": 1} \n'],
    ["a line feed at its end", '{"a":1}\n', '{"a":1}\n'],
    ["white space at its end", '{"a":1} \t', '{"a":1} \t\n'],
    ["an escaped line feed in a string", '{"a":"\\n"}', '{"a":"\\n"}\n'],
  ])("JSON with %s is archived as one line of the same meaning", async (_name, body, expected) => {
    const coded = { ...JSON_TYPE, "content-encoding": "gzip" };

    expect(toText(await store({ body, headers: JSON_TYPE }))).toBe(expected);
    expect(toText(await store({ body: gzipSync(toBytes(body)), headers: coded }))).toBe(expected);
    expect(JSON.parse(expected)).toEqual(JSON.parse(body.replace("\ufeff", "")));
  });

  it("compresses anew what was padded", async () => {
    const padded = Uint8Array.from([...gzipSync(WIRE_BODY), 0, 0]);
    const { member } = await store({ body: padded, headers: { ...PROTOBUF, "content-encoding": "gzip" } });

    expect(member).toEqual(compressMember(WIRE_BODY, "gzip"));
  });

  it.each([
    ["zero bytes", PROTOBUF, ""],
    ["zero bytes of JSON", JSON_TYPE, ""],
    ["white space", JSON_TYPE, " \n"],
    ["{}", JSON_TYPE, "{ }"],
  ])("%s is a full success and stores nothing", async (_name, headers, body) => {
    const { deps, appended } = openDeps();
    const response = await send(post(body, headers), deps, "profiles");

    expect([response.status, response.headers.get("content-type")]).toEqual([200, headers["content-type"]]);
    expect([await response.text(), appended]).toEqual([headers === JSON_TYPE ? "{}" : "", []]);
  });

  it("is answered with a full success in the encoding of the request", async () => {
    for (const [headers, body, text] of [
      [JSON_TYPE, JSON_BODY, "{}"],
      [PROTOBUF, WIRE_BODY, ""],
    ] as const) {
      const response = await call("/v1development/profiles", { method: "POST", headers, body });
      expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([
        200,
        headers["content-type"],
        text,
      ]);
    }
    // Each request is due at once: an alarm that fires while the runtime is torn down would hold the run up for ever.
    const flushed = await call("/admin/flush?signal=profiles", { method: "POST" });
    expect(await flushed.json()).toMatchObject({ complete: true, remaining_batches: 0 });
  });

  it.each([
    ["an array", JSON_TYPE, "[]"],
    ["two documents", JSON_TYPE, "{}{}"],
    ["a line break in a string", JSON_TYPE, '{"a":"\n"}'],
    ["bytes that are not UTF-8", JSON_TYPE, Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["a length beyond the end", PROTOBUF, Uint8Array.from([0x0a, 9, 1])],
    ["wire type 7", PROTOBUF, Uint8Array.from([0x0f])],
    ["a group that is not closed", PROTOBUF, Uint8Array.from([0x0b])],
  ] as const)("%s is 400 with a BadRequest in the encoding of the request", async (_name, headers, body) => {
    const response = await call("/v1development/profiles", { method: "POST", headers, body });

    expect([response.status, response.headers.get("content-type")]).toEqual([400, headers["content-type"]]);
    expect(await readStatus(response)).toMatchObject({ code: 3, violations: [{ field: "body" }] });
  });
});
