/**
 * Opens what a plan names a few steps ahead of the one being read, so that the next body is there when it is wanted.
 * In flight are at most `ahead` bodies behind the current one and one listing: the platform gives six connections.
 */
import { FirnError } from "../errors.ts";
import type { MinutePart } from "./minute-part.ts";
import type { ObjectBody } from "./object-body.ts";
import type { PlanStep } from "./plan.ts";
import type { VisibleObject } from "./visible.ts";

type PartStep = Extract<PlanStep, { kind: "part" }>;

/** A fresh object with its body, or with the reason why it could not be opened. */
export type OpenedObject = Extract<MinutePart, { kind: "object" }> &
  ({ readonly body: ObjectBody } | { readonly body: null; readonly error: unknown });

/** A part with what it is read from. */
export type OpenedPart = OpenedObject | Exclude<MinutePart, { kind: "object" }>;

/** A step with its part opened. */
export type FetchedStep =
  | (Omit<PartStep, "part"> & {
      readonly part: OpenedPart;
      /**
       * A part of the minute that vanished before anything of the minute was given. Minutes of no more parts than are
       * opened ahead are known whole when they begin.
       */
      readonly vanished: MinutePart | null;
    })
  | Exclude<PlanStep, { kind: "part" }>;

/** What a place in the queue becomes; a failed plan is thrown when it is reached, not when it happens. */
type Slot =
  | { readonly kind: "part"; readonly step: PartStep; readonly part: OpenedPart; readonly hasVanished: boolean }
  | { readonly kind: "other"; readonly step: Exclude<PlanStep, { kind: "part" }> }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "done" };

/** Hands out the steps of a plan in order, each opened; the taker closes the body it was given. */
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
      if (slot.kind === "other") yield slot.step;
      else yield { ...slot.step, part: slot.part, vanished: await findVanished(slot, queue) };
    }
  } finally {
    await closeAll(plan, queue);
  }
}

/** Waits for the other parts of a minute that begins, if all of them are in the queue. */
async function findVanished(
  first: Extract<Slot, { kind: "part" }>,
  queue: readonly Promise<Slot>[],
): Promise<MinutePart | null> {
  const { opening } = first.step;
  if (opening === null) return null;
  const others = opening.partCount - 1 <= queue.length ? await Promise.all(queue.slice(0, opening.partCount - 1)) : [];
  const found = [first, ...others].find((slot) => slot.kind === "part" && slot.hasVanished);
  return found?.kind === "part" ? found.step.part : null;
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
    return step.kind === "part" ? await openStep(step, open) : { kind: "other", step };
  } catch (error) {
    return { kind: "failed", error };
  }
}

async function openStep(step: PartStep, open: (object: VisibleObject) => Promise<ObjectBody>): Promise<Slot> {
  const { part } = step;
  try {
    if (part.kind === "runs") await part.output.prefetch();
    const opened = part.kind === "object" ? { ...part, body: await open(part.object) } : part;
    return { kind: "part", step, part: opened, hasVanished: false };
  } catch (error) {
    // A run fails again when it is read.
    const opened = part.kind === "object" ? { ...part, body: null, error } : part;
    const hasVanished = error instanceof FirnError && error.kind === "object_not_found";
    return { kind: "part", step, part: opened, hasVanished };
  }
}

/** Ends the plan and closes what was opened and never handed out; a failure that nobody reached is nobody's. */
async function closeAll(plan: AsyncGenerator<PlanStep, void, void>, queue: readonly Promise<Slot>[]): Promise<void> {
  const planEnd = plan.return();
  for (const slot of await Promise.all(queue)) {
    if (slot.kind === "part" && slot.part.kind === "object") await slot.part.body?.close();
  }
  await planEnd;
}
