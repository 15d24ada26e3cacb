/**
 * OTLP/JSON ↔ protobuf by protobufjs over the vendored `.proto` files: the oracle of tests and of the demo. Nothing of
 * the product takes part in it.
 */
import type protobuf from "protobufjs";
import { loadProtos } from "./generate-otlp-schema.ts";
import { toObject, type Json, type JsonObject, type Signal } from "./otlp-items.ts";

const PROTOS = loadProtos();
const REQUEST_MESSAGE: Readonly<Record<Signal | "profiles", string>> = {
  traces: "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest",
  metrics: "opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest",
  logs: "opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest",
  profiles: "opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest",
};
/** Bytes that OTLP/JSON writes in hex; all others are base64. */
const HEX_FIELD = /^(?:trace|span|parentSpan)Id$/;

/** The protobufjs type of a signal's request; its fields have the names of the `.proto` files. */
export function requestType(signal: Signal | "profiles"): protobuf.Type {
  return PROTOS.lookupType(REQUEST_MESSAGE[signal]);
}

/** Encodes an OTLP/JSON request as protobuf. */
export function encodeProtobuf(signal: Signal, request: JsonObject): Uint8Array {
  const type = requestType(signal);
  return type.encode(type.fromObject(toObjectOfProto(request))).finish();
}

/** Decodes protobuf to OTLP/JSON. */
export function decodeProtobuf(signal: Signal, bytes: Uint8Array): JsonObject {
  const type = requestType(signal);
  return toObject(toJson("", type.toObject(type.decode(bytes), { longs: String })));
}

/** The vendored files are loaded with their own field names, and ids are bytes there. */
function toObjectOfProto(object: JsonObject): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      toProto(name, value),
    ]),
  );
}

function toProto(field: string, value: Json): unknown {
  if (Array.isArray(value)) return value.map((element: Json) => toProto(field, element));
  if (typeof value === "object" && value !== null) return toObjectOfProto(toObject(value));
  return HEX_FIELD.test(field) ? Buffer.from(String(value), "hex") : value;
}

function toJson(field: string, value: unknown): Json {
  if (value instanceof Uint8Array) return Buffer.from(value).toString(HEX_FIELD.test(field) ? "hex" : "base64");
  if (Array.isArray(value)) return value.map((element) => toJson(field, element));
  if (typeof value !== "object" || value === null) return value as Json;
  return Object.fromEntries(
    Object.entries(value).map(([protoName, inner]) => {
      const name = protoName.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
      return [name, toJson(name, inner)];
    }),
  );
}
