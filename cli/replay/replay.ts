/**
 * A whole window in pages: {@link replayWindow}. A page that broke off is cut off again and asked for once more; the
 * spool gives away only what nothing can take back.
 */
import type { Mark } from "../../src/replay/mark.ts";
import type { FirnAddress } from "../ask.ts";
import { countFailures, toWaitMillis } from "../back-off.ts";
import type { World } from "../command.ts";
import { fetchPage, type PageOutcome, type PageRequest } from "./fetch-page.ts";
import { bracketBytes, encodeEnd, type ReplayShape } from "./framing.ts";
import type { Spool } from "./spool.ts";
import { addPage, toWholeMark, type ReplayState } from "./state.ts";

/** What is to be replayed, and how stubbornly. */
export interface ReplayOrder {
  readonly address: FirnAddress;
  /** Parameters of every page: without `cursor`, `limit_bytes` and `mark`. */
  readonly parameters: URLSearchParams;
  readonly shape: ReplayShape;
  readonly limitBytes: number;
  /** The replay ends in a mark. */
  readonly hasMark: boolean;
  /** Failures in a row after which it is given up. */
  readonly retries: number;
}

/** Who is told of it. */
export interface ReplayWatch {
  /** A page is finished, and released if nothing can take it back. */
  readonly onPage: (state: ReplayState) => Promise<void>;
  readonly onWait: (why: string, millis: number) => void;
}

/** Pages that break off again and again are asked for in this size at last: a proxy may bound the time of an answer. */
const LIMIT_FLOOR_BYTES = 1024 * 1024;
/** Failures in a row before pages get smaller: a broken connection alone is no reason. */
const SHRINK_AFTER = 3;
/** Minutes are compacted once or twice; a server that says so more often has another trouble. */
const GONE_MAX = 8;

/**
 * Replays a window behind what is already there.
 * @returns the mark of the whole replay
 * @throws FirnError `invalid_request` for what the server refuses, Error when it is given up
 */
export async function replayWindow(
  order: ReplayOrder,
  { spool, state: from, watch, world }: ReplaySetting,
): Promise<Mark> {
  let state = from;
  let failures = 0;
  let goneCount = 0;
  let limitBytes = order.limitBytes;
  while (state.at.lastMark === null) {
    const outcome = await fetchPage(toPageRequest(order, state.at.cursor, limitBytes), spool);
    if (outcome.kind === "page") {
      const next = addPage(state, outcome.mark, spool.length);
      if (next.safe !== state.safe) goneCount = 0;
      if (next.at.cursor !== null && next.at.cursor === state.at.cursor) throw new Error(STANDS_STILL);
      state = next;
      failures = 0;
      if (state.at === state.safe) await spool.release();
      await watch.onPage(state);
      continue;
    }
    if (outcome.kind === "gone") {
      goneCount += 1;
      if (state.at === state.safe || goneCount > GONE_MAX) throw new Error(`Cannot finish the replay: ${outcome.why}`);
      state = { at: state.safe, safe: state.safe };
      await watch.onPage(state);
    } else {
      failures += 1;
      if (failures > order.retries) throw giveUp(outcome.why, failures);
      const isTooLarge = outcome.kind === "broken" && failures >= SHRINK_AFTER;
      if (isTooLarge) limitBytes = Math.min(limitBytes, Math.max(Math.floor(limitBytes / 2), LIMIT_FLOOR_BYTES));
      await wait(outcome, failures, { watch, world });
    }
    await spool.truncate(state.at.length);
  }
  const mark = toWholeMark(state.at, state.at.lastMark, spool.length + bracketBytes(order.shape));
  await spool.append(encodeEnd(order.hasMark ? mark : null, order.shape));
  await spool.release();
  return mark;
}

/** What a replay works with. */
export interface ReplaySetting {
  readonly spool: Spool;
  /** Its pages stand in the spool. */
  readonly state: ReplayState;
  readonly watch: ReplayWatch;
  readonly world: Pick<World, "delay" | "now" | "random">;
}

const STANDS_STILL = "Cannot finish the replay: a page of the server ends where it began";

function toPageRequest(order: ReplayOrder, cursor: string | null, limitBytes: number): PageRequest {
  const query = new URLSearchParams(order.parameters);
  query.set("limit_bytes", String(limitBytes));
  if (cursor !== null) query.set("cursor", cursor);
  return { address: order.address, query, shape: order.shape };
}

function giveUp(why: string, failures: number): Error {
  return new Error(`Cannot finish the replay: ${why}${countFailures(failures)}`);
}

async function wait(
  outcome: Extract<PageOutcome, { kind: "busy" | "broken" }>,
  failures: number,
  { watch, world }: Pick<ReplaySetting, "watch" | "world">,
): Promise<void> {
  const retryAfter = outcome.kind === "busy" ? outcome.retryAfter : null;
  const millis = toWaitMillis(failures, world.random(), retryAfter, world.now());
  watch.onWait(outcome.why, millis);
  await world.delay(millis);
}
