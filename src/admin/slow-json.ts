/**
 * An answer that takes its time: white space while the work goes on, so that no proxy gives up, then one JSON document
 * (design section 9). The status is sent first and is always 200; the document says what failed.
 */
import { toErrorMessage } from "../errors.ts";
import { log } from "../log.ts";
import { millis, type Millis } from "../units.ts";

/** Proxies between a client and Cloudflare give up after 30 to 100 seconds of silence. */
const KEEP_ALIVE: Millis = millis(5_000);

/**
 * Starts the work and answers at once.
 * @param work - its value becomes the JSON document
 * @param keepAlive - time between two bytes of white space
 */
export function respondSlowly(work: () => Promise<object>, keepAlive: Millis = KEEP_ALIVE): Response {
  const encoder = new TextEncoder();
  let timer: ReturnType<typeof setInterval> | null = null;
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      timer = setInterval(() => controller.enqueue(encoder.encode(" ")), keepAlive);
      const result = await work().catch(toFailure);
      clearInterval(timer);
      controller.enqueue(encoder.encode(`${JSON.stringify(result)}\n`));
      controller.close();
    },
    cancel() {
      clearInterval(timer);
    },
  });
  return new Response(body, { headers: { "content-type": "application/json", "cache-control": "no-store" } });
}

function toFailure(error: unknown): object {
  log("error", "admin.failed", { error: toErrorMessage(error) });
  return { complete: false, errors: [{ message: toErrorMessage(error) }] };
}
