import { describe, expect, it } from "vitest";
import { decodeForeignPart, encodeForeignPart } from "../../src/archive/foreign-part.ts";
import { decodeManifest, encodeManifest, type Manifest } from "../../src/archive/manifest.ts";
import type { ManifestOutput } from "../../src/archive/manifest-output.ts";
import { MANIFEST_MAX_BYTES } from "../../src/limits.ts";
import { bytes, millis } from "../../src/units.ts";
import { expectOnlyFirnErrors, replaceIn, toDocumentText } from "./documents.ts";
import { SAMPLE_MANIFEST, SAMPLE_OUTPUTS } from "./sample-manifest.ts";

const TEXT = toDocumentText(encodeManifest(SAMPLE_MANIFEST));
const [OUTPUT] = SAMPLE_OUTPUTS;
const EMPTY: Manifest = {
  ...SAMPLE_MANIFEST,
  generation: 1,
  parent: null,
  outputs: [],
  minutes: [],
  sources: [],
  foreignSources: [],
  foreign: [],
  unreadable: [],
  indexes: [],
};

describe("encodeManifest() is pinned", () => {
  it("with every kind of entry", () => {
    expect(TEXT).toMatchSnapshot();
  });

  it("without any entry", () => {
    expect(toDocumentText(encodeManifest(EMPTY))).toBe(
      '{"format":1,"deployment":"0123456789abcdef0123456789abcdef","epoch":1,"tenant":"","signal":"traces",' +
        '"hour":"2026-05-01T14:00:00.000Z","generation":1,"parent":null,"created":"2026-05-01T16:07:00.123Z",' +
        '"outputs":[],"minutes":[],"sources":[],"foreign_sources":[],"foreign":[],"unreadable":[],"indexes":[]}\n',
    );
  });
});

describe("decodeManifest()", () => {
  it.each([
    ["every kind of entry", SAMPLE_MANIFEST],
    ["no entry", EMPTY],
    ["a named tenant and other signal", { ...EMPTY, tenant: "acme", signal: "metrics" as const, epoch: 7 }],
    ["text of any kind", { ...EMPTY, unreadable: [{ key: 'a/\ud800é🦊"', sizeBytes: bytes(0), reason: "\n\u2028" }] }],
  ])("is the inverse of encodeManifest(): %s", (_, manifest) => {
    const encoded = encodeManifest(manifest);

    expect(decodeManifest(encoded)).toEqual(manifest);
    expect(encodeManifest(decodeManifest(encoded))).toEqual(encoded);
  });

  it("ignores members that it does not know, and indexes of other kinds", () => {
    const text = replaceIn(
      replaceIn(TEXT, '"epoch"', '"later":[1],"epoch"'),
      '"indexes":[',
      '"indexes":[{"kind":"x"},',
    );

    expect(decode(text)).toEqual(SAMPLE_MANIFEST);
  });

  it.each([
    ["2", "format is 2"],
    ["0", "format is 0"],
    ['"1"', "format is no number"],
    ["null", "format is no number"],
  ])("stops at format %s", (format, found) => {
    const text = replaceIn(TEXT, '"format":1', `"format":${format}`);

    expect(() => decode(text)).toThrow(
      expect.objectContaining({ kind: "unknown_format", message: `Cannot decode manifest: ${found}, expected 1` }),
    );
  });

  it("throws nothing but FirnErrors, whatever the bytes", () => {
    expectOnlyFirnErrors(decodeManifest, TEXT);
  });
});

