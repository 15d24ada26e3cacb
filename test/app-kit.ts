/** Requests to the whole worker, through the real router, Durable Objects and R2, and what they are made of. */
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
  return app.fetch(new Request(`http://firn${path}`, init), env);
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

export async function digest(token: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token))).toHex();
}
