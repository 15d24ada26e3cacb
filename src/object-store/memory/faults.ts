/**
 * A store that fails on purpose, once at each named call, before the call takes effect or after it, so that its caller
 * cannot know which. Stands beside the contract that it breaks, for tests of everyone who relies on it.
 */
import { FirnError } from "../../errors.ts";
import { aroundCalls } from "../around-calls.ts";
import type { ObjectStore, StoreCall } from "../contract.ts";

/** One failure. */
export interface Fault {
  readonly call: StoreCall;
  /** Which call of that name fails, counted from 1. */
  readonly nth: number;
  /** Whether the effect is missing or has happened. */
  readonly moment: "before" | "after";
  /** What is thrown; `store_unavailable` if absent. */
  readonly error?: Error;
}

/** The wrapped store, and the proof that its faults fired. */
export interface FaultyStore extends ObjectStore {
  readonly fired: readonly Fault[];
}

/** Wraps a store with faults. */
export function withFaults(store: ObjectStore, faults: readonly Fault[]): FaultyStore {
  const fired: Fault[] = [];
  const counts = new Map<StoreCall, number>();

  async function run<T>(call: StoreCall, ask: () => Promise<T>): Promise<T> {
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    const due = faults.filter((fault) => fault.call === call && fault.nth === nth);
    fire(due.find((fault) => fault.moment === "before"));
    const answer = await ask();
    fire(due.find((fault) => fault.moment === "after"));
    return answer;
  }

  function fire(fault: Fault | undefined): void {
    if (fault === undefined) return;
    fired.push(fault);
    const what = `${fault.call} ${fault.nth} fails ${fault.moment} its effect`;
    throw fault.error ?? new FirnError("store_unavailable", `Cannot reach the store: ${what}, as planned`);
  }

  return { ...aroundCalls(store, run), fired };
}
