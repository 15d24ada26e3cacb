/**
 * What every store that is sent a stream needs: a source pumped into a running call, and the proof that what was stored
 * is what was sent. Knows nothing of the call: a store hands over how it is made, and translates its errors itself.
 */
import { FirnError } from "../errors.ts";
import { readExactly } from "./bounds.ts";
import type { ObjectInfo, PutSource } from "./contract.ts";

/** The bytes of a body. */
export type UploadSource = Pick<PutSource, "length" | "open" | "signal">;

/**
 * Makes a call whose body is the source, in exactly its length: stores want to know it beforehand, and a runtime sends
 * `Content-Length` only for a stream that does.
 *
 * Ends when both have ended, or the source's `signal` fires. Nothing waits for ever: a call that ends without having
 * read its body stops the source; a source that fails breaks off the body, and so the call.
 * @param send makes the call, once, with the body; its errors leave as they are. It hands the signal to its `fetch`:
 *   one that is stuck in the middle of a body does not notice that the body broke off
 * @throws what the source throws, as it is, whatever became of the call; RangeError when its length is wrong
 */
export async function uploadStream<T>(
  source: UploadSource,
  send: (body: ReadableStream<Uint8Array>) => Promise<T>,
): Promise<T> {
  const pipe = new FixedLengthStream(source.length);
  const givenUp = whenFired(source.signal);
  try {
    const asked = settle(send(pipe.readable));
    const both = Promise.all([asked, pump(source, pipe.writable, { asked, givenUp: givenUp.promise })]);
    const [answer, failure] = await Promise.race([both, givenUp.promise]);
    if (failure !== null) throw failure.error;
    if (answer.status === "rejected") throw answer.reason;
    return answer.value;
  } finally {
    givenUp.forget();
  }
}

interface Firing {
  /** Rejects with the signal's reason when it fires; never resolves. */
  readonly promise: Promise<never>;
  readonly forget: () => void;
}

function whenFired(signal: AbortSignal | undefined): Firing {
  const fired = Promise.withResolvers<never>();
  const onAbort = (): void => fired.reject(signal?.reason);
  fired.promise.catch(() => undefined);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  return { promise: fired.promise, forget: () => signal?.removeEventListener("abort", onAbort) };
}

/**
 * Writes the source into the pipe. Never rejects, so that it can run beside the call: what the source throws is
 * returned, and breaks off the pipe; that the pipe takes no more shows in the call's own answer.
 * @param until what ends it early: the call has ended, nobody reads what is left and a write would wait for ever, or
 *   nobody waits for the call any more
 */
async function pump(
  source: UploadSource,
  pipe: WritableStream<Uint8Array>,
  until: { readonly asked: Promise<unknown>; readonly givenUp: Promise<never> },
): Promise<{ readonly error: unknown } | null> {
  const writer = pipe.getWriter();
  // Breaking off a pipe ends a write that waits in it; one that was closed is left as it is.
  const breakOff = (reason: unknown): Promise<unknown> => settle(writer.abort(reason));
  const ended = until.asked.then(() => breakOff(new Error("The call ended before it had read its body")));
  until.givenUp.catch(breakOff);
  try {
    source.signal?.throwIfAborted();
    for await (const piece of readExactly(source)) {
      const step = await settle(writer.write(piece));
      if (step.status === "rejected") return null;
    }
  } catch (error) {
    await breakOff(error);
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

/**
 * Gives the proof of protocol 4.3: what the store says of the object agrees with the source in length and in Firn's own
 * digest.
 * @param enforcedHex the SHA-256 that the store says it checked, where its answer has one; `null` is no proof
 * @throws FirnError `store_unavailable` when anything differs
 */
export function proveStored(
  info: ObjectInfo,
  source: PutSource,
  enforcedHex: string | null = info.sha256Hex,
): ObjectInfo {
  const sha256Hex = source.sha256.toHex();
  if (info.length === source.length && info.sha256Hex === sha256Hex && enforcedHex === sha256Hex) return info;
  const digests = `SHA-256 ${enforcedHex ?? "unknown"}, Firn's digest ${info.sha256Hex ?? "unknown"}`;
  const message = `Cannot prove object "${info.key}": the store describes ${info.length} bytes, ${digests}`;
  throw new FirnError("store_unavailable", `${message}, expected ${source.length} bytes, SHA-256 ${sha256Hex}`);
}
