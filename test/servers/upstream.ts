/** The proxy's way to the true server: requests go out as they came in, header by header, so that signatures hold. */
import { AwsV4Signer } from "aws4fetch";
import { once } from "node:events";
import { request as openRequest, type ClientRequest, type IncomingMessage } from "node:http";
import type { S3Server } from "./contract.ts";
import { MAX_SKEW_MILLIS, toPairs, type Answer } from "./fault-answers.ts";

/** Nothing that a test sends or reads is larger; the proxy holds a body whole. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
/** The true server answers within milliseconds; a proxy that waits for ever would hide that it does not. */
const TIMEOUT_MILLIS = 30_000;
/** They speak of one connection, and not of the message. https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding"]);

/** A request that is to be forwarded. */
export interface Outgoing {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Name, value, name, value …; `Host` is the one that the client signed. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** Reads a body whole; `null` when it broke off. */
export async function readBody(message: IncomingMessage): Promise<Buffer | null> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of message as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > MAX_BODY_BYTES) return null;
      pieces.push(piece);
    }
  } catch {
    return null; // whoever sent it is gone
  }
  return message.complete ? Buffer.concat(pieces) : null;
}

/** Sends a request on and waits for the whole answer. @throws Error when none comes */
export async function forward(server: S3Server, outgoing: Outgoing): Promise<Answer> {
  // A server that answers before it has read everything may reset what is still being written.
  const sent = open(server, outgoing).on("error", () => undefined);
  sent.end(outgoing.body);
  const [message] = (await once(sent, "response")) as [IncomingMessage];
  const body = await readBody(message);
  if (body === null) throw new Error(`Cannot forward ${outgoing.method} ${outgoing.url}: the answer broke off`);
  const headers = withoutHopByHop(message.rawHeaders);
  const hasLength = message.headers["content-length"] !== undefined;
  return {
    status: message.statusCode ?? 0,
    headers: hasLength || outgoing.method === "HEAD" ? headers : [...headers, "Content-Length", String(body.length)],
    body,
  };
}

/** Sends half of a request on and breaks the connection. */
export async function forwardHalf(server: S3Server, outgoing: Outgoing): Promise<void> {
  const sent = open(server, outgoing);
  sent.on("error", () => undefined);
  await new Promise<void>((resolve) => sent.write(outgoing.body, () => resolve()));
  sent.destroy();
}

/** Signs a request anew, for now; `null` when its own signature is not of the time that a server would take for now. */
export async function signAgain(server: S3Server, outgoing: Outgoing, serverNow: number): Promise<Outgoing | null> {
  const headers = new Headers(toPairs(outgoing.headers).map(([name, value]) => [name, value]));
  const signedAt = parseAmzDate(headers.get("x-amz-date") ?? "");
  if (!(Math.abs(signedAt - serverNow) <= MAX_SKEW_MILLIS)) return null;
  for (const name of ["authorization", "x-amz-date", "content-length", "connection"]) headers.delete(name);
  const { accessKeyId, secretAccessKey, region } = server;
  const url = new URL(outgoing.url, server.endpoint).href;
  const keys = { accessKeyId, secretAccessKey, region, service: "s3" };
  const signed = await new AwsV4Signer({ method: outgoing.method, url, headers, ...keys }).sign();
  const host = ["Host", new URL(server.endpoint).host, "Content-Length", String(outgoing.body.length)];
  return { ...outgoing, headers: [...host, ...[...signed.headers].flat()] };
}

function open(server: S3Server, { method, url, headers }: Outgoing): ClientRequest {
  const { hostname, port } = new URL(server.endpoint);
  // A connection for each request: one that was kept might just be closing, a fault that nobody planned.
  return openRequest({
    hostname,
    port,
    method,
    path: url,
    headers: withoutHopByHop(headers),
    agent: false,
    setHost: false,
    timeout: TIMEOUT_MILLIS,
  }).on("timeout", function (this: ClientRequest) {
    this.destroy(new Error(`Cannot forward ${method} ${url}: no answer within ${TIMEOUT_MILLIS} ms`));
  });
}

function withoutHopByHop(headers: readonly string[]): string[] {
  return toPairs(headers)
    .filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()))
    .flat();
}

/** Reads `20260501T140930Z`; `NaN` for anything else. */
function parseAmzDate(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}
