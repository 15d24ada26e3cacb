/**
 * A load generator that costs little, because it shares two cores with the server: raw sockets, requests prepared
 * beforehand, answers read only as far as status and length. Each request is sent exactly once, each connection has one
 * under way, and the run ends when the pool is used up or its time is over.
 */
import { connect, type Socket } from "node:net";
import { percentile } from "./bench-line.ts";
import type { PreparedRequest } from "./request-pool.ts";

/** Bytes of answers in flight on one connection; an OTLP answer has a few hundred. */
const READ_BUFFER_BYTES = 16 * 1024;

/** What to send, and how. */
export interface LoadPlan {
  readonly port: number;
  readonly requests: readonly PreparedRequest[];
  readonly connections: number;
  /** After this no new request is sent. Requests under way get as long again. */
  readonly maxSeconds: number;
}

/** What came back. */
export interface LoadResult {
  /** Requests that were answered, whatever the status. */
  readonly requestCount: number;
  readonly nonOkCount: number;
  /** Raw OTLP bytes and items of the requests that were answered with 200. */
  readonly rawBytes: number;
  readonly itemCount: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU seconds of this process, the generator's own. */
  readonly clientCpuSeconds: number;
  /** First answer that was not a 200. */
  readonly firstFailure: string | null;
}

interface Run {
  readonly plan: LoadPlan;
  readonly endAt: number;
  readonly latenciesMs: Float64Array;
  sent: number;
  answered: number;
  okRawBytes: number;
  okItemCount: number;
  okCount: number;
  firstFailure: string | null;
}

/** Sends the pool. @throws Error when a connection breaks or an answer stays out. */
export async function sendLoad(plan: LoadPlan): Promise<LoadResult> {
  const run: Run = {
    plan,
    endAt: performance.now() + plan.maxSeconds * 1000,
    latenciesMs: new Float64Array(plan.requests.length),
    sent: 0,
    answered: 0,
    okRawBytes: 0,
    okItemCount: 0,
    okCount: 0,
    firstFailure: null,
  };
  const cpu = process.cpuUsage();
  const start = performance.now();
  const connectionCount = Math.min(plan.connections, plan.requests.length);
  await Promise.all(Array.from({ length: connectionCount }, () => openConnection(run)));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const latencies = run.latenciesMs.subarray(0, run.answered).toSorted();
  return {
    requestCount: run.answered,
    nonOkCount: run.answered - run.okCount,
    rawBytes: run.okRawBytes,
    itemCount: run.okItemCount,
    seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    clientCpuSeconds: (user + system) / 1e6,
    firstFailure: run.firstFailure,
  };
}

/** Sends one request after the other over one connection until none is left. */
function openConnection(run: Run): Promise<void> {
  return new Promise((resolve, reject) => {
    const answer = new AnswerReader();
    let current: PreparedRequest | undefined;
    let sentAt = 0;
    const finish = (error?: Error): void => {
      clearTimeout(deadline);
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    const sendNext = (): void => {
      current = performance.now() < run.endAt ? run.plan.requests[run.sent++] : undefined;
      if (current === undefined) return finish();
      sentAt = performance.now();
      socket.write(current.wire);
    };
    const buffer = Buffer.allocUnsafe(READ_BUFFER_BYTES);
    const read = (length: number): boolean => {
      try {
        if (current === undefined || !answer.push(buffer, length)) return true;
        count(run, current, performance.now() - sentAt, answer);
        sendNext();
      } catch (error) {
        finish(new Error("Cannot finish the load: an answer cannot be read", { cause: error }));
      }
      return true;
    };
    const socket: Socket = connect({ host: "127.0.0.1", port: run.plan.port, onread: { buffer, callback: read } });
    const deadline = setTimeout(
      () => finish(new Error(`Cannot finish the load: no answer within ${2 * run.plan.maxSeconds} s`)),
      2 * run.plan.maxSeconds * 1000,
    );
    socket.setNoDelay(true);
    socket.once("connect", sendNext);
    socket.once("error", finish);
    socket.once("close", () => finish(new Error("Cannot finish the load: the server closed a connection")));
  });
}

function count(run: Run, request: PreparedRequest, latencyMs: number, answer: AnswerReader): void {
  run.latenciesMs[run.answered++] = latencyMs;
  if (answer.status !== 200) {
    run.firstFailure ??= answer.text;
    return;
  }
  run.okCount++;
  run.okRawBytes += request.rawBytes;
  run.okItemCount += request.itemCount;
}

/** Reads answers of one connection, which has one request under way at most: status, then the announced length. */
class AnswerReader {
  status = 0;
  text = "";
  #expectedBytes = 0;
  #readBytes = 0;

  /** Takes the next piece. @returns whether the answer is complete now. */
  push(buffer: Buffer, length: number): boolean {
    if (this.#readBytes === 0) this.text = "";
    this.text += buffer.toString("latin1", 0, length);
    this.#readBytes += length;
    if (this.#expectedBytes === 0 && !this.#readHead()) return false;
    if (this.#readBytes < this.#expectedBytes) return false;
    this.#expectedBytes = 0;
    this.#readBytes = 0;
    return true;
  }

  #readHead(): boolean {
    const headEnd = this.text.indexOf("\r\n\r\n");
    if (headEnd < 0) return false;
    const head = this.text.slice(0, headEnd);
    this.status = Number(head.slice(9, 12));
    const match = /\r\ncontent-length: (\d+)/i.exec(head);
    // Firn answers an export with a body of known length; a chunked answer would be news and not a measurement.
    if (match === null) throw new Error(`Cannot read an answer: no Content-Length in "${head}"`);
    this.#expectedBytes = headEnd + 4 + Number(match[1]);
    return true;
  }
}
