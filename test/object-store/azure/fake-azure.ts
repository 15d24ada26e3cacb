/** A service that answers as it is told and remembers what it was asked, for answers that no emulator gives. */
import type { AzureStorageConfig } from "../../../src/config/storage-config.ts";
import { openAzureStore } from "../../../src/object-store/azure/azure-store.ts";
import type { ObjectStore } from "../../../src/object-store/contract.ts";

/** A request as it was sent. */
export interface SentRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** An answer. */
export interface FakeAnswer {
  readonly status: number;
  /** For the header `x-ms-error-code`. */
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a fake answers to a request, or an error that its connection breaks with. */
export type Answerer = (request: SentRequest, index: number) => FakeAnswer | Error;

/** The store and what it asked. */
export interface FakeAzure {
  readonly store: ObjectStore;
  readonly sent: SentRequest[];
  /** `PUT /container/key?comp=…`, as the requests came. */
  readonly lines: () => readonly string[];
}

export const SECRET_KEY: Uint8Array = new TextEncoder().encode("an account key that nobody may see");
export const SECRET_TOKEN = "sv=2024-11-04&sp=rcwdl&sr=c&sig=a-signature-that-nobody-may-see%3D";

export const FAKE_CONFIG: AzureStorageConfig = {
  kind: "azure",
  container: "telemetry",
  account: "firn",
  endpoint: "https://firn.blob.core.windows.net",
  credential: { kind: "key", key: SECRET_KEY },
  accessTier: null,
  tags: [],
  createsContainer: true,
};

/** The time on this side. */
export const NOW: number = Date.UTC(2026, 10, 30, 12, 0, 0);

/** Opens a store on a fake. */
export function openFakeAzure(answer: Answerer, changes: Partial<AzureStorageConfig> = {}): FakeAzure {
  const sent: SentRequest[] = [];
  const store = openAzureStore(
    { ...FAKE_CONFIG, ...changes },
    {
      now: () => NOW,
      fetch: async (url, { method = "GET", headers, body }) => {
        const bytes = body === null || body === undefined ? new Uint8Array(0) : await new Response(body).bytes();
        const request = { method, url: new URL(url), headers: new Headers(headers), body: bytes };
        sent.push(request);
        const given = answer(request, sent.length - 1);
        if (given instanceof Error) throw given;
        return toResponse(request, given);
      },
    },
  );
  const lines = (): readonly string[] => sent.map(({ method, url }) => `${method} ${url.pathname}${url.search}`);
  return { store, sent, lines };
}

function toResponse({ method }: SentRequest, { status, code, headers, body }: FakeAnswer): Response {
  const all = new Headers({ date: new Date(NOW).toUTCString(), ...headers });
  if (code !== undefined) all.set("x-ms-error-code", code);
  return new Response(method === "HEAD" ? null : (body ?? null), { status, headers: all });
}

/** What a HEAD answers about a blob. */
export function blobOf(length: number, metadata: Readonly<Record<string, string>> = {}): FakeAnswer {
  const named = Object.entries(metadata).map(([name, value]) => [`x-ms-meta-${name}`, value]);
  return { status: 200, headers: { "content-length": String(length), etag: '"0x8D"', ...Object.fromEntries(named) } };
}

/** A page of a listing. */
export function pageOf(keys: readonly string[], nextMarker = ""): FakeAnswer {
  const blobs = keys.map(
    (key) =>
      `<Blob><Name>${key}</Name><Properties><Content-Length>1</Content-Length><Etag>0x8D</Etag></Properties></Blob>`,
  );
  const inside = `<Blobs>${blobs.join("")}</Blobs><NextMarker>${nextMarker}</NextMarker>`;
  return { status: 200, body: `<EnumerationResults>${inside}</EnumerationResults>` };
}
