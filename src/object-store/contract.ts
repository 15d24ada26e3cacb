/**
 * What Firn asks of a store, and what a store promises. Implementations: `r2/`, `s3/`, `azure/`, `memory/`. Each one,
 * and every wrapper, passes `test/conformance/object-store.ts`.
 *
 * No caller looks at a status code or at a vendor's error: a store translates them once, into a `FirnError` of one of
 * these kinds, and nothing else leaves it but what a caller's own source throws and `RangeError`s for a caller's
 * mistake.
 *
 * - `store_unavailable`: time-out, broken connection, 5xx, throttling, an answer that makes no sense. The effect is
 *   unknown. Asking again may help later; not before `retryAfterSeconds` where the store named a time.
 * - `store_refused`: credentials, permission, no such bucket, a setting the store does not take. Nothing was done, and
 *   asking again is useless until an operator acts.
 * - `object_not_found`: no such object, or no such multipart upload (any more). Asking again is useless.
 * - `object_changed`: the object is not the one that `ifMatch` names. Asking again is useless.
 * - `object_frozen`: it lies in a storage class that must be restored before it is read. Asking again is useless until
 *   it was; the error has the class where the store names it.
 *
 * Messages name the call, the key and what the store said in its own code; never a credential, a signature or a query.
 */

/** Bytes to be stored: fixed beforehand, and readable again from the start for every attempt. */
export interface PutSource {
  /** Exact number of bytes that {@link PutSource.open} yields. */
  readonly length: number;
  /** SHA-256 of exactly these bytes, 32 bytes. */
  readonly sha256: Uint8Array;
  /**
   * MD5 of exactly these bytes, 16 bytes, where it is known. A store that sends it (`StoreTraits.sendsMd5`) reads a
   * source that does not know it once more, ahead of the put.
   */
  readonly md5?: Uint8Array;
  /** MIME type; a store never sets `Content-Encoding` (collector-s3 W7). */
  readonly contentType: string;
  /** Fires when nobody waits for the put any more: a store hands it to its `fetch`, and so frees the connection. */
  readonly signal?: AbortSignal;
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
   * The store's name for this version of the object, without quotes; `null` when it did not say. Good for comparing and
   * for `ifMatch`, and no proof of anything (protocol 4.3).
   */
  readonly etag: string | null;
  /**
   * The digest that Firn attached as metadata when it wrote the object, 64 hex digits; `null` on foreign objects, on
   * those of a multipart upload, and in every listing: stores do not list metadata, or make a page short for it.
   */
  readonly sha256Hex: string | null;
  /**
   * Only in listings, and only of an object in a class or tier that must be restored before it is read: its name.
   * Whether a restored copy stands beside it, a listing does not say, nor in which tier of itself a class keeps it.
   */
  readonly frozenClass?: string;
}

/** Outcome of a create-only put. */
export type PutOutcome =
  /** The object stands under the key, and the proof of protocol 4.3 was given. */
  | { readonly kind: "stored"; readonly info: ObjectInfo }
  /** The key was taken already; nothing was written. */
  | { readonly kind: "exists"; readonly info: ObjectInfo };

/** Which bytes of which version are wanted. */
export interface GetOptions {
  /**
   * Only these bytes. `offset` lies inside the object or at its end; what `length`, at least 1, asks for beyond the end
   * is left out. Without `length`: to the end.
   */
  readonly range?: { readonly offset: number; readonly length?: number };
  /** Only if the object's ETag is this one, as an {@link ObjectInfo} gave it. */
  readonly ifMatch?: string;
}

/** Which version is to be deleted. */
export interface DeleteOptions {
  /**
   * Only if the object's ETag is this one, as an {@link ObjectInfo} gave it; with a single key. Checked by the store as
   * it deletes where it can (AWS, Azure), else by a look right before: what is put between the two is deleted.
   */
  readonly ifMatch?: string;
}

/** A listing's order and bounds. */
export interface ListRequest {
  /** Only keys that start with these characters. */
  readonly prefix: string;
  /** Keys that have this text after the prefix are not listed but rolled up: see {@link ListPage.prefixes}. */
  readonly delimiter?: string;
  /** Only keys that sort after this one, in UTF-8 byte order. Not together with `delimiter`: stores differ in it. */
  readonly startAfter?: string;
  /** Continues where the page that gave it ended. */
  readonly cursor?: string;
  /** At most this many keys and prefixes, 1 to 1000; 1000 if absent. */
  readonly limit?: number;
}

/** One page of a listing, keys ascending in UTF-8 byte order; a page may be short, even empty, and not be the last. */
export interface ListPage {
  readonly objects: readonly ObjectInfo[];
  /** With a `delimiter` only: what keys begin with, delimiter included; ascending, each once over all pages. */
  readonly prefixes?: readonly string[];
  /** Present when more may follow; the last page has none. */
  readonly cursor?: string;
}

