/** A replay over a synthetic store, taken whole, and its bytes taken apart. */
import { expect } from "vitest";
import type { ReplayDeps } from "../../src/replay/contract.ts";
import { replayResponse } from "../../src/replay/replay.ts";
import type { Millis } from "../../src/units.ts";
import { at, layoutOf } from "../reader/archive-sample.ts";
import type { SyntheticStore } from "../reader/synthetic-store.ts";

export const WINDOW = "start=2026-05-01T14:00:00Z&end=2026-05-01T15:00:00Z";
/** Above the window, where the watermark stands. */
export const NOW: Millis = at("2026-05-02T00:00:00Z");

/** The outside of a replay. */
export function depsOf(store: SyntheticStore, options: Partial<ReplayDeps> = {}): ReplayDeps {
  return { store, layout: layoutOf(), watermark: () => Promise.resolve(NOW), now: () => NOW, ...options };
}

/** Replays the window of {@link WINDOW}. @param query - the other parameters */
export async function replay(
  store: SyntheticStore,
  query: string,
  options: Partial<ReplayDeps> = {},
): Promise<Uint8Array> {
  const request = { query: new URLSearchParams(`${query}&${WINDOW}`), accept: null };
  return (await replayResponse(request, depsOf(store, options))).bytes();
}

export const toText = (body: Uint8Array): string =>
  new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);

/** Takes messages apart at the lengths before them. */
export function takeMessages(body: Uint8Array): Uint8Array[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const messages: Uint8Array[] = [];
  for (let start = 0; start < body.length;) {
    const length = view.getUint32(start);
    expect(start + 4 + length).toBeLessThanOrEqual(body.length);
    messages.push(body.subarray(start + 4, start + 4 + length));
    start += 4 + length;
  }
  return messages;
}
