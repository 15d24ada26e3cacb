/**
 * What a reader is asked and what it answers. A read is a sequence of {@link ReadEvent}s that is pulled: nothing is
 * fetched beyond `fetchAhead` objects before the consumer asks for more, and a consumer that stops early (`return()`)
 * closes everything that was opened. The last event of a read that did not fail is `end`, and there is nothing after
 * it.
 */
import type { Layout } from "../archive/key.ts";
import type { ErrorKind } from "../errors.ts";
import type { ObjectStore } from "../object-store/contract.ts";
import type { EventWindow } from "../otlp/event-time.ts";
import type { Encoding } from "../otlp/response.ts";
import type { TopLevelField } from "../otlp/top-level.ts";
import type { Signal } from "../signal.ts";
import type { Bytes, Millis } from "../units.ts";

/** A window of one tenant and signal. */
export interface ReadRequest {
  readonly store: ObjectStore;
  /** Says whose archive and how its keys look; nothing outside of it is read. */
  readonly layout: Layout;
  readonly signal: Signal;
  /** Arrival minutes m with start ≤ m < end are read (protocol 6.2). */
  readonly start: Millis;
  readonly end: Millis;
  /** Where in the minute at `start` to go on, if what is before it was given already. */
  readonly place?: ReadPlace;
  /** The answer has content already, so that the read may end itself before its first minute. */
  readonly isContinued?: boolean;
  /** `skip` reports an unreadable object and goes on; what it gave before it failed stays given. */
  readonly onError: "stop" | "skip";
  /**
   * Encoding in which requests of profiles are given; as they were stored without it. An object whose request cannot be
   * converted is unreadable. Items of the other signals are given as protobuf, whatever they were stored in.
   */
  readonly encoding?: Encoding;
  /**
   * Items are passed on and not decoded. Outputs of compaction were read back before they counted, and their members
   * have checksums: the items of their runs are counted by what their entries say.
   */
  readonly isPassedOn?: boolean;
  /** What the consumer will keep of the items; all of them if absent. */
  readonly hints?: ReadHints;
  readonly limits: ReadLimits;
  /**
   * The bucket's own lifecycle may have deleted what came before this instant (protocol 5.11): of hours that ended by
   * then, what is absent is expired and no error. Without it nothing is.
   */
  readonly expiredBefore?: Millis | undefined;
  /** How long the body of an object may give nothing; `STORE_CALL_TIMEOUT` if absent. */
  readonly bodyTimeout?: Millis;
}

/**
 * A place inside a minute, before a top-level field: what of the minute was given (protocol 6.3). It is valid while the
 * minute is made of the same parts.
 */
export interface ReadPlace {
  /** Of the newest manifest of the hour; 0 where it has none. */
  readonly generation: number;
  /** The part of the minute, an object or an output, by `hashKey`; those before it were given whole. */
  readonly part: string;
  /** Runs of the minute that stand before in the output, read or passed over; 0 in an object. */
  readonly runs: number;
  /** Fields, or requests, that were given of the run, or of the object. */
  readonly fields: number;
}

/**
 * What a read may pass over, since nothing of it would be kept: outputs and members of which their manifest, member
 * table or trace index says so. Hints never change what is kept of a read. What cannot be told without reading is read,
 * fresh objects above all; and what is passed over is neither fetched nor missed when it is damaged or gone, be it the
 * manifest of an hour whose listed indexes lack the trace.
 */
export interface ReadHints {
  /** Only items whose resource has this `service.name` are kept. */
  readonly service: string | null;
  /** Only spans or log records of this trace are kept: 16 bytes. */
  readonly traceId: Uint8Array | null;
  /** Only items are kept whose event time lies in it, half-open; of those without one the arrival minute counts. */
  readonly eventTime: EventWindow | null;
}

/** When a read ends itself, and how far it runs ahead (protocol 6.4). */
export interface ReadLimits {
  readonly maxStoreCalls: number;
  readonly maxRawBytes: Bytes;
  /** Objects opened ahead of the one being read. */
  readonly fetchAhead: number;
}

/** One step of a read, in the order of minute; in a minute outputs of compaction come first, each kind by key. */
export type ReadEvent =
  /** A minute begins; the raw bytes of its fresh objects are guessed. One that is looked at again begins again. */
  | { readonly kind: "minute"; readonly minute: Millis; readonly rawBytes: number }
  /**
   * Whole top-level fields of one object, as they stood in it; views, valid until the next event is asked for. The
   * place is that of the first.
   */
  | {
      readonly kind: "fields";
      readonly minute: Millis;
      readonly place: ReadPlace;
      readonly fields: readonly TopLevelField[];
      readonly itemCount: number;
    }
  /** The one request of an object of profiles; its item is the request, since nothing in it is interpreted. */
  | {
      readonly kind: "request";
      readonly minute: Millis;
      readonly place: ReadPlace;
      readonly encoding: Encoding;
      readonly body: Uint8Array;
      readonly itemCount: 1;
    }
  /**
   * An object that could not be read to its end, or a member of an hour object; only with `onError: "skip"`. A damaged
   * member takes no other with it.
   */
  | { readonly kind: "unreadable"; readonly key: string; readonly why: ErrorKind; readonly reason: string }
  /** Retention has removed items of this hour, as many as `itemCount`: that is no error. */
  | { readonly kind: "retired"; readonly hour: Millis; readonly itemCount: number }
  /** The bucket's lifecycle has deleted something of this hour, which is no error; told once an hour. */
  | { readonly kind: "expired"; readonly hour: Millis }
  /**
   * The read is over: `next` is the first minute that was not read, or not read to its end if there is a place in it;
   * `null` when the window was read to its end.
   */
  | { readonly kind: "end"; readonly next: Millis | null; readonly place: ReadPlace | null; readonly usage: ReadUsage };

/** What a read has used up. */
export interface ReadUsage {
  readonly storeCalls: number;
  /** Objects that were opened and read, whole or in part. */
  readonly objectCount: number;
  /** Stored bytes of these objects. */
  readonly storedBytes: number;
  /** Bytes after decompression. */
  readonly rawBytes: number;
}
