/**
 * Tries a store for real: step after step, each bounded in time, going on after a failure as long as that makes sense,
 * and deleting what it wrote whatever happened. What is tried is `probe-plan.ts`'s.
 */
import type { StoreAccess } from "../../config/storage-config.ts";
import { FirnError, toErrorMessage } from "../../errors.ts";
import { DOCTOR_PROBE_MAX, DOCTOR_STEP_TIMEOUT } from "../../limits.ts";
import type { ObjectStore, StoreCall } from "../../object-store/contract.ts";
import type { Millis } from "../../units.ts";
import type { StepName, StepOutcome, StepReport } from "./document.ts";
import {
  makeBody,
  planKeys,
  planSteps,
  type AccessStores,
  type ProbeKeys,
  type ProbeStep,
  type StepId,
} from "./probe-plan.ts";

/** What a probe needs. */
export interface ProbeOptions {
  readonly stores: AccessStores;
  /** Under which the group's keys stand, with its slash; empty at the bucket's root. */
  readonly prefix: string;
  /** A name that no other probe has. */
  readonly id: string;
  /** The clock; on Workers it moves with I/O only, which is what is timed. */
  readonly now: () => number;
  /** The permissions that these calls need, for failures. */
  readonly permissionsOf: (calls: readonly StoreCall[]) => readonly string[];
  /** Takes out of a store's message what is not for others. */
  readonly hide: (text: string) => string;
  readonly stepTimeout?: Millis;
  readonly probeMax?: Millis;
}

/** What a probe found. */
export interface ProbeReport {
  readonly steps: readonly StepReport[];
  /** Keys that could not be deleted. */
  readonly leftovers: readonly string[];
}

/** Carries the plan out. Never throws. */
export async function probeStore(options: ProbeOptions): Promise<ProbeReport> {
  const { stores, prefix, id, now, probeMax = DOCTOR_PROBE_MAX } = options;
  const keys = planKeys(prefix, id);
  const started = now();
  const done = new Set<StepId>();
  const steps: StepReport[] = [];
  const body = await makeBody(id);
  for (const step of planSteps({ stores, keys, body, hasDone: (earlier) => done.has(earlier) })) {
    const reason = findSkip(step, done, now() - started > probeMax);
    const outcome = reason === null ? await trySteps(step, options) : ({ outcome: "skipped", reason } as const);
    if (outcome.outcome === "ok") done.add(`${step.access}.${step.step}`);
    steps.push({ step: step.step, access: step.access, ...outcome });
  }
  const deletion = await deleteAll(keys, options);
  const leftovers = steps.some(mayHaveWritten) ? deletion.leftovers : [];
  return { steps: [...steps, ...deletion.steps], leftovers };
}

/** A store that refused did nothing; any other failure may have come after the effect. */
function mayHaveWritten(report: StepReport): boolean {
  if (!WRITING.has(report.step) || report.outcome === "skipped") return false;
  return report.outcome === "ok" || report.kind !== "store_refused";
}

const WRITING: ReadonlySet<StepName> = new Set(["put", "create_only", "digest", "multipart"]);

function findSkip(step: ProbeStep, done: ReadonlySet<StepId>, isOver: boolean): string | null {
  if (step.after !== null && !done.has(step.after)) return `${step.after.replace(".", ", ")} did not succeed`;
  return isOver ? "the time of the probe was over" : null;
}

async function trySteps(step: Omit<ProbeStep, "after">, options: ProbeOptions): Promise<StepOutcome> {
  const { now, permissionsOf, hide, stepTimeout = DOCTOR_STEP_TIMEOUT } = options;
  const started = now();
  const took = (): number => Math.max(0, Math.round(now() - started));
  try {
    const broken = await within(step.run(), stepTimeout);
    if (broken === null) return { outcome: "ok", duration_ms: took() };
    const [kind, message] =
      broken === TIMED_OUT
        ? (["timed_out", `no answer within ${stepTimeout} ms`] as const)
        : (["misbehaved", broken] as const);
    return { outcome: "failed", kind, message, permissions: [], duration_ms: took() };
  } catch (error) {
    const kind = error instanceof FirnError ? error.kind : "internal";
    const permissions = kind === "store_refused" ? permissionsOf(step.calls) : [];
    return { outcome: "failed", kind, message: hide(toErrorMessage(error)), permissions, duration_ms: took() };
  }
}

const TIMED_OUT = Symbol("timed out");

/** Waits so long and no longer; what is still under way then may end as it likes. */
async function within<T>(work: Promise<T>, limit: Millis): Promise<T | typeof TIMED_OUT> {
  const over = Promise.withResolvers<typeof TIMED_OUT>();
  const timer = setTimeout(() => over.resolve(TIMED_OUT), limit);
  work.catch(() => undefined); // a failure after the limit has nobody to tell
  try {
    return await Promise.race([work, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}

interface Deletion {
  readonly steps: readonly StepReport[];
  readonly leftovers: readonly string[];
}

/** Deletes with the compactor's rights, which include it; where they fail, a writer's may do. */
async function deleteAll(keys: ProbeKeys, options: ProbeOptions): Promise<Deletion> {
  const { write, compact } = options.stores;
  const all = Object.values(keys) as readonly string[];
  const outcome = await tryDelete("compact", compact, all, options);
  const steps = [{ step: "delete", access: "compact", ...outcome } as const];
  if (outcome.outcome === "ok") return { steps, leftovers: [] };
  const isDeleted = compact !== write && (await tryDelete("write", write, all, options)).outcome === "ok";
  return { steps, leftovers: isDeleted ? [] : await findLeftovers(all, options) };
}

async function tryDelete(
  access: StoreAccess,
  store: ObjectStore,
  keys: readonly string[],
  options: ProbeOptions,
): Promise<StepOutcome> {
  const run = async (): Promise<null> => {
    await store.delete(keys);
    return null;
  };
  return trySteps({ step: "delete", access, calls: ["delete"], run }, options);
}

/** Those that stand there, or, where nobody can say, all that may. */
async function findLeftovers(keys: readonly string[], options: ProbeOptions): Promise<readonly string[]> {
  const { stores, stepTimeout = DOCTOR_STEP_TIMEOUT } = options;
  const found: string[] = [];
  for (const key of keys) {
    const standing = await within(stores.read.head(key), stepTimeout).catch(() => TIMED_OUT);
    if (standing === TIMED_OUT) return keys;
    if (standing !== null) found.push(key);
  }
  return found;
}
