/**
 * An answer that takes its time: white space while the work goes on, so that no proxy gives up, then one JSON document
 * or its text (design section 9). The status is sent first and is always 200; the document says what failed.
 */
import { toErrorMessage } from "./errors.ts";
import { log } from "./log.ts";
import { millis, type Millis } from "./units.ts";

/** Proxies between a client and Cloudflare give up after 30 to 100 seconds of silence. */
const KEEP_ALIVE: Millis = millis(5_000);

/** How an answer is written. */
interface SlowForm<T> {
  readonly contentType: string;
  /** Sent now and then while nothing else is. */
  readonly space: string;
  readonly format: (result: T) => string;
}

/**
 * Starts the work and answers at once, in JSON.
 * @param work - its value becomes the JSON document; its argument fires when the client has left
 * @param keepAlive - time between two bytes of white space
 */
export function respondSlowly(
  work: (client: AbortSignal) => Promise<object>,
  keepAlive: Millis = KEEP_ALIVE,
): Response {
  const form = { contentType: "application/json", space: " ", format: (result: object) => formatJson(result) };
  return respond((client) => work(client).catch(toFailure), form, keepAlive);
}

/**
 * The same as plain text, after empty lines while the work goes on; a failure is the JSON document above.
 */
export function respondSlowlyInText(work: () => Promise<string>, keepAlive: Millis = KEEP_ALIVE): Response {
  const contentType = "text/plain; charset=utf-8";
  const guarded = (): Promise<string> => work().catch((error: unknown) => formatJson(toFailure(error)));
  return respond(guarded, { contentType, space: "\n", format: (text) => text }, keepAlive);
}

function respond<T>(
  work: (client: AbortSignal) => Promise<T>,
  { contentType, space, format }: SlowForm<T>,
  keepAlive: Millis,
): Response {
  const encoder = new TextEncoder();
  const client = new AbortController();
  let timer: ReturnType<typeof setInterval> | null = null;
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      timer = setInterval(() => controller.enqueue(encoder.encode(space)), keepAlive);
      const result = await work(client.signal);
      clearInterval(timer);
      if (client.signal.aborted) return;
      controller.enqueue(encoder.encode(format(result)));
      controller.close();
    },
    cancel() {
      clearInterval(timer);
      client.abort();
    },
  });
  return new Response(body, { headers: { "content-type": contentType, "cache-control": "no-store" } });
}

function formatJson(result: object): string {
  return `${JSON.stringify(result)}\n`;
}

function toFailure(error: unknown): object {
  log("error", "admin.failed", { error: toErrorMessage(error) });
  return { complete: false, errors: [{ message: toErrorMessage(error) }] };
}
