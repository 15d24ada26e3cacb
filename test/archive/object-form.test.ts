import { describe, expect, it } from "vitest";
import { formatContentType, formatExtension, parseFileName, type ObjectForm } from "../../src/archive/object-form.ts";

const TABLE: readonly (readonly [ObjectForm, string, string])[] = [
  [{ marshaler: "otlp_proto", compression: "gzip" }, ".binpb.gz", "application/gzip"],
  [{ marshaler: "otlp_proto", compression: "zstd" }, ".binpb.zst", "application/zstd"],
  [{ marshaler: "otlp_proto", compression: "none" }, ".binpb", "application/x-protobuf"],
  [{ marshaler: "otlp_json", compression: "gzip" }, ".json.gz", "application/gzip"],
  [{ marshaler: "otlp_json", compression: "zstd" }, ".json.zst", "application/zstd"],
  [{ marshaler: "otlp_json", compression: "none" }, ".json", "application/json"],
];

describe("object form", () => {
  it.each(TABLE)("%j ends in %s and is %s", (form, extension, contentType) => {
    expect(formatExtension(form)).toBe(extension);
    expect(formatContentType(form)).toBe(contentType);
    expect(parseFileName(`traces_1${extension}`)).toEqual({ stem: "traces_1", form });
  });

  it.each(["traces_1.txt", "traces_1.gz", "traces_1.binpb.br", "traces_1binpb", "traces_1.BINPB", ""])(
    "parseFileName() rejects %j",
    (name) => {
      expect(parseFileName(name)).toBeNull();
    },
  );
});
