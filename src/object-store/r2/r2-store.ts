/**
 * A bucket of Cloudflare R2 through its binding. Consistent and create-only by itself; enforces the SHA-256 of a put.
 * https://developers.cloudflare.com/r2/api/workers/workers-api-reference/
 */
import { FirnError } from "../../errors.ts";
import { LIST_PAGE_KEYS } from "../../limits.ts";
import { assertCursorMoves, assertDeletable, assertListable, assertSameVersion } from "../bounds.ts";
import type { GetOptions, ListPage, ListRequest, ObjectInfo, ObjectStore, PutOutcome, PutSource } from "../contract.ts";
import { answerUnsatisfiable, assertRange, objectChanged } from "../range.ts";
import { proveStored, uploadStream } from "../upload-stream.ts";
import { askR2, isUnsatisfiable, toStoreError } from "./r2-errors.ts";
import { abortR2Upload, completeR2Upload, createR2Upload, putR2Part } from "./r2-multipart.ts";
import { DIGEST_KEY, enforcedHexOf, toInfo, type R2StorageClass } from "./r2-object.ts";

/**
 * Opens the store behind a binding.
 * @param bucketName its name, for `identity` alone
 * @param storageClass of what is put; the bucket's default without one
 */
export function openR2Store(bucket: R2Bucket, bucketName: string, storageClass?: R2StorageClass): ObjectStore {
  return {
    identity: `r2:${bucketName}`,
    traits: { createOnly: "atomic", sendsMd5: false },
    put: (key, source) => put(bucket, { key, source, storageClass }),
    get: (key, options) => get(bucket, key, options),
    head: (key) => head(bucket, key),
    list: (request) => list(bucket, request),
    delete: async (keys, options) => {
      assertDeletable(keys, options);
      // The binding's delete takes no condition.
      await assertSameVersion((key) => head(bucket, key), keys, options);
      if (keys.length > 0) await askR2("delete", () => bucket.delete([...keys]));
    },
    createMultipart: (key, contentType) => createR2Upload(bucket, key, { contentType, storageClass }),
    putPart: (upload, number, bytes) => putR2Part(bucket, upload, number, bytes),
    completeMultipart: (upload, parts) => completeR2Upload(bucket, upload, parts),
    abortMultipart: (upload) => abortR2Upload(bucket, upload),
  };
}

interface R2Put {
  readonly key: string;
  readonly source: PutSource;
  readonly storageClass: R2StorageClass | undefined;
}

async function put(bucket: R2Bucket, { key, source, storageClass }: R2Put): Promise<PutOutcome> {
  const options = {
    onlyIf: { etagDoesNotMatch: "*" },
    sha256: source.sha256,
    customMetadata: { [DIGEST_KEY]: source.sha256.toHex() },
    httpMetadata: { contentType: source.contentType },
    ...(storageClass === undefined ? {} : { storageClass }),
  };
  const object = await uploadStream(source, (body) => askR2("put", () => bucket.put(key, body, options)));
  if (object !== null) return { kind: "stored", info: proveStored(toInfo(object), source, enforcedHexOf(object)) };
  const standing = await askR2("put", () => bucket.head(key));
  if (standing !== null) return { kind: "exists", info: toInfo(standing) };
  throw new FirnError("store_unavailable", `Cannot put object "${key}": it was taken, and is gone again`);
}

async function get(bucket: R2Bucket, key: string, options: GetOptions = {}): Promise<ReadableStream<Uint8Array>> {
  const { range, ifMatch } = options;
  assertRange(range);
  let object: R2ObjectBody | R2Object | null;
  try {
    object = await bucket.get(key, {
      ...(range === undefined ? {} : { range }),
      ...(ifMatch === undefined ? {} : { onlyIf: { etagMatches: ifMatch } }),
    });
  } catch (error) {
    if (range === undefined || !isUnsatisfiable(error)) throw toStoreError("get", error);
    return answerUnsatisfiable(key, { ...options, range }, await head(bucket, key));
  }
  if (object === null) throw new FirnError("object_not_found", `Cannot get object "${key}": it does not exist`);
  if ("body" in object) return object.body;
  throw objectChanged(key, ifMatch ?? "");
}

async function head(bucket: R2Bucket, key: string): Promise<ObjectInfo | null> {
  const object = await askR2("head", () => bucket.head(key));
  return object === null ? null : toInfo(object);
}

async function list(bucket: R2Bucket, request: ListRequest): Promise<ListPage> {
  assertListable(request);
  const { prefix, delimiter, cursor, startAfter, limit = LIST_PAGE_KEYS } = request;
  const from = cursor !== undefined ? { cursor } : startAfter !== undefined ? { startAfter } : {};
  const rollUp = delimiter === undefined ? {} : { delimiter };
  const page = await askR2("list", () => bucket.list({ prefix, limit, ...rollUp, ...from }));
  const next = page.truncated ? page.cursor : undefined;
  assertCursorMoves(request, next);
  return {
    objects: page.objects.map((object) => ({ ...toInfo(object), sha256Hex: null })),
    ...(delimiter === undefined ? {} : { prefixes: page.delimitedPrefixes }),
    ...(next === undefined ? {} : { cursor: next }),
  };
}
