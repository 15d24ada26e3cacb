/**
 * An S3 server that fails as planned: a proxy on loopback in front of a true one. Requests and answers pass unchanged,
 * `Host` included, because the client signed it; a request that meets a planned fault is broken in the way of its kind
 * (`fault-plan.ts`). It counts what fired and logs every call, with the digest of what a PUT wanted to store.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { S3Server } from "./contract.ts";
import {
  alterAnswer,
  CLOCK_SHIFT_MILLIS,
  flipByte,
  makeAnswer,
  setHeader,
  toWire,
  type Answer,
} from "./fault-answers.ts";
import {
  armFault,
  meetFault,
  toSeenRequest,
  type ArmedFault,
  type FaultKind,
  type PlannedFault,
  type SeenRequest,
} from "./fault-plan.ts";
import { forward, forwardHalf, readBody, signAgain, type Outgoing } from "./upstream.ts";

/** Nobody waits longer for an answer that never comes: then the connection breaks, and a test sees a client hang. */
const STALL_MILLIS = 15_000;
const LATENCY_MILLIS = 300;
/** An answer that trickles does so for about this long, whatever its size. */
const TRICKLE_MILLIS = 300;
const TRICKLE_STEPS = 20;
const ENDLESS_PAUSE_MILLIS = 50;
const ENDLESS_LENGTH = 1_000_000;

/** A call that arrived, and what became of it. */
export interface ProxyCall extends SeenRequest {
  /** The fault that it met. */
  readonly fault: FaultKind | null;
  /** Of the body as the client sent it; `null` without one, or when it did not arrive whole. */
  sha256Hex: string | null;
  /** Status of the true server; `null` when it was not asked, or its answer is not known. */
  status: number | null;
}

/** A running proxy. */
export interface FaultProxy {
  /** The true server's settings, with the proxy for an endpoint. */
  readonly server: S3Server;
  /** Every call, in the order of arrival. */
  readonly calls: readonly ProxyCall[];
  /** Adds a fault; several may be armed, and a call meets one. */
  readonly arm: (plan: PlannedFault) => ArmedFault;
  /** Takes faults away, all without an argument: the server heals. */
  readonly disarm: (fault?: ArmedFault) => void;
  readonly stop: () => Promise<void>;
}

interface Proxy {
  readonly server: S3Server;
  readonly calls: ProxyCall[];
  armed: ArmedFault[];
  /** The last page of each listing, for one that is stale. */
  readonly pages: Map<string, Answer>;
}

/** Starts a proxy in front of a server. */
export async function startFaultProxy(server: S3Server): Promise<FaultProxy> {
  const proxy: Proxy = { server, calls: [], armed: [], pages: new Map() };
  const http = createServer((request, response) => {
    serve(proxy, request, response).catch(() => request.socket.destroy());
  });
  // A client that gives up in the middle of an answer is no error of the proxy's.
  http.on("connection", (socket) => socket.on("error", () => socket.destroy()));
  // A connection is closed by a fault or by the client, and never because it was idle.
  http.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    server: { ...server, endpoint: `http://127.0.0.1:${(http.address() as AddressInfo).port}` },
    calls: proxy.calls,
    arm: (plan) => {
      const fault = armFault(plan);
      proxy.armed.push(fault);
      return fault;
    },
    disarm: (fault) => {
      proxy.armed = fault === undefined ? [] : proxy.armed.filter((one) => one !== fault);
    },
    stop: () => close(http),
  };
}

async function close(http: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => http.close(() => resolve()));
  http.closeAllConnections();
  await closed;
}

/** Keys that were put with different bytes: there must be none, whatever fails (invariant of protocol 4.2). */
export function listChangedKeys(calls: readonly ProxyCall[]): readonly string[] {
  const digests = new Map<string, Set<string>>();
  for (const { call, key, sha256Hex } of calls) {
    if (call !== "put" || sha256Hex === null) continue;
    const known = digests.get(key) ?? new Set();
    digests.set(key, known.add(sha256Hex));
  }
  return [...digests].flatMap(([key, found]) => (found.size > 1 ? [key] : []));
}

async function serve(proxy: Proxy, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET", url = "/", rawHeaders: headers } = request;
  const seen = toSeenRequest(method, url);
  const fault = meetFault(proxy.armed, seen)?.plan.kind ?? null;
  const entry: ProxyCall = { ...seen, fault, sha256Hex: null, status: null };
  proxy.calls.push(entry);
  if (fault === "reset-before") return breakOff(request);
  if (fault === "stall-upload") return stall(request);
  if (fault === "early-error") return answerEarly(request, entry);
  const body = await readBody(request);
  if (body === null) return breakOff(request);
  if (body.length > 0) entry.sha256Hex = createHash("sha256").update(body).digest("hex");
  const outgoing: Outgoing = { method, url, headers, body };
  if (fault === "reset-during-upload") {
    await forwardHalf(proxy.server, { ...outgoing, body: body.subarray(0, Math.floor(body.length / 2)) });
    return breakOff(request);
  }
  if (fault === "stall") return stall(request);
  const answer = await answerCall(proxy, fault, { outgoing, entry });
  await deliver(fault, answer, { request, response, entry });
}

