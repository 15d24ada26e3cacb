/**
 * Reads a window of the archive: {@link readWindow}. Here the stages meet: plan, fetch ahead, decompress, cut at
 * top-level fields or not at all; and here it is decided what an unreadable object means and where a read ends itself.
 */
import { FirnError, toErrorMessage } from "../errors.ts";
import { isItemSignal } from "../signal.ts";
import { HOUR, millis, type Millis } from "../units.ts";
import type { ReadEvent, ReadRequest } from "./contract.ts";
import { fetchAhead, type FetchedStep } from "./fetch-ahead.ts";
import { listHour } from "./listing.ts";
import { openBody, type ObjectBody } from "./object-body.ts";
import { readJsonFields, readProtobufFields } from "./object-fields.ts";
import { readRequest } from "./object-request.ts";
import { planWindow } from "./plan.ts";
import { readRawBytes } from "./raw-bytes.ts";
import { openUsage, type RunningUsage } from "./usage.ts";
import type { VisibleObject } from "./visible.ts";

type ObjectStep = Extract<FetchedStep, { kind: "object" }>;

/**
 * Reads a window in the order of minute and key, in memory that depends neither on the window nor on the objects.
 * @throws FirnError what the store throws; `corrupt_object` and `object_not_found` with the object's key unless they
 * are skipped; `too_large` for a minute with more objects than a response can fetch
 */
export async function* readWindow(request: ReadRequest): AsyncGenerator<ReadEvent, void, void> {
  const usage = openUsage();
  const plan = planWindow(request, usage);
  const open = (object: VisibleObject): Promise<ObjectBody> => openObject(request, object);
  let next: Millis | null = null;
  for await (const step of fetchAhead(plan, open, request.limits.fetchAhead)) {
    try {
      next = findCut(step, request, usage);
      if (next !== null) break;
      if (step.kind === "object") yield* readObject(step, request, usage);
    } finally {
      if (step.kind === "object") await step.body?.close();
    }
  }
  yield { kind: "end", next, usage };
}

async function openObject({ store, bodyTimeout }: ReadRequest, object: VisibleObject): Promise<ObjectBody> {
  return openBody(await store.get(object.key), object.length, bodyTimeout);
}

/**
 * The minute before which a read ends itself, `null` if it goes on. Only a minute's first object may end it, and never
 * the first minute that was read; what a minute will inflate to is guessed from what was read so far.
 */
function findCut(step: FetchedStep, { limits }: ReadRequest, usage: RunningUsage): Millis | null {
  if (step.kind === "cut") return step.next;
  const { object, minuteStoredBytes } = step;
  if (minuteStoredBytes === null || usage.storedBytes === 0) return null;
  const inflation = Math.max(1, usage.rawBytes / usage.storedBytes);
  return usage.rawBytes + minuteStoredBytes * inflation > limits.maxRawBytes ? object.minute : null;
}

async function* readObject(
  step: ObjectStep,
  request: ReadRequest,
  usage: RunningUsage,
): AsyncGenerator<ReadEvent, void, void> {
  const { object } = step;
  try {
    if (step.body === null) throw step.error;
    usage.objectCount++;
    usage.storedBytes += object.length;
    yield* readContent(object, readRawBytes(object, step.body, usage), request);
  } catch (error) {
    const unreadable = await toUnreadable(error, object, { request, usage });
    if (unreadable === null) throw error;
    if (request.onError === "stop") throw unreadable;
    yield { kind: "unreadable", key: object.key, reason: unreadable.message };
  }
}

async function* readContent(
  { form }: VisibleObject,
  pieces: AsyncIterable<Uint8Array>,
  { signal, encoding }: ReadRequest,
): AsyncGenerator<ReadEvent, void, void> {
  const isJson = form.marshaler === "otlp_json";
  if (isItemSignal(signal)) {
    yield* isJson ? readJsonFields(pieces, signal) : readProtobufFields(pieces, signal);
    return;
  }
  const stored = isJson ? "json" : "protobuf";
  yield await readRequest(pieces, stored, encoding ?? stored);
}

/** The error of an object that cannot be read, naming it; `null` when the fault is not the object's. */
async function toUnreadable(
  error: unknown,
  object: VisibleObject,
  context: { readonly request: ReadRequest; readonly usage: RunningUsage },
): Promise<FirnError | null> {
  if (!(error instanceof FirnError)) return null;
  if (error.kind !== "corrupt_object" && error.kind !== "object_not_found") return null;
  const found = error.kind === "corrupt_object" ? toErrorMessage(error) : await describeVanished(object, context);
  return new FirnError(error.kind, `Cannot read object "${object.key}": ${found}`, { cause: error });
}

/**
 * An object may vanish between list and get only because something else holds its items from now on, so the hour is
 * looked at once more (protocol 6.1). Nothing replaces objects before there are manifests: both findings are errors.
 */
async function describeVanished(
  { key, minute }: VisibleObject,
  { request, usage }: { readonly request: ReadRequest; readonly usage: RunningUsage },
): Promise<string> {
  const { store, layout } = request;
  for await (const page of listHour({ store, layout, usage }, millis(minute - (minute % HOUR)))) {
    if (page.some((info) => info.key === key)) return "the store lists it and does not give it";
  }
  return "it has vanished since it was listed, and nothing stands for it";
}
