/** Valid requests with unique items, sent between the mutants, and the judgement whether each came back once. */
import { SIGNALS, type Item, type Signal } from "../otlp-items.ts";
import { buildRequest, toReplayed, type WireRequest } from "../../test/node/e2e/requests.ts";
import { checkHistory, formatVerdict, isClean, type ReplayedItem, type SentItem } from "../../test/oracle/checker.ts";
import type { HttpRequest } from "./connection.ts";
import type { Random } from "./random.ts";

/** A control and its fate. */
export interface Control {
  readonly request: WireRequest;
  outcome: SentItem["outcome"];
}

/** The instrumentation scope by which items of controls are known. */
const SCOPE = "kill-loop";

/** Makes the next control. @param serial - unique in the run */
export function makeControl(random: Random, serial: number): Control {
  const signal = SIGNALS[serial % SIGNALS.length] ?? "traces";
  return { request: buildRequest(() => random(2 ** 32) / 2 ** 32, signal, serial), outcome: "unknown" };
}

/** A control as it is sent. */
export function toHttpRequest({ request }: Control): HttpRequest {
  const { signal, headers, body } = request;
  return { method: "POST", path: `/v1/${signal}`, headers: Object.entries(headers), body, framing: "length" };
}

/** Picks the items of controls out of what came back. */
export function pickControls(signal: Signal, items: readonly Item[]): readonly ReplayedItem[] {
  return items
    .filter(({ content }) => JSON.stringify(content["instrumentationScope"] ?? null).includes(`"${SCOPE}"`))
    .map((item) => toReplayed(signal, item));
}

/** Compares the controls with what came back. @returns what is wrong, or `null` */
export function judgeControls(controls: readonly Control[], replayed: readonly ReplayedItem[]): string | null {
  const sent = controls.flatMap(({ request, outcome }) =>
    request.items.map((item) => ({ ...toReplayed(request.signal, item), outcome })),
  );
  const verdict = checkHistory(sent, replayed);
  return isClean(verdict) ? null : formatVerdict(verdict);
}
