/** The smallest server that a proxy can stand before: objects in a map, create-only when asked, every call counted. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { S3Server } from "../../servers/contract.ts";
import { toSeenRequest } from "../../servers/fault-plan.ts";
import { readBody } from "../../servers/upstream.ts";

/** A running one. */
export interface PlainStore {
  readonly server: S3Server;
  readonly objects: Map<string, Buffer>;
  /** `Host` of every request. */
  readonly hosts: string[];
  readonly stop: () => Promise<void>;
}

/** Starts it; it looks at no signature. */
export async function startPlainStore(): Promise<PlainStore> {
  const objects = new Map<string, Buffer>();
  const hosts: string[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    hosts.push(request.headers.host ?? "");
    const { call, key } = toSeenRequest(request.method ?? "", request.url ?? "");
    const sent = await readBody(request);
    if (sent === null) return;
    const isTaken = call === "put" && request.headers["if-none-match"] === "*" && objects.has(key);
    if (call === "put" && !isTaken) objects.set(key, sent);
    if (call === "delete") objects.delete(key);
    const object = objects.get(key);
    const body = call === "list" ? Buffer.from(toListing([...objects.keys()])) : (object ?? Buffer.alloc(0));
    const isFound = call === "list" || call === "delete" || object !== undefined;
    const etag = `"${createHash("md5").update(body).digest("hex")}"`;
    const length = call === "put" ? 0 : body.length;
    response.writeHead(isTaken ? 412 : isFound ? 200 : 404, { ETag: etag, "Content-Length": length });
    response.end(call === "put" || call === "head" ? undefined : body);
  };
  const http = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return {
    server: { endpoint, region: "auto", bucket: "bucket", accessKeyId: "test", secretAccessKey: "testtest" },
    objects,
    hosts,
    stop: async () => {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
    },
  };
}

function toListing(keys: readonly string[]): string {
  const entries = keys.toSorted().map((key) => `<Contents><Key>${key}</Key></Contents>`);
  const count = `<KeyCount>${keys.length}</KeyCount><IsTruncated>false</IsTruncated>`;
  return `<ListBucketResult>${count}${entries.join("")}</ListBucketResult>`;
}
