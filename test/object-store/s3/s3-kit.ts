/** Settings of S3 stores for tests, on a real server or on none. */
import type { S3StorageConfig } from "../../../src/config/storage-config.ts";
import type { ObjectStore } from "../../../src/object-store/contract.ts";
import type { Fetch } from "../../../src/object-store/http/send.ts";
import { openS3Store } from "../../../src/object-store/s3/s3-store.ts";
import type { S3Server } from "../../servers/contract.ts";

/** Settings with nothing special, for a host that does not exist. */
export const PLAIN: S3StorageConfig = {
  kind: "s3",
  bucket: "telemetry",
  region: "eu-west-1",
  endpoint: "https://store.example",
  isPathStyle: true,
  dialect: null,
  credentials: {
    kind: "keys",
    keys: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret-of-the-test", sessionToken: null },
    role: null,
  },
  storageClass: null,
  acl: null,
  encryption: { kind: "none" },
  tags: [],
  expectedBucketOwner: null,
  isRequesterPays: false,
};

/** Settings for a server. */
export function configOf(server: S3Server, changes: Partial<S3StorageConfig> = {}): S3StorageConfig {
  const { endpoint, region, bucket, accessKeyId, secretAccessKey } = server;
  const keys = { accessKeyId, secretAccessKey, sessionToken: null };
  return { ...PLAIN, endpoint, region, bucket, credentials: { kind: "keys", keys, role: null }, ...changes };
}

/** A request as it went out. */
export interface SentRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
  /** Whether the answer's body is wanted as it comes over the wire. */
  readonly isRaw: boolean;
}

/** An answer of a scripted store: a response, or a failure of the network. */
export type Scripted = Response | Error | ((request: SentRequest) => Response);

/** A `fetch` that gives the answers of a script, one a request, and keeps what it was asked. */
export function scriptFetch(script: readonly Scripted[]): {
  readonly fetch: Fetch;
  readonly sent: readonly SentRequest[];
} {
  const left = [...script];
  const sent: SentRequest[] = [];
  return {
    sent,
    fetch: async (url, { method = "GET", headers, body, encodeResponseBody }) => {
      const request = {
        method,
        url,
        headers: new Headers(headers),
        body: await new Response(body).text(),
        isRaw: encodeResponseBody === "manual",
      };
      sent.push(request);
      const next = left.shift();
      if (next === undefined) throw new Error(`The script has no answer to ${method} ${url}`);
      if (next instanceof Error) throw next;
      return typeof next === "function" ? next(request) : next;
    },
  };
}

/** A store whose answers are a script. */
export function openScripted(
  script: readonly Scripted[],
  changes: Partial<S3StorageConfig> = {},
  now: () => number = () => NOW,
): { readonly store: ObjectStore; readonly sent: readonly SentRequest[] } {
  const { fetch, sent } = scriptFetch(script);
  return { store: openS3Store({ ...PLAIN, ...changes }, { now, fetch, random: () => 0 }), sent };
}

/** When scripted stores are asked. */
export const NOW: number = Date.parse("2026-11-30T12:00:00Z");

/** An error as S3 writes it. */
export function errorAnswer(status: number, code: string, extra = "", headers: Record<string, string> = {}): Response {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>no</Message>${extra}</Error>`;
  return new Response(xml, { status, headers: { "content-type": "application/xml", ...headers } });
}

/** An answer to HEAD. */
export function headAnswer(length: number, sha256Hex?: string): Response {
  return new Response(null, {
    headers: {
      "content-length": String(length),
      etag: '"e"',
      ...(sha256Hex === undefined ? {} : { "x-amz-meta-firn-sha256": sha256Hex }),
    },
  });
}

/** Answers to the HEAD of an object that does not exist, and to the question why. */
export function missingAnswers(): readonly Response[] {
  return [new Response(null, { status: 404 }), errorAnswer(404, "NoSuchKey")];
}
