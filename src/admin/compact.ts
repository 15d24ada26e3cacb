/**
 * `POST /admin/compact`: a tenant's Compactors work on a window while the client waits. Each call of a Compactor is
 * bounded; this one repeats it until nothing is left that can be done now. What is left when the client leaves, the
 * Compactors' alarms go on with.
 */
import type { CompactorContract, CompactorIdentity, WorkReport } from "../compaction/contract.ts";
import { toErrorMessage } from "../errors.ts";
import { COMPACT_REQUEST_MAX, COMPACT_REQUEST_PAUSE } from "../limits.ts";
import type { ItemSignal } from "../signal.ts";
import type { CompactOrder } from "./compact-order.ts";
import type { CompactorAccess } from "./compactors.ts";

/** The answer's shape. */
export interface CompactDocument {
  /** All that the window asks for is done; otherwise some document below says what is left. */
  readonly complete: boolean;
  readonly start: string;
  readonly end: string;
  readonly signals: readonly CompactedSignal[];
}

/** What was done for one signal; sums over the call, but for what is named as a state. */
export interface CompactedSignal {
  readonly signal: ItemSignal;
  readonly complete: boolean;
  /** Looks at hours: one that was compacted is looked at again. */
  readonly hours: number;
  readonly generations: number;
  readonly sources: number;
  readonly outputs: number;
  readonly items: number;
  readonly raw_bytes: number;
  /** Of the sources, as they were stored, and of the outputs. */
  readonly stored_bytes_before: number;
  readonly stored_bytes_after: number;
  readonly deleted_objects: number;
  /** States: objects that cannot be decoded, hours that failed too often, hours that are not closed yet. */
  readonly unreadable_objects: number;
  readonly set_aside_hours: number;
  readonly open_hours: number;
  readonly errors: readonly string[];
}

/** Who asks, and how long it waits. */
export interface CompactContext {
  readonly tenant: string;
  readonly now: () => number;
  /** Fires when nobody waits for the answer any more. */
  readonly client: AbortSignal;
}

/** Compacts a window, all its signals at once: each has a Compactor of its own. */
export async function compactWindow(
  access: CompactorAccess,
  order: CompactOrder,
  context: CompactContext,
): Promise<CompactDocument> {
  const deadline = context.now() + COMPACT_REQUEST_MAX;
  const signals = await Promise.all(
    order.signals.map((signal) => compactSignal(access, order, { ...context, of: signal, deadline })),
  );
  const { start, end } = order.work;
  return {
    complete: signals.every(({ complete }) => complete),
    start: new Date(start).toISOString(),
    end: new Date(end).toISOString(),
    signals,
  };
}

interface SignalContext extends CompactContext {
  readonly of: ItemSignal;
  readonly deadline: number;
}

async function compactSignal(
  access: CompactorAccess,
  order: CompactOrder,
  context: SignalContext,
): Promise<CompactedSignal> {
  const identity = { tenant: context.tenant, signal: context.of };
  const reports: WorkReport[] = [];
  const errors: string[] = [];
  let isDone = false;
  try {
    // The owner is one for all signals; whoever comes second finds it done.
    if (order.takeOver) await access.compactor(identity).takeOver(identity);
    while (!isDone && !context.client.aborted && context.now() < context.deadline) {
      // A stub that failed is broken, so each call has one of its own.
      const report = await work(access.compactor(identity), { identity, order, isFirst: reports.length === 0 });
      reports.push(report);
      isDone = report.done;
      if (!isDone) await pause(context.client);
    }
  } catch (error) {
    errors.push(toErrorMessage(error));
  }
  const last = reports.at(-1);
  if (last !== undefined) errors.push(...[last.refusal, last.lastError].filter((text) => text !== null));
  if (!isDone && errors.length === 0) {
    errors.push("The work goes on without this request: ask again, or look at /status");
  }
  return {
    signal: context.of,
    ...sumReports(reports),
    complete: isDone && errors.length === 0 && isClear(last),
    errors,
  };
}

interface Call {
  readonly identity: CompactorIdentity;
  readonly order: CompactOrder;
  readonly isFirst: boolean;
}

function work(compactor: CompactorContract, { identity, order, isFirst }: Call): Promise<WorkReport> {
  return compactor.work(identity, isFirst ? order.work : null);
}

/** A Compactor that answers at once because another call works in it, must not be asked without end. */
async function pause(client: AbortSignal): Promise<void> {
  if (client.aborted) return;
  await new Promise<void>((resolve) => {
    setTimeout(resolve, COMPACT_REQUEST_PAUSE);
  });
}

function isClear(last: WorkReport | undefined): boolean {
  return last !== undefined && last.setAside === 0 && last.openHours === 0;
}

function sumReports(reports: readonly WorkReport[]): Omit<CompactedSignal, "signal" | "complete" | "errors"> {
  const sum = (pick: (report: WorkReport) => number): number =>
    reports.reduce((total, report) => total + pick(report), 0);
  const last = reports.at(-1);
  return {
    hours: sum((report) => report.hours),
    generations: sum((report) => report.generations),
    sources: sum((report) => report.sources),
    outputs: sum((report) => report.outputs),
    items: sum((report) => report.items),
    raw_bytes: sum((report) => report.rawBytes),
    stored_bytes_before: sum((report) => report.sourceBytes),
    stored_bytes_after: sum((report) => report.outputBytes),
    deleted_objects: sum((report) => report.deletedObjects),
    unreadable_objects: last?.unreadable ?? 0,
    set_aside_hours: last?.setAside ?? 0,
    open_hours: last?.openHours ?? 0,
  };
}
