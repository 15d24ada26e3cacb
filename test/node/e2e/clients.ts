/**
 * Clients as exporters are: each sends one request at a time and repeats the same bytes until they are acknowledged,
 * on connection errors and on the statuses that OTLP says to retry. They note what happened to each attempt.
 */
import { setTimeout as delay } from "node:timers/promises";
import { SIGNALS } from "../../../scripts/otlp-items.ts";
import type { RandomShare } from "../../../scripts/fuzz/random.ts";
import { buildRequest, type WireRequest } from "./requests.ts";

/** https://opentelemetry.io/docs/specs/otlp/#failures-1 */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const ATTEMPT_TIMEOUT_MILLIS = 10_000;
const RETRY_MAX_MILLIS = 300;
/** Pause of a steady client between two requests; it keeps the history within memory. */
const PAUSE_MAX_MILLIS = 60;

/** A request and its fate. */
interface Delivery {
  readonly request: WireRequest;
  outcome: "acked" | "unknown" | "refused";
  attempts: number;
}

/** What the clients did. */
export interface Load {
  readonly deliveries: readonly Delivery[];
  /** Answers that no retry helps; there should be none. */
  readonly refusals: readonly string[];
  /** Attempts that wait for an answer now. */
  readonly inFlight: () => number;
  /** Attempts that failed without an answer, by the value of `epoch` when they began. */
  readonly broken: ReadonlyMap<number, number>;
  /** Sends several requests at once. */
  readonly burst: (count: number) => void;
  /** Lets every request come to its end and stops. */
  readonly finish: () => Promise<void>;
  /** Gives up at once, whatever is under way. */
  readonly abandon: () => void;
}

/** Where and how much to send. */
export interface LoadOptions {
  readonly url: string;
  readonly random: RandomShare;
  /** Clients that send all the time, spread over the signals. */
  readonly clients: number;
  /** A number that the test raises with each kill. */
  readonly epoch: () => number;
  /** Number of the first request, 0 if absent; requests of equal numbers have items of equal ids. */
  readonly firstSerial?: number;
}

/** Starts the clients. */
export function startLoad({ url, random, clients, epoch, firstSerial = 0 }: LoadOptions): Load {
  const deliveries: Delivery[] = [];
  const refusals: string[] = [];
  const broken = new Map<number, number>();
  const running = new Set<Promise<void>>();
  const stop = new AbortController();
  const abandon = new AbortController();
  let [serial, inFlight] = [firstSerial, 0];
  const deliver = async (): Promise<void> => {
    const number = serial++;
    const request = buildRequest(random, SIGNALS[number % SIGNALS.length] ?? "traces", number);
    const delivery: Delivery = { request, outcome: "unknown", attempts: 0 };
    deliveries.push(delivery);
    while (delivery.outcome === "unknown" && !abandon.signal.aborted) {
      const began = epoch();
      delivery.attempts += 1;
      inFlight += 1;
      const status = await sendOnce(url, request);
      inFlight -= 1;
      if (status === 200) delivery.outcome = "acked";
      else if (status === null) broken.set(began, (broken.get(began) ?? 0) + 1);
      else if (!RETRYABLE.has(status)) {
        delivery.outcome = "refused";
        refusals.push(`${request.signal} ${request.headers["content-type"] ?? ""}: ${status}`);
      }
      if (delivery.outcome === "unknown") await delay(random() * RETRY_MAX_MILLIS);
    }
  };
  const track = (work: Promise<void>): void => {
    const tracked: Promise<void> = work.finally(() => running.delete(tracked));
    running.add(tracked);
  };
  const repeat = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await deliver();
      await delay(random() * PAUSE_MAX_MILLIS);
    }
  };
  for (let i = 0; i < clients; i++) track(repeat());
  return {
    deliveries,
    refusals,
    inFlight: () => inFlight,
    broken,
    burst: (count) => {
      for (let i = 0; i < count; i++) track(deliver());
    },
    finish: async () => {
      stop.abort();
      while (running.size > 0) await Promise.all(running);
    },
    abandon: () => {
      stop.abort();
      abandon.abort();
    },
  };
}

/** One attempt: the status, or `null` when no whole answer came. */
async function sendOnce(url: string, { signal, headers, body }: WireRequest): Promise<number | null> {
  try {
    const response = await fetch(`${url}/v1/${signal}`, {
      method: "POST",
      headers,
      body,
      signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MILLIS),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return null; // refused, reset or timed out: nobody knows whether it was stored
  }
}