/** Asks the true server, or does not, as the fault has it. */
async function answerCall(
  proxy: Proxy,
  fault: FaultKind | null,
  { outgoing, entry }: { readonly outgoing: Outgoing; readonly entry: ProxyCall },
): Promise<Answer> {
  const ask = async (sent: Outgoing): Promise<Answer> => {
    const found = await forward(proxy.server, sent);
    entry.status = found.status;
    return found;
  };
  const now = Date.now();
  const madeUp = fault === null ? null : makeAnswer(fault, now);
  if (fault === "shifted-clock" && madeUp !== null) {
    const signed = await signAgain(proxy.server, outgoing, now + CLOCK_SHIFT_MILLIS);
    return signed === null ? madeUp : await ask(signed);
  }
  if (madeUp !== null) {
    if (fault === "applied-then-500") await ask(outgoing);
    return madeUp;
  }
  if (fault === "applied-twice") await ask(outgoing);
  const answer = await ask(fault === "flipped-byte-up" ? { ...outgoing, body: flipByte(outgoing.body) } : outgoing);
  const earlier = proxy.pages.get(outgoing.url) ?? null;
  if (entry.call === "list" && fault === null) proxy.pages.set(outgoing.url, answer);
  return fault === null ? answer : alterAnswer(fault, answer, earlier);
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly entry: ProxyCall;
}

/** Gives an answer to the client, whole or not, at once or later. */
async function deliver(fault: FaultKind | null, answer: Answer, exchange: Exchange): Promise<void> {
  const { request, response, entry } = exchange;
  const { head, body } = toWire(answer, entry.call);
  switch (fault) {
    case "applied-then-reset":
      return breakOff(request);
    case "truncated-reply":
      request.socket.end(cutAnswer(answer, entry));
      return;
    case "stall-reply":
      request.socket.write(cutAnswer(answer, entry));
      return stall(request);
    case "endless-reply":
      return await answerEndlessly(request);
    case "trickle":
      return await trickle(request, Buffer.concat([head, body]));
    case "latency":
      await delay(LATENCY_MILLIS);
      break;
    default:
  }
  response.sendDate = false;
  response.writeHead(answer.status, [...answer.headers]);
  response.end(entry.call === "head" ? undefined : answer.body);
}

function breakOff(request: IncomingMessage): void {
  // With a reset and not with an end, which a client might take for the end of an answer.
  request.socket.resetAndDestroy();
}

/** The body is still on its way; what is left of it meets a closed connection. */
function answerEarly(request: IncomingMessage, { call }: ProxyCall): void {
  const answer = makeAnswer("early-error", Date.now());
  if (answer === null) return breakOff(request);
  const { head, body } = toWire(answer, call);
  request.socket.end(Buffer.concat([head, body]));
}

/** An answer as far as the middle of its body, which is longer than what is there; of a HEAD within the headers. */
function cutAnswer(answer: Answer, { call }: ProxyCall): Buffer {
  const longer = answer.body.length === 0 ? { ...answer, body: Buffer.from("<Result>cut off</Result>") } : answer;
  const headers = setHeader(longer.headers, "Content-Length", String(longer.body.length));
  const { head, body } = toWire({ ...longer, headers }, call);
  return call === "head" ? head.subarray(0, head.length / 2) : Buffer.concat([head, body.subarray(0, body.length / 2)]);
}

async function trickle(request: IncomingMessage, bytes: Buffer): Promise<void> {
  const size = Math.ceil(bytes.length / TRICKLE_STEPS);
  for (let at = 0; at < bytes.length && !request.socket.destroyed; at += size) {
    request.socket.write(bytes.subarray(at, at + size));
    await delay(TRICKLE_MILLIS / TRICKLE_STEPS);
  }
  request.socket.end();
}

/** Headers of a success and byte after byte of a body, until the client gives up or the bound is reached. */
async function answerEndlessly(request: IncomingMessage): Promise<void> {
  const { socket } = request;
  socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\nETag: "0"\r\nContent-Length: ${ENDLESS_LENGTH}\r\n\r\n`);
  const until = Date.now() + STALL_MILLIS;
  while (!socket.destroyed && Date.now() < until) {
    socket.write(" ");
    await delay(ENDLESS_PAUSE_MILLIS);
  }
  socket.destroy();
}

/** No answer until the client gives up, or the bound is reached. What is not read stays in the way of what follows. */
function stall(request: IncomingMessage): void {
  request.pause();
  const timer = setTimeout(() => request.socket.destroy(), STALL_MILLIS);
  request.socket.once("close", () => clearTimeout(timer));
}