/** A multipart upload under way: plain data, so that it can be kept in storage and continued by another isolate. */
export interface MultipartUpload {
  readonly key: string;
  readonly uploadId: string;
}

/** A part that was taken; plain data, likewise. */
export interface UploadedPart {
  /** 1 to 10,000. */
  readonly number: number;
  /** What the store wants to see again at the end. */
  readonly etag: string;
  readonly length: number;
}

/** What a caller must know of a store beforehand. */
export interface StoreTraits {
  /**
   * `atomic`: of several writers of one key exactly one is told `stored`. `checked`: the store cannot do that, so a put
   * looks first and two writers at the same moment may both be told so; Firn's keys are unique, so that only the
   * ownership of a prefix (protocol 1) needs more.
   */
  readonly createOnly: "atomic" | "checked";
  /** A put sends `Content-MD5`: a source that knows its own spares a pass over its bytes. */
  readonly sendsMd5: boolean;
}

/** A bucket, seen through the few calls that Firn needs. Consistent: a list that starts after a put shows it. */
export interface ObjectStore {
  /** Kind, endpoint and bucket, such as `r2:telemetry`; a sealed batch goes to the store of its seal only. */
  readonly identity: string;
  readonly traits: StoreTraits;

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
   * Streams an object, or a range of it, as it is stored: never decompressed, whatever `Content-Encoding` another
   * writer gave it. The caller reads it to the end or cancels it: the platform gives an invocation six connections. A
   * failure in the middle errors the stream with whatever the platform has to say; it always means `store_unavailable`.
   * @throws FirnError of any kind above.
   * @throws RangeError when the range is not one, or begins behind the object's end.
   */
  get(key: string, options?: GetOptions): Promise<ReadableStream<Uint8Array>>;

  /** Describes an object without reading it; `null` when there is none. */
  head(key: string): Promise<ObjectInfo | null>;

  /**
   * Lists one page. With a `cursor`, `prefix` and `delimiter` must be those of the page before, and `startAfter` is not
   * looked at. A store that repeats a cursor is `store_unavailable`, not a loop (reliability F-12).
   */
  list(request: ListRequest): Promise<ListPage>;

  /**
   * Deletes up to 1000 objects; a key that does not exist is not an error. Not atomic: after an error some are deleted,
   * and all may be named again.
   * @throws FirnError `object_changed` when the object is not the one that `ifMatch` names; it stays.
   * @throws RangeError above 1000, and for `ifMatch` with other than one key.
   */
  delete(keys: readonly string[], options?: DeleteOptions): Promise<void>;

  /**
   * Begins an object whose bytes come in parts. Nothing is visible under the key before {@link completeMultipart}; what
   * is never completed nor aborted costs storage until the bucket's lifecycle rule for unfinished uploads ends it.
   */
  createMultipart(key: string, contentType: string): Promise<MultipartUpload>;

  /**
   * Sends one part; several may be under way. Parts but the last have one size, at least 5 MiB (R2). The store enforces
   * a digest of each. A number that is sent again replaces the part: only the last answer counts. Once the call has
   * settled the bytes are the caller's again.
   * @throws FirnError `object_not_found` when the upload was completed or aborted; not in Azure, which knows blocks:
   *   there a part is taken, and lies until Azure drops it.
   */
  putPart(upload: MultipartUpload, number: number, bytes: Uint8Array): Promise<UploadedPart>;

  /**
   * Makes the parts, ascending and without a gap from 1, the object. Atomic, and create-only where the store takes a
   * condition here; a key that another writer could take must not be used with multipart. May be repeated after any
   * error: an upload that was completed by a call whose answer was lost is `stored`.
   *
   * `stored` means that the object stands there in the length of all parts, each of which was proven when it was sent.
   * @param sha256Hex of all bytes, where the caller knows it: where the store enforces no digest of parts, the object
   *   is read back and held to it.
   * @throws FirnError `object_not_found` when the upload was aborted; a part is unknown or changed: `store_refused`.
   */
  completeMultipart(upload: MultipartUpload, parts: readonly UploadedPart[], sha256Hex?: string): Promise<PutOutcome>;

  /**
   * Gives an upload up and frees its parts, in Azure a week later; one that does not exist (any more) is not an error.
   * Who aborts does not complete: Azure would.
   */
  abortMultipart(upload: MultipartUpload): Promise<void>;
}

/** The name of a call, for wrappers that count, time or break calls. */
export type StoreCall = Exclude<keyof ObjectStore, "identity" | "traits">;
