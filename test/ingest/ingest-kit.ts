/** Ingest without a shard: a fake that notes what it is given, and requests made by hand. */
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { AppendHead, AppendOutcome, MemberForm } from "../../src/buffer/contract.ts";
import { FirnError } from "../../src/errors.ts";
import { openIdentity } from "../../src/ingest/identity.ts";
import { ingest, type IngestDeps } from "../../src/ingest/ingest.ts";
import type { Signal } from "../../src/signal.ts";
import { millis } from "../../src/units.ts";
import { lengthField, logs } from "../otlp/wire-builder.ts";

/** One call of a shard. */
export interface Appended {
  readonly head: AppendHead;
  readonly member: Uint8Array;
  readonly isStream: boolean;
}

/** The outside of ingest, and what reached the shard. */
export interface IngestKit {
  readonly deps: IngestDeps;
  readonly appended: Appended[];
}

/** Opens a shard that notes what it is given; `answer` decides what it says. */
export function openDeps(
  answer: (call: number) => AppendOutcome = () => ({ kind: "stored" }),
  form: MemberForm = { marshaler: "otlp_proto", compression: "gzip" },
): IngestKit {
  const appended: Appended[] = [];
  let calls = 0;
  const deps: IngestDeps = {
    maxRequestBytes: 20 * 1024 * 1024,
    bodyTimeout: millis(30_000),
    shards: 4,
    computeIdentity: openIdentity(),
    isDeduped: true,
    form,
    openShard: () => ({
      append: async (head, member) => {
        const outcome = answer((calls += 1));
        appended.push({ head, member, isStream: false });
        return outcome;
      },
      appendStream: async (head, stream) => {
        const member = new Uint8Array(await new Response(stream).arrayBuffer());
        appended.push({ head, member, isStream: true });
        return answer((calls += 1));
      },
    }),
  };
  return { deps, appended };
}

/** Codes a body as a client would, without any code of Firn. */
export async function code(coding: "gzip" | "deflate" | "deflate-raw" | "zstd", raw: Uint8Array): Promise<Uint8Array> {
  if (coding === "gzip") return new Uint8Array(gzipSync(raw));
  if (coding === "zstd") return new Uint8Array(zstdCompressSync(raw));
  const coded = new Blob([raw]).stream().pipeThrough(new CompressionStream(coding));
  return new Uint8Array(await new Response(coded).arrayBuffer());
}

/** UTF-8 of a text. */
export function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A logs request with one record, whose body is `text`. */
export function makeLogs(text: string): Uint8Array {
  return logs(lengthField(5, lengthField(1, text)));
}

/** A request in protobuf, unless the headers say otherwise. */
export function post(body: BodyInit, headers: Record<string, string> = {}): Request {
  const type = { "content-type": "application/x-protobuf" };
  return new Request("http://firn/v1/logs", { method: "POST", headers: { ...type, ...headers }, body });
}

/** Takes a request in as one of the unnamed tenant. */
export async function send(request: Request, deps: IngestDeps, signal: Signal = "logs"): Promise<Response> {
  return ingest({ tenant: "", signal, request }, deps);
}

/** What a request failed with. */
export async function failureOf(sent: Promise<unknown>): Promise<FirnError> {
  const error = await sent.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof FirnError) return error;
  throw new Error("Expected the request to fail with a FirnError", { cause: error });
}
