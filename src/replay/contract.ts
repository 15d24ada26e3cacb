/** What a replay is given by the root, for one request of an authenticated tenant. */
import type { Layout } from "../archive/key.ts";
import type { ObjectStore } from "../object-store/contract.ts";
import type { ReadLimits } from "../reader/contract.ts";
import type { Signal } from "../signal.ts";
import type { Millis } from "../units.ts";

/**
 * First instant of the earliest minute into which a shard may still publish (protocol 6.6), never later than now;
 * `unknown` where the shards cannot be asked.
 */
export type Watermark = Millis | "unknown";

/** The outside of a replay; the layout is the tenant's, which comes from the grant and from nothing in the request. */
export interface ReplayDeps {
  readonly store: ObjectStore;
  readonly layout: Layout;
  /** Asked once a request, before the first listing. May reject: then nothing is replayed. */
  readonly watermark: (signal: Signal) => Promise<Watermark>;
  /** The clock, for the log only. */
  readonly now: () => Millis;
  /** Bounds of one response; the ones of protocol 6.4 unless a test wants others. */
  readonly limits?: ReadLimits;
  /** The bucket's lifecycle may have deleted what came before this instant. */
  readonly expiredBefore?: Millis;
  /** How long after a window of event time its items are looked for; `EVENT_MAX_LATE` if absent. */
  readonly eventMaxLate?: Millis;
  /** How long a store may stay silent in the middle of an object. */
  readonly bodyTimeout?: Millis;
  /** Lets an answer close what it has opened, and log its end, after its client has gone. */
  readonly waitUntil?: (ended: Promise<void>) => void;
}
