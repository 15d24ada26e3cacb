/**
 * Opens what a plan names a few objects ahead of the one being read, so that the next body is there when it is wanted.
 * In flight are at most `ahead` bodies behind the current one and one listing: the platform gives six connections.
 */
import type { ObjectBody } from "./object-body.ts";
import type { PlanStep } from "./plan.ts";
import type { VisibleObject } from "./visible.ts";

type ObjectStep = Extract<PlanStep, { kind: "object" }>;

/** A step with its object opened, or with the reason why it could not be. */
export type FetchedStep =
  | (ObjectStep & { readonly body: ObjectBody })
  | (ObjectStep & { readonly body: null; readonly error: unknown })
  | Extract<PlanStep, { kind: "cut" }>;

/** What a place in the queue becomes; a failed plan is thrown when it is reached, not when it happens. */
type Slot =
  | { readonly kind: "step"; readonly step: FetchedStep }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "done" };

/** Hands out the steps of a plan in order, each with its body; the taker closes the body it was given. */
export async function* fetchAhead(
  plan: AsyncGenerator<PlanStep, void, void>,
  open: (object: VisibleObject) => Promise<ObjectBody>,
  ahead: number,
): AsyncGenerator<FetchedStep, void, void> {
  const queue: Promise<Slot>[] = [];
  try {
    for (;;) {
      while (queue.length <= ahead) queue.push(fetchNext(plan, open));
      const slot = await queue.shift();
      if (slot === undefined || slot.kind === "done") return;
      if (slot.kind === "failed") throw slot.error;
      yield slot.step;
    }
  } finally {
    await closeAll(plan, queue);
  }
}

/** Never rejects: nobody may be waiting yet for what stands further back in the queue. */
async function fetchNext(
  plan: AsyncGenerator<PlanStep, void, void>,
  open: (object: VisibleObject) => Promise<ObjectBody>,
): Promise<Slot> {
  try {
    const result = await plan.next();
    if (result.done === true) return { kind: "done" };
    const step = result.value;
    return { kind: "step", step: step.kind === "cut" ? step : await openStep(step, open) };
  } catch (error) {
    return { kind: "failed", error };
  }
}

async function openStep(step: ObjectStep, open: (object: VisibleObject) => Promise<ObjectBody>): Promise<FetchedStep> {
  try {
    return { ...step, body: await open(step.object) };
  } catch (error) {
    return { ...step, body: null, error };
  }
}

/** Ends the plan and closes what was opened and never handed out; a failure that nobody reached is nobody's. */
async function closeAll(plan: AsyncGenerator<PlanStep, void, void>, queue: readonly Promise<Slot>[]): Promise<void> {
  const planEnd = plan.return();
  for (const slot of await Promise.all(queue)) {
    if (slot.kind === "step" && slot.step.kind === "object" && slot.step.body !== null) await slot.step.body.close();
  }
  await planEnd;
}
