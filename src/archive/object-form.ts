/**
 * How an object's bytes are written, and the two places that say so: its file extension and its content type. Both
 * readers of other makers and Firn go by the extension alone (collector-s3 2.4); no `Content-Encoding` is ever set.
 */

/** Marshaler and compression of an object; all its members have the same. */
export interface ObjectForm {
  readonly marshaler: "otlp_proto" | "otlp_json";
  readonly compression: "gzip" | "zstd" | "none";
}

/** Ends of file names, longest first, so that the first one that fits is the right one. */
const FORMS: readonly { readonly extension: string; readonly form: ObjectForm }[] = [
  { extension: ".binpb.zst", form: { marshaler: "otlp_proto", compression: "zstd" } },
  { extension: ".binpb.gz", form: { marshaler: "otlp_proto", compression: "gzip" } },
  { extension: ".json.zst", form: { marshaler: "otlp_json", compression: "zstd" } },
  { extension: ".json.gz", form: { marshaler: "otlp_json", compression: "gzip" } },
  { extension: ".binpb", form: { marshaler: "otlp_proto", compression: "none" } },
  { extension: ".json", form: { marshaler: "otlp_json", compression: "none" } },
];

const MARSHALER_EXTENSION = { otlp_proto: ".binpb", otlp_json: ".json" } as const;
const COMPRESSION_EXTENSION = { gzip: ".gz", zstd: ".zst", none: "" } as const;
const CONTENT_TYPE = {
  gzip: { otlp_proto: "application/gzip", otlp_json: "application/gzip" },
  zstd: { otlp_proto: "application/zstd", otlp_json: "application/zstd" },
  none: { otlp_proto: "application/x-protobuf", otlp_json: "application/json" },
} as const;

/** Formats the extension of a form with its leading dot, such as `.binpb.gz`. */
export function formatExtension(form: ObjectForm): string {
  return MARSHALER_EXTENSION[form.marshaler] + COMPRESSION_EXTENSION[form.compression];
}

/** Formats the MIME type with which an object of this form is stored. */
export function formatContentType(form: ObjectForm): string {
  return CONTENT_TYPE[form.compression][form.marshaler];
}

/** A file name, taken apart at its extension. */
export interface FileName {
  /** Everything before the extension; may be empty. */
  readonly stem: string;
  readonly form: ObjectForm;
}

/** Parses a file name by its end; `null` when no form of Firn or of the Collector has such an end. */
export function parseFileName(name: string): FileName | null {
  for (const { extension, form } of FORMS) {
    if (name.endsWith(extension)) return { stem: name.slice(0, -extension.length), form };
  }
  return null;
}
