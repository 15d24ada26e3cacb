/** Requests to the whole worker, through the real router, Durable Objects and R2, and what they are made of. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { openApp } from "../src/app.ts";
import { readBindings, type Bindings } from "../src/config.ts";

export const PROTOBUF = { "content-type": "application/x-protobuf" };
export const JSON_TYPE = { "content-type": "application/json" };

/** One app per set of variables; requests go through the real router, Durable Objects and R2. */
export async function call(
  path: string,
  init: RequestInit = {},
  vars: Record<string, string> = {},
  bindings: Bindings = readBindings(env),
): Promise<Response> {
  const app = openApp({ ALLOW_ANONYMOUS: "true", ...vars }, bindings);
  return app.fetch(new Request(`http://firn${path}`, init), env, createExecutionContext());
}

/** A replay of everything that arrived around now. */
export function makeReplayPath(signal: string): string {
  const day = 86_400_000;
  const [start, end] = [Date.now() - day, Date.now() + day].map((at) => new Date(at).toISOString());
  return `/replay?signal=${signal}&start=${start}&end=${end}`;
}

export function makeLogs(body: string): string {
  const record = { timeUnixNano: "1", body: { stringValue: body } };
  return JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });
}

/** What a `google.rpc.Status` says, whichever encoding it is in; an independent reader of six fields. */
export interface StatusContent {
  readonly code: number;
  readonly message: string;
  readonly violations: readonly { readonly field: string; readonly description: string }[];
}

/** Reads the Status of an answer by its exact content type. */
export async function readStatus(response: Response): Promise<StatusContent> {
  const type = response.headers.get("content-type");
  if (type === "application/json") {
    const json: { code: number; message: string; details?: { "@type": string; fieldViolations: [] }[] } =
      await response.json();
    const badRequests = (json.details ?? []).filter((detail) => detail["@type"] === BAD_REQUEST);
    return { ...json, violations: badRequests.flatMap((detail) => detail.fieldViolations) };
  }
  if (type !== "application/x-protobuf") throw new Error(`Expected a type of OTLP, got ${type}`);
  const status = readMessage(await response.bytes());
  const violations = (status.get(3) ?? []).flatMap((detail) => {
    const any = readMessage(toBytes(detail));
    if (toText(any.get(1)?.[0]) !== BAD_REQUEST) return [];
    return (readMessage(toBytes(any.get(2)?.[0])).get(1) ?? []).map((violation) => {
      const fields = readMessage(toBytes(violation));
      return { field: toText(fields.get(1)?.[0]), description: toText(fields.get(2)?.[0]) };
    });
  });
  return { code: Number(status.get(1)?.[0]), message: toText(status.get(2)?.[0]), violations };
}

const BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest";

type WireValue = number | Uint8Array;

/** Fields of a message of varints and length-delimited values, by number. */
export function readMessage(bytes: Uint8Array): ReadonlyMap<number, readonly WireValue[]> {
  const fields = new Map<number, WireValue[]>();
  let at = 0;
  const varint = (): number => {
    for (let value = 0, shift = 1; ; shift *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    let value: WireValue = varint();
    if (tag % 8 === 2) value = bytes.subarray(at, (at += value));
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}

function toBytes(value: WireValue | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array();
}

function toText(value: WireValue | undefined): string {
  return new TextDecoder().decode(toBytes(value));
}

export async function digest(token: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token))).toHex();
}