describe("decodeManifest() rejects", () => {
  it.each([
    ["no format", '"format":1,', "", "format"],
    ["a deployment that is no hex", '"deployment":"01', '"deployment":"xx', "deployment"],
    ["epoch 0", '"epoch":1', '"epoch":0', "epoch"],
    ["no tenant", '"tenant":""', '"tenant":null', "tenant"],
    ["profiles", '"traces"', '"profiles"', "signal"],
    ["half an hour", "T14:00:00.000Z", "T14:30:00.000Z", "hour"],
    ["an hour in another form", "T14:00:00.000Z", "T14:00:00Z", "hour"],
    ["an hour that is none", "2026-05-01T14", "2026-05-32T14", "hour"],
    ["an hour before 1970", "2026-05-01T14", "1969-05-01T14", "hour"],
    ["created without a zone", "16:07:00.123Z", "16:07:00.123", "created"],
    ["generation 0", '"generation":2', '"generation":0', "generation"],
    ["a generation of 9 digits", '"generation":2', '"generation":100000000', "generation"],
    ["a parent of generation 1", '"generation":2', '"generation":1', "parent"],
    ["no parent of generation 2", `"${"5".repeat(64)}"`, "null", "parent"],
    ["a short parent", `"${"5".repeat(64)}"`, '"55"', "parent"],
    ["outputs that are no list", '"outputs":[', '"outputs":{},"x":[', "outputs"],
    ["an output without a key", '"outputs":[{"key":"', '"outputs":[{"key":"","x":"', "outputs[0].key"],
    ["a size that is no integer", '"size_bytes":400', '"size_bytes":400.5', "outputs[0].size_bytes"],
    ["an ETag that is a number", '"etag":null', '"etag":5', "outputs[1].etag"],
    [
      "a SHA-256 in upper case",
      `"sha256":"${"e".repeat(64)}"`,
      `"sha256":"${"E".repeat(64)}"`,
      "outputs[0].members.sha256",
    ],
    ["a digest of 31 digits", `"digest":"${"f".repeat(32)}"`, `"digest":"${"f".repeat(31)}"`, "outputs[0].digest"],
    ["minute 60", '"last_minute":59', '"last_minute":60', "outputs[1].last_minute"],
    ["minutes that end before they begin", '"first_minute":10', '"first_minute":60', "outputs[1].first_minute"],
    ["half of a time range", '"min_time_unix_nano":null', '"min_time_unix_nano":"5"', "outputs[1].max_time_unix_nano"],
    ["services out of order", '"cart","checkout"', '"checkout","cart"', "outputs[0].services"],
    ["a service twice", '"cart","checkout"', '"cart","cart"', "outputs[0].services"],
    ["retired that is no flag", '"retired":true', '"retired":1', "outputs[2].retired"],
    ["minutes that go back", '"minute":10', '"minute":9', "minutes"],
    ["a minute that no live output holds", '"minute":9', '"minute":4', "minutes"],
    ["items that the outputs do not have", '"minute":9,"item_count":12', '"minute":9,"item_count":13', "minutes"],
    ["a digest that the outputs do not have", `"item_count":20,"digest":"0`, `"item_count":20,"digest":"1`, "minutes"],
    ["an output that is live but not counted", '"retired":true', '"retired":false', "minutes"],
    ["shard 256", '"shard":2', '"shard":256', "sources[1].shard"],
    ["an incarnation of 7 digits", '"9f2c4e7a"', '"9f2c4e7"', "sources[0].incarnation"],
    ["shards out of order", '"shard":2', '"shard":0', "sources"],
    ["an incarnation twice", '"shard":2,"incarnation":"00000001"', '"shard":1,"incarnation":"9f2c4e7a"', "sources"],
    ["ranges that adjoin", "[44,60]", "[43,60]", "sources[0].ranges"],
    ["ranges that overlap", "[44,60]", "[40,60]", "sources[0].ranges"],
    ["a range that ends before it begins", "[44,60]", "[60,44]", "sources[0].ranges[1]"],
    ["sequence 0", "[1,42]", "[0,42]", "sources[0].ranges[0][0]"],
    ["a sequence of 33 bits", "[44,60]", "[44,4294967296]", "sources[0].ranges[1][1]"],
    ["a range of three", "[44,60]", "[44,60,61]", "sources[0].ranges[1]"],
    ["no ranges", "[[7,7]]", "[]", "sources[1].ranges"],
    ["a foreign source twice", "traces_2.json", "traces_1.json", "foreign"],
    ["an unreadable object without a reason", '"reason":"Cannot', '"x":"Cannot', "unreadable[0].reason"],
    [
      "an index of an output that there is not",
      '00000001.binpb.zst","key":"a/_firn',
      '9.zst","key":"a/_firn',
      "indexes",
    ],
    [
      "an index of a retired output",
      '00000001.binpb.zst","key":"a/_firn',
      '00000002.binpb.zst","key":"a/_firn',
      "indexes",
    ],
    ["an index without a count", '"count":4}]', '"x":4}]', "indexes[0].count"],
    ["no list of unreadable objects", '"unreadable"', '"later"', "unreadable"],
  ])("%s", (_, part, wrong, field) => {
    const text = replaceIn(TEXT, part, wrong);

    expect(() => decode(text)).toThrow(expect.objectContaining({ kind: "corrupt_object", field }));
  });

  it("an output twice", () => {
    const key = SAMPLE_OUTPUTS[1]?.key ?? "";
    const text = replaceIn(TEXT, key, OUTPUT?.key ?? "");

    expect(() => decode(text)).toThrow("outputs has the key of element 1 twice, expected each key once");
  });

  it.each([["[]"], ["null"], ['"x"'], [""], [TEXT.slice(0, -2)], [`\ufeff${TEXT}`], ["\ud800"]])(
    "no object: %.9s",
    (text) => {
      expect(() => decode(text)).toThrow(expect.objectContaining({ kind: "corrupt_object" }));
    },
  );

  it("bytes that are not UTF-8", () => {
    const encoded = encodeManifest({ ...EMPTY, tenant: "x" });
    const at = encoded.indexOf("x".charCodeAt(0), encoded.length - 300);

    expect(() => decodeManifest(encoded.with(at, 0xff))).toThrow(expect.objectContaining({ kind: "corrupt_object" }));
  });
});

