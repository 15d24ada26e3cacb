/**
 * The bucket as one instance sees it: each call waits before its effect and before its answer, its body may break off,
 * its pages may be short, and a listing may be an old one. What has taken effect is shown to the checker.
 */
import type { ListPage, ListRequest, ObjectStore, StoreCall } from "../../../../src/object-store/contract.ts";
import type { MemoryStore } from "../../../../src/object-store/memory/memory-store.ts";
import type { Choices } from "./choices.ts";
import type { Life, Scheduler } from "./scheduler.ts";

/** Rates of what the store does that its callers would rather not have, of 1000. */
export interface StoreFaults {
  /** A body that breaks off. */
  reset: number;
  /** A page that is not the last and holds little. */
  shortPage: number;
  /** A listing as it was before, or with its end missing: only Compactors get it, for whom no listing is a reason. */
  staleList: number;
}

/** What took effect. */
export interface Effect {
  readonly call: StoreCall;
  readonly keys: readonly string[];
}

/** A store that breaks its contract, so that the simulation has something to find. */
export type Flaw =
  /** Puts replace what stands there. */
  | "overwrites"
  /** A short page does not say that there are more. */
  | "hides pages";

/** What a simulated store is made of. */
export interface SimStoreParts {
  readonly bucket: MemoryStore;
  readonly flaw: Flaw | null;
  readonly scheduler: Scheduler;
  readonly choices: Choices;
  readonly faults: StoreFaults;
  readonly count: (fault: string) => void;
  readonly onEffect: (life: Life, effect: Effect) => void;
}

/** Opens the store of an instance. */
export function openSimStore(parts: SimStoreParts, life: Life): ObjectStore {
  const { bucket, scheduler, onEffect } = parts;

  async function ask<T>(call: StoreCall, keys: readonly string[], effect: () => Promise<T>): Promise<T> {
    const label = `${call} ${keys.map(shortOf).join(" ")}`;
    const act = async (): Promise<T> => {
      const answer = await effect();
      onEffect(life, { call, keys });
      return answer;
    };
    await scheduler.wait(life, label, act);
    const answer = await act();
    await scheduler.wait(life, `answer of ${label}`, null);
    return answer;
  }

  const list = openListing(parts, life);
  return {
    identity: bucket.identity,
    traits: bucket.traits,
    put: (key, source) =>
      ask("put", [key], () => {
        if (parts.flaw === "overwrites") bucket.objects.delete(key);
        return bucket.put(key, source);
      }),
    get: async (key, options) => mayBreak(parts, await ask("get", [key], () => bucket.get(key, options))),
    head: (key) => ask("head", [key], () => bucket.head(key)),
    list: (request) => ask("list", [request.prefix], () => list(request)),
    delete: (keys) => ask("delete", keys, () => bucket.delete(keys)),
    createMultipart: (key, type) => ask("createMultipart", [key], () => bucket.createMultipart(key, type)),
    putPart: (upload, number, bytes) => ask("putPart", [upload.key], () => bucket.putPart(upload, number, bytes)),
    completeMultipart: (upload, sent) =>
      ask("completeMultipart", [upload.key], () => bucket.completeMultipart(upload, sent)),
    abortMultipart: (upload) => ask("abortMultipart", [upload.key], () => bucket.abortMultipart(upload)),
  };
}

function openListing(parts: SimStoreParts, life: Life): ObjectStore["list"] {
  const { bucket, scheduler, choices, faults, flaw, count } = parts;
  const before = new Map<string, ListPage>();

  return async (request: ListRequest) => {
    if (scheduler.isCalm) return bucket.list(request);
    if (choices.chance(faults.shortPage)) {
      count("short page");
      const { cursor, ...page } = await bucket.list({ ...request, limit: 1 + choices.next(3) });
      return cursor === undefined || flaw === "hides pages" ? page : { ...page, cursor };
    }
    const page = await bucket.list(request);
    if (life.name === "reader" || request.cursor !== undefined) return page;
    const name = `${request.prefix} ${request.startAfter ?? ""}`;
    const old = before.get(name);
    before.set(name, page);
    if (!choices.chance(faults.staleList)) return page;
    count(old === undefined ? "partial list" : "stale list");
    return old ?? { objects: page.objects.slice(0, choices.next(page.objects.length + 1)) };
  };
}

function mayBreak({ choices, faults, scheduler, count }: SimStoreParts, body: ReadableStream<Uint8Array>): typeof body {
  if (scheduler.isCalm || !choices.chance(faults.reset)) return body;
  count("reset");
  const reader = body.getReader();
  let isFirst = true;
  return new ReadableStream({
    async pull(controller) {
      const { value } = await reader.read();
      if (isFirst && value !== undefined && value.length > 1) controller.enqueue(value.slice(0, value.length >> 1));
      else controller.error(new Error("reset, as planned"));
      isFirst = false;
    },
    cancel: () => reader.cancel(),
  });
}

/** The end of a key says enough. */
function shortOf(key: string): string {
  return key.split("/").slice(-2).join("/");
}
