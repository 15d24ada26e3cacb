/** Objects in every form, as Firn writes them and as awss3exporter does, from documents and messages built by hand. */
import type { ObjectForm } from "../../src/archive/object-form.ts";
import { formatExtension } from "../../src/archive/object-form.ts";
import { compressMember } from "../../src/compression/member.ts";
import { toFrame } from "../../src/durable-objects/batch-frame.ts";
import { unreachable } from "../../src/errors.ts";
import type { ItemSignal, Signal } from "../../src/signal.ts";
import { concat, field, request } from "./otlp-sample.ts";

export const FORMS: readonly ObjectForm[] = (["otlp_proto", "otlp_json"] as const).flatMap((marshaler) =>
  (["none", "gzip", "zstd"] as const).map((compression) => ({ marshaler, compression })),
);

export const LIST_NAME: Readonly<Record<Signal, string>> = {
  traces: "resourceSpans",
  metrics: "resourceMetrics",
  logs: "resourceLogs",
  profiles: "resourceProfiles",
};

const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** One element of a request's list with an item for each name: the JSON of `request()`. */
export function jsonElement(signal: ItemSignal, names: readonly string[]): string {
  switch (signal) {
    case "traces": {
      const spans = names.map((name) => ({ traceId: "07".repeat(16), spanId: "09".repeat(8), name }));
      return JSON.stringify({ scopeSpans: [{ spans }] });
    }
    case "logs": {
      const logRecords = names.map((name) => ({ body: { stringValue: name } }));
      return JSON.stringify({ scopeLogs: [{ logRecords }] });
    }
    case "metrics": {
      const metrics = names.map((name) => ({ name, gauge: { dataPoints: [{ asDouble: 1 }] } }));
      return JSON.stringify({ scopeMetrics: [{ metrics }] });
    }
    default:
      return unreachable(signal, "signal");
  }
}

/** A fresh object of Firn's: a member a request, in JSON within the frame of its batch. */
export function ownObject(signal: ItemSignal, form: ObjectForm, requests: readonly (readonly string[])[]): Uint8Array {
  const frame = toFrame({ tenant: "", signal, shard: 0 }, form);
  const members = requests.map((names) =>
    compressMember(
      form.marshaler === "otlp_json" ? toBytes(jsonElement(signal, names)) : request(signal, names),
      form.compression,
    ),
  );
  if (frame === null) return concat(members);
  const { head, separator, tail } = frame;
  return concat([...members.flatMap((member, index) => [index === 0 ? head : separator, member]), tail]);
}

/** What awss3exporter makes of the same requests: one document or message, one member or none. */
export function foreignObject(
  signal: ItemSignal,
  form: ObjectForm,
  requests: readonly (readonly string[])[],
): Uint8Array {
  const elements = requests.map((names) => jsonElement(signal, names)).join(",");
  const raw =
    form.marshaler === "otlp_json"
      ? toBytes(`{"${LIST_NAME[signal]}":[${elements}]}`)
      : concat(requests.map((names) => request(signal, names)));
  return compressMember(raw, form.compression);
}

/** The key that awss3exporter gives it. */
export function foreignKey(signal: Signal, form: ObjectForm, unique = 312302042): string {
  return `p/year=2026/month=05/day=01/hour=14/minute=09/${signal}_${unique}${formatExtension(form)}`;
}

/** A profiles request that says its name in its dictionary. */
export function profilesMessage(name: string): Uint8Array {
  const container = field(1, field(2, field(2, new Uint8Array(0))));
  return concat([container, field(2, concat([field(5, new Uint8Array(0)), field(5, toBytes(name))]))]);
}

/** The same in JSON. @param indent - of its lines; without it there is one */
export function profilesDocument(name: string, indent?: number): string {
  const document = {
    resourceProfiles: [{ scopeProfiles: [{ profiles: [{}] }] }],
    dictionary: { stringTable: ["", name] },
  };
  return JSON.stringify(document, null, indent);
}

/** An object of profiles, which holds one request. */
export function profilesObject(name: string, form: ObjectForm, indent?: number): Uint8Array {
  const document = toBytes(`${profilesDocument(name, indent)}\n`);
  return compressMember(form.marshaler === "otlp_json" ? document : profilesMessage(name), form.compression);
}
