/** The reads of a replay, one for each signal: {@link openSignals}. */
import { toReadHints } from "../filter/hints.ts";
import {
  REPLAY_FETCH_AHEAD,
  REPLAY_FILTERED_MAX_RAW_BYTES,
  REPLAY_FILTERED_MAX_STORE_CALLS,
  REPLAY_MAX_RAW_BYTES,
  REPLAY_MAX_STORE_CALLS,
} from "../limits.ts";
import type { Encoding } from "../otlp/response.ts";
import type { ReadLimits, ReadRequest } from "../reader/contract.ts";
import { SIGNALS, type Signal } from "../signal.ts";
import type { ReplayDeps, Watermark } from "./contract.ts";
import type { Position } from "./cursor.ts";
import type { ReplayFormat } from "./format.ts";
import type { ReplayQuery } from "./parameters.ts";

/** One signal of a replay. */
export interface SignalSource {
  readonly signal: Signal;
  readonly watermark: Watermark;
  /** Where the reading begins. */
  readonly from: Position;
  readonly request: ReadRequest;
}

/** What requests that stay whole are converted to. */
const ENCODING: Readonly<Record<ReplayFormat, Encoding>> = {
  jsonl: "json",
  json: "json",
  proto: "protobuf",
  "proto-delimited": "protobuf",
};

/** Of one invocation, whatever it does. */
export const MAX_LIMITS: ReadLimits = {
  maxStoreCalls: REPLAY_MAX_STORE_CALLS,
  maxRawBytes: REPLAY_MAX_RAW_BYTES,
  fetchAhead: REPLAY_FETCH_AHEAD,
};
const FILTERED_LIMITS: ReadLimits = {
  maxStoreCalls: REPLAY_FILTERED_MAX_STORE_CALLS,
  maxRawBytes: REPLAY_FILTERED_MAX_RAW_BYTES,
  fetchAhead: REPLAY_FETCH_AHEAD,
};

/** Without a mark an answer cannot end itself, so that whoever leaves it out waits instead. */
function toLimits({ filter, hasMark }: ReplayQuery): ReadLimits {
  return filter !== null && hasMark ? FILTERED_LIMITS : MAX_LIMITS;
}

/**
 * Opens the signals that are still to be given, in their order.
 * @throws whatever asking for a watermark throws
 */
export async function openSignals(query: ReplayQuery, deps: ReplayDeps): Promise<readonly SignalSource[]> {
  const { cursor, arrivals } = query;
  const first = SIGNALS.indexOf(cursor?.position.signal ?? SIGNALS[0]);
  const signals = query.signals.filter((each) => SIGNALS.indexOf(each) >= first);
  // Before the first listing: what a shard no longer holds now, every later listing shows. Asked afterwards, it could
  // vouch for an object that was published after its hour was listed.
  const watermarks = await Promise.all(signals.map((each) => deps.watermark(each)));
  return signals.map((each, index) => {
    const begin: Position = { signal: each, minute: arrivals.start, place: null, items: 0 };
    const from = index === 0 ? (cursor?.position ?? begin) : begin;
    return { signal: each, watermark: watermarks[index] ?? "unknown", from, request: toRequest(query, deps, from) };
  });
}

function toRequest(query: ReplayQuery, deps: ReplayDeps, from: Position): ReadRequest {
  const { format, onError, arrivals, filter } = query;
  const { store, layout, limits = toLimits(query), bodyTimeout, expiredBefore } = deps;
  return {
    store,
    layout,
    signal: from.signal,
    start: from.minute,
    end: arrivals.end,
    onError,
    encoding: ENCODING[format],
    isPassedOn: ENCODING[format] === "protobuf" && filter === null,
    limits,
    expiredBefore,
    ...(from.place === null ? {} : { place: from.place }),
    ...(bodyTimeout === undefined ? {} : { bodyTimeout }),
    ...(filter === null ? {} : { hints: toReadHints(filter) }),
  };
}
