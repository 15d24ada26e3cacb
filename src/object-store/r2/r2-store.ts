/**
 * A bucket of Cloudflare R2 through its binding. Consistent and create-only by itself; enforces the SHA-256 of a put.
 * https://developers.cloudflare.com/r2/api/workers/workers-api-reference/
 */
import { FirnError } from "../../errors.ts";
import { LIST_PAGE_KEYS } from "../../limits.ts";
import { assertDeletable, assertListLimit, readExactly } from "../bounds.ts";
import type { ListPage, ListRequest, ObjectInfo, ObjectStore, PutOutcome, PutSource, StoreCall } from "../contract.ts";
import { toStoreError } from "./r2-errors.ts";

/** Custom metadata under which Firn's digest stands; S3's counterpart is `x-amz-meta-firn-sha256`. */
const DIGEST_KEY = "firn-sha256";

/** Opens the store behind a binding. @param bucketName its name, for `identity` alone. */
export function openR2Store(bucket: R2Bucket, bucketName: string): ObjectStore {
  return {
    identity: `r2:${bucketName}`,
    put: (key, source) => put(bucket, key, source),
    get: async (key) => {
      const object = await translate("get", () => bucket.get(key));
      if (object === null) throw new FirnError("object_not_found", `Cannot get object "${key}": it does not exist`);
      return object.body;
    },
    head: async (key) => {
      const object = await translate("head", () => bucket.head(key));
      return object === null ? null : toInfo(object);
    },
    list: (request) => list(bucket, request),
    delete: async (keys) => {
      assertDeletable(keys);
      if (keys.length > 0) await translate("delete", () => bucket.delete([...keys]));
    },
  };
}

async function put(bucket: R2Bucket, key: string, source: PutSource): Promise<PutOutcome> {
  const object = await putStream(bucket, key, source);
  if (object !== null) return { kind: "stored", info: prove(object, source) };
  const standing = await translate("head", () => bucket.head(key));
  if (standing !== null) return { kind: "exists", info: toInfo(standing) };
  throw new FirnError("store_unavailable", `Cannot put object "${key}": it was taken, and is gone again`);
}

/** R2 takes a stream only with its length: hence the fixed-length pipe, filled while the binding reads. */
async function putStream(bucket: R2Bucket, key: string, source: PutSource): Promise<R2Object | null> {
  const pipe = new FixedLengthStream(source.length);
  const asked = bucket.put(key, pipe.readable, {
    onlyIf: { etagDoesNotMatch: "*" },
    sha256: source.sha256,
    customMetadata: { [DIGEST_KEY]: source.sha256.toHex() },
    httpMetadata: { contentType: source.contentType },
  });
  const [answer, failure] = await Promise.all([settle(asked), pump(source, pipe.writable, asked)]);
  if (failure !== null) throw failure.error;
  if (answer.status === "rejected") throw toStoreError("put", answer.reason);
  return answer.value;
}

/**
 * Writes the source into the pipe. Never rejects, so that it can run beside the put: what the source throws is
 * returned, and aborts the pipe and so the put; that the pipe takes no more shows in the put's own answer.
 * @param asked the put; once it has ended, nobody reads what is left, and a write would wait for ever.
 */
async function pump(
  source: PutSource,
  pipe: WritableStream<Uint8Array>,
  asked: Promise<unknown>,
): Promise<{ readonly error: unknown } | null> {
  const writer = pipe.getWriter();
  const ended = settle(asked);
  try {
    for await (const piece of readExactly(source)) {
      const step = await Promise.race([settle(writer.write(piece)), ended.then(() => null)]);
      if (step?.status !== "fulfilled") return null;
    }
  } catch (error) {
    await settle(writer.abort(error));
    return { error };
  }
  await Promise.race([settle(writer.close()), ended]);
  return null;
}

/** Turns a failure into a value. */
async function settle<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([promise]);
  return result;
}

/** The proof of protocol 4.3: R2 checked the digest while it wrote, and its answer agrees in everything. */
function prove(object: R2Object, source: PutSource): ObjectInfo {
  const info = toInfo(object);
  const sha256Hex = source.sha256.toHex();
  const { sha256 } = object.checksums;
  const enforcedHex = sha256 === undefined ? null : new Uint8Array(sha256).toHex();
  if (info.length === source.length && info.sha256Hex === sha256Hex && enforcedHex === sha256Hex) return info;
  const found = `the store describes ${info.length} bytes, SHA-256 ${enforcedHex}`;
  const message = `Cannot prove object "${object.key}": ${found}`;
  throw new FirnError("store_unavailable", `${message}, expected ${source.length} bytes, SHA-256 ${sha256Hex}`);
}

async function list(bucket: R2Bucket, request: ListRequest): Promise<ListPage> {
  const { prefix, cursor, startAfter, limit = LIST_PAGE_KEYS } = request;
  assertListLimit(limit);
  const from = cursor !== undefined ? { cursor } : startAfter !== undefined ? { startAfter } : {};
  const page = await translate("list", () => bucket.list({ prefix, limit, ...from }));
  const objects = page.objects.map(({ key, size }) => ({ key, length: size, sha256Hex: null }));
  return page.truncated ? { objects, cursor: page.cursor } : { objects };
}

function toInfo(object: R2Object): ObjectInfo {
  return { key: object.key, length: object.size, sha256Hex: object.customMetadata?.[DIGEST_KEY] ?? null };
}

async function translate<T>(call: StoreCall, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw toStoreError(call, error);
  }
}
