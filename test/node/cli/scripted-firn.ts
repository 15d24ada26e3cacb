/** A server that plays a replay page by page, and breaks it as it is told: a real HTTP server on loopback. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** What a request is answered with. */
export type Act =
  | { readonly kind: "page"; readonly body: Uint8Array; readonly millisApart?: number; readonly isGzip?: boolean }
  /** So many bytes of a page; then the connection breaks, or the answer ends as if that were all. */
  | {
      readonly kind: "cut";
      readonly body: Uint8Array;
      readonly at: number;
      readonly isClean: boolean;
      readonly isGzip?: boolean;
    }
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    };

/** A request that came. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** A server that is up. */
export interface ScriptedFirn extends AsyncDisposable {
  readonly url: string;
  readonly seen: readonly Seen[];
}

/** Starts a server. @param act - decides each answer; `count` is that of the request, from 0 */
export async function startScriptedFirn(act: (seen: Seen, count: number) => Act): Promise<ScriptedFirn> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then(async (body) => {
      const url = new URL(request.url ?? "", "http://firn");
      const { method = "", headers } = request;
      const one: Seen = { method, path: url.pathname, query: url.searchParams, headers, body };
      seen.push(one);
      await play(response, act(one, seen.length - 1));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function play(response: ServerResponse, act: Act): Promise<void> {
  if (act.kind === "status") {
    response.writeHead(act.status, act.headers ?? {});
    response.end(act.body ?? "");
    return;
  }
  const coding: Record<string, string> = act.isGzip === true ? { "content-encoding": "gzip" } : {};
  response.writeHead(200, { "content-type": "application/octet-stream", ...coding });
  response.flushHeaders();
  if (act.kind === "page") {
    if (act.millisApart === undefined) return void response.end(act.body);
    for (let at = 0; at < act.body.length; at += 64) {
      response.write(act.body.subarray(at, at + 64));
      await new Promise((settle) => setTimeout(settle, act.millisApart));
    }
    return void response.end();
  }
  const part = act.body.subarray(0, act.at);
  if (act.isClean) return void response.end(part);
  if (part.length > 0) await new Promise((settle) => response.write(part, settle));
  response.socket?.resetAndDestroy();
}
