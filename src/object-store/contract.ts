/**
 * What Firn asks of a store, and what a store promises. Implementations: `r2/`, `memory/`; S3 and Azure follow. Each
 * one passes `test/conformance/object-store.ts`. No caller looks at a status code or at a vendor's error: a store
 * translates them once, here, into a `FirnError` of kind `store_unavailable` (passing: time-out, 5xx, throttling; may
 * be retried), `store_refused` (403, no such bucket; retrying soon is useless) or `object_not_found`.
 */

/** Bytes to be stored: fixed beforehand, and readable again from the start for every attempt. */
export interface PutSource {
  /** Exact number of bytes that {@link PutSource.open} yields. */
  readonly length: number;
  /** SHA-256 of exactly these bytes, 32 bytes. */
  readonly sha256: Uint8Array;
  /** MIME type; a store never sets `Content-Encoding` (collector-s3 W7). */
  readonly contentType: string;
  /**
   * Starts reading from the first byte; called once for every attempt. Pieces are small, and each is valid only until
   * the next one is asked for: a store that keeps bytes copies them. A store that stops in the middle says so through
   * the iterator's `return`.
   */
  open(): AsyncIterable<Uint8Array>;
}

/** What a store knows about an object. */
export interface ObjectInfo {
  readonly key: string;
  /** Length in bytes as stored. */
  readonly length: number;
  /**
   * The digest that Firn attached as metadata when it wrote the object, 64 hex digits; `null` on foreign objects, and
   * in every listing: stores do not list metadata, or make a page short for it. Only `put` and `head` tell it.
   */
  readonly sha256Hex: string | null;
}

/** Outcome of a create-only put. */
export type PutOutcome =
  /** The object stands under the key, and the proof of protocol 4.3 was given. */
  | { readonly kind: "stored"; readonly info: ObjectInfo }
  /** The key was taken already; nothing was written. */
  | { readonly kind: "exists"; readonly info: ObjectInfo };

/** A listing's order and bounds. */
export interface ListRequest {
  /** Only keys that start with these characters. */
  readonly prefix: string;
  /** Only keys that sort after this one, in UTF-8 byte order. */
  readonly startAfter?: string;
  /** Continues where the page that gave it ended. */
  readonly cursor?: string;
  /** At most this many keys, 1 to 1000; 1000 if absent. */
  readonly limit?: number;
}

/** One page of a listing, keys ascending in UTF-8 byte order; a page may be short and not be the last. */
export interface ListPage {
  readonly objects: readonly ObjectInfo[];
  /** Present when more may follow; the last page has none. */
  readonly cursor?: string;
}

/** A bucket, seen through the few calls that Firn needs. Consistent: a list that starts after a put shows it. */
export interface ObjectStore {
  /** Kind, endpoint and bucket, such as `r2:telemetry`; a sealed batch goes to the store of its seal only. */
  readonly identity: string;

  /**
   * Writes an object, create-only: an existing key is never overwritten. Atomic: a reader sees all bytes or none. May
   * be repeated after any error, since the effect of a failed call is unknown.
   *
   * Resolves `stored` only with proof (protocol 4.3): the store itself enforced a digest while it wrote, and its own
   * answer about the object agrees in length and in Firn's digest metadata. On `exists` nothing is proven: the caller
   * compares the digest of the object that stands there.
   * @throws FirnError `store_unavailable`, also when the bytes that arrived have another digest; `store_refused`.
   * @throws RangeError when the source yields another number of bytes than it promised; nothing is stored then.
   * @throws what the source throws, as it is; nothing is stored then.
   */
  put(key: string, source: PutSource): Promise<PutOutcome>;

  /**
   * Streams an object from its first byte. The caller reads it to the end or cancels it: the platform gives an
   * invocation six connections. A failure in the middle errors the stream with whatever the platform has to say; it
   * always means `store_unavailable`.
   * @throws FirnError `object_not_found` and the two above.
   */
  get(key: string): Promise<ReadableStream<Uint8Array>>;

  /** Describes an object without reading it; `null` when there is none. */
  head(key: string): Promise<ObjectInfo | null>;

  /** Lists one page. With a `cursor`, `prefix` must be that of the page before, and `startAfter` is not looked at. */
  list(request: ListRequest): Promise<ListPage>;

  /** Deletes up to 1000 objects; a key that does not exist is not an error. @throws RangeError above 1000. */
  delete(keys: readonly string[]): Promise<void>;
}

/** The name of a call, for wrappers that count, time or break calls. */
export type StoreCall = Exclude<keyof ObjectStore, "identity">;
