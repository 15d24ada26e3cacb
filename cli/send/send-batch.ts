/** One request until it is taken, refused for good, or given up: {@link sendBatch}. */
import { countFailures, toWaitMillis } from "../back-off.ts";
import type { World } from "../command.ts";
import type { Batch } from "./batches.ts";
import { postBatch, type SendTarget } from "./post.ts";

/** What was sent so far. */
export interface SentTotals {
  /** Lines, elements, fields or messages of the input that are done with. */
  readonly units: number;
  readonly requests: number;
  readonly items: number;
  /** Of OTLP protobuf. */
  readonly bytes: number;
  /** Items that the receiver reported as rejected. */
  readonly rejected: number;
  /** Items of requests that it refused. */
  readonly skipped: number;
}

/** How it is sent. */
export interface SendRules {
  readonly target: SendTarget;
  readonly retries: number;
  /** A request that is refused for good is left out. */
  readonly isSkipping: boolean;
  readonly note: (text: string) => void;
}

/** Nothing sent yet. */
export const NOTHING_SENT: SentTotals = { units: 0, requests: 0, items: 0, bytes: 0, rejected: 0, skipped: 0 };

/**
 * Sends a request.
 * @returns the totals with it
 * @throws Error when it is refused, or given up
 */
export async function sendBatch(
  batch: Batch,
  totals: SentTotals,
  { rules, world }: { readonly rules: SendRules; readonly world: Pick<World, "delay" | "now" | "random"> },
): Promise<SentTotals> {
  const place = `the request after ${totals.items} items of the input`;
  const sent = {
    ...totals,
    units: batch.unitEnd,
    requests: totals.requests + 1,
    bytes: totals.bytes + batch.body.length,
  };
  for (let failures = 1; ; failures += 1) {
    const outcome = await postBatch(batch, rules.target);
    if (outcome.kind === "taken") {
      const { rejectedCount, message } = outcome;
      if (rejectedCount > 0 || message !== "")
        rules.note(`The receiver rejected ${rejectedCount} of ${batch.itemCount} items in ${place}: ${message}`);
      return { ...sent, items: totals.items + batch.itemCount, rejected: totals.rejected + rejectedCount };
    }
    if (outcome.kind === "refused") {
      if (!rules.isSkipping) throw new Error(`Cannot send ${place}: ${outcome.why}`);
      rules.note(`Skipped ${batch.itemCount} items in ${place}: ${outcome.why}`);
      return { ...sent, items: totals.items + batch.itemCount, skipped: totals.skipped + batch.itemCount };
    }
    if (failures > rules.retries) throw new Error(`Cannot send ${place}: ${outcome.why}${countFailures(failures)}`);
    const millis = toWaitMillis(failures, world.random(), outcome.retryAfter, world.now());
    rules.note(`Trying again in ${(millis / 1000).toFixed(1)} s: ${outcome.why}`);
    await world.delay(millis);
  }
}
