/**
 * The sweep of spec/reliability.md 5.3 over the store calls of a flush: which faults are met where, and one such case
 * carried out. A case ends healed, drained and judged.
 */
import type { SentItem } from "../../oracle/checker.ts";
import { FAULT_KINDS, FAULTS, SLOW_FAULTS, type FaultKind } from "../../servers/fault-plan.ts";
import { listChangedKeys } from "../../servers/fault-proxy.ts";
import { flushOnce, judgeBucket, readBacklog, sendOne, type FaultyFirn, type Lane } from "./faulty-firn.ts";

/** Calls that a persistent fault meets, one after another. */
const PERSISTENT_TIMES = 3;
/** A sweep of so many positions is a short one. */
const SHORT_SWEEP = 2;
/** Requests that a case may send until its fault has been met often enough. */
const MAX_REQUESTS = 24;
/** Flushes until a healthy store has everything; the first may end a drain that a fault had begun. */
const MAX_FLUSHES = 8;

/** A fault, and which of the calls it meets. */
export interface FaultCase {
  readonly kind: FaultKind;
  /** Of the calls that the kind applies to, from 1. */
  readonly position: number;
  readonly times: number;
  /** The answer to the first PUT is lost: what follows are calls of the recovery. */
  readonly isRecovery: boolean;
}

/**
 * Every kind that applies to a flush, once and persistent: at the first calls, which are PUT and HEAD, and at those of
 * a recovery, which are PUT again, answered by 412, HEAD, and what follows when that fails too.
 */
export function planFlushCases(positions: number): readonly FaultCase[] {
  const kinds = FAULT_KINDS.filter((kind) => FAULTS[kind].includes("put") || FAULTS[kind].includes("head"));
  const toTimes = (kind: FaultKind): readonly number[] =>
    SLOW_FAULTS.has(kind) && positions <= SHORT_SWEEP ? [1] : [1, PERSISTENT_TIMES];
  const plan = (isRecovery: boolean, first: number, last: number): readonly FaultCase[] =>
    kinds.flatMap((kind) =>
      toTimes(kind).flatMap((times) =>
        Array.from({ length: last - first + 1 }, (_, i) => ({ kind, position: first + i, times, isRecovery })),
      ),
    );
  return [...plan(false, 1, positions), ...plan(true, 2, positions + 1)];
}

/** Names a case. */
export function formatCase({ kind, position, times, isRecovery }: FaultCase): string {
  return `${kind} at ${position}${times > 1 ? ` and ${times - 1} more` : ""}${isRecovery ? " of a recovery" : ""}`;
}

/** Carries a case out. @param send - one request @returns what is wrong, nothing if all is well */
export async function runFlushCase(
  firn: FaultyFirn,
  lane: Lane,
  plan: FaultCase,
  send: typeof sendOne = sendOne,
): Promise<readonly string[]> {
  const { proxy } = firn;
  const keyPart = `${lane.tenant}/`;
  const primer = plan.isRecovery
    ? proxy.arm({ kind: "applied-then-reset", when: { nth: 1 }, calls: ["put"], keyPart })
    : null;
  // A call meets one fault; the primer's own call is the fault's first, if the fault applies to it.
  const fault = proxy.arm({ kind: plan.kind, when: { nth: plan.position, times: plan.times }, keyPart });
  const sent: SentItem[] = [];
  for (let requests = 0; fault.fired < plan.times && requests < MAX_REQUESTS; requests++) {
    sent.push(...(await send(firn, lane)));
    for (let flushes = 0; flushes <= plan.times && !(await flushOnce(firn, lane)); flushes++);
  }
  proxy.disarm(fault);
  if (primer !== null) proxy.disarm(primer);
  const problems: string[] = [];
  if (fault.fired < plan.times) problems.push(`fired ${fault.fired} times, expected ${plan.times}`);
  if (primer?.fired === 0) problems.push("no answer was lost");
  if (!(await drain(firn, lane))) problems.push(`not drained by ${MAX_FLUSHES} flushes of a healthy store`);
  const backlog = await readBacklog(firn, lane);
  if (backlog !== 0) problems.push(`the backlog holds ${backlog} items`);
  problems.push(...(await judgeBucket(firn, lane, sent)));
  problems.push(...listChangedKeys(proxy.calls).map((key) => `${key} was put with different bytes`));
  return problems.map((problem) => `${lane.tenant}, ${formatCase(plan)}: ${problem}`);
}

async function drain(firn: FaultyFirn, lane: Lane): Promise<boolean> {
  for (let flushes = 0; flushes < MAX_FLUSHES; flushes++) if (await flushOnce(firn, lane)) return true;
  return false;
}