describe("encodeManifest() refuses", () => {
  const many = Array.from({ length: 501 }, (_, index) => ({ key: `k${index}`, etag: null, sizeBytes: bytes(1) }));
  const long = Array.from({ length: 300 }, (_, index) => ({
    key: `${index}${"k".repeat(900)}`,
    sizeBytes: bytes(1),
    reason: "",
  }));

  it.each<readonly [string, Manifest]>([
    ["more than 256 KiB", { ...EMPTY, unreadable: long }],
    ["501 foreign sources", { ...EMPTY, foreign: many }],
    ["NaN as the hour", { ...EMPTY, hour: millis(Number.NaN) }],
    ["a parent of generation 1", { ...EMPTY, parent: "5".repeat(64) }],
    ["201 services", withOutput({ services: Array.from({ length: 201 }, (_, index) => String(1000 + index)) })],
    ["minutes that no output has", { ...SAMPLE_MANIFEST, outputs: [] }],
    ["NaN as a size", withOutput({ sizeBytes: bytes(Number.NaN) })],
  ])("%s", (_, manifest) => {
    expect(() => encodeManifest(manifest)).toThrow(RangeError);
  });

  it("one byte more than 256 KiB", () => {
    const room = MANIFEST_MAX_BYTES - encodeManifest(withReason("")).length;

    expect(encodeManifest(withReason("r".repeat(room)))).toHaveLength(MANIFEST_MAX_BYTES);
    expect(() => encodeManifest(withReason("r".repeat(room + 1)))).toThrow(RangeError);
  });
});

describe("encodeForeignPart() and decodeForeignPart()", () => {
  const sources = SAMPLE_MANIFEST.foreign;
  const text =
    '{"format":1,"foreign":[' +
    '{"key":"a/year=2026/month=05/day=01/hour=14/minute=09/traces_1.json","etag":"\\"abc\\"","size_bytes":5},' +
    '{"key":"a/year=2026/month=05/day=01/hour=14/minute=09/traces_2.json","etag":null,"size_bytes":6}]}\n';

  it("are pinned and inverse to each other", () => {
    expect(toDocumentText(encodeForeignPart(sources))).toBe(text);
    expect(decodeForeignPart(encodeForeignPart(sources))).toEqual(sources);
  });

  it("refuse a key twice", () => {
    expect(() => encodeForeignPart([...sources, ...sources])).toThrow(RangeError);
  });

  it("refuse more than 1 MiB", () => {
    const many = Array.from({ length: 2000 }, (_, index) => ({
      key: `${index}${"k".repeat(600)}`,
      etag: null,
      sizeBytes: bytes(1),
    }));

    expect(() => encodeForeignPart(many)).toThrow(RangeError);
    expect(encodeForeignPart(many.slice(0, 1500)).length).toBeGreaterThan(900_000);
  });

  it("throw nothing but FirnErrors, whatever the bytes", () => {
    expectOnlyFirnErrors(decodeForeignPart, text);
  });
});

function decode(text: string): Manifest {
  return decodeManifest(new TextEncoder().encode(text));
}

function withOutput(values: Partial<ManifestOutput>): Manifest {
  return {
    ...SAMPLE_MANIFEST,
    outputs: SAMPLE_OUTPUTS.map((output, index) => (index === 0 ? { ...output, ...values } : output)),
  };
}

function withReason(reason: string): Manifest {
  return { ...EMPTY, unreadable: [{ key: "k", sizeBytes: bytes(1), reason }] };
}
