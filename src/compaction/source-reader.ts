/**
 * Reads the sources of a step, each in the version that the intent names. What can go wrong with one is told apart: it
 * changed or vanished, so that the run must begin again; it cannot be decoded; or the store failed, which says nothing.
 */
import { classifyKey, type Layout } from "../archive/key.ts";
import type { ObjectForm } from "../archive/object-form.ts";
import { FirnError } from "../errors.ts";
import { COMPACT_FETCH_AHEAD, STORE_CALL_TIMEOUT } from "../limits.ts";
import type { ObjectStore } from "../object-store/contract.ts";
import type { TopLevelField } from "../otlp/top-level.ts";
import { openBody, type ObjectBody } from "../reader/object-body.ts";
import { readJsonFields, readProtobufFields } from "../reader/object-fields.ts";
import { readRawBytes } from "../reader/raw-bytes.ts";
import type { RunningUsage } from "../reader/usage.ts";
import { MINUTE, millis } from "../units.ts";
import type { ItemSignal } from "../signal.ts";
import type { SourceRow } from "./schema.ts";

/** Whom sources are read from, and where it is counted. */
export interface SourceStore {
  readonly store: ObjectStore;
  readonly layout: Layout;
  readonly signal: ItemSignal;
  readonly usage: RunningUsage;
}

/** A source that cannot be a source. */
export class SourceFault extends Error {
  override readonly name: string = "SourceFault";
  readonly source: SourceRow;
  /** `gone`: it changed or vanished since it was listed; `corrupt`: it is there and cannot be decoded. */
  readonly kind: "gone" | "corrupt";

  constructor(kind: SourceFault["kind"], source: SourceRow, cause: unknown) {
    super(`Cannot read source "${source.key}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.kind = kind;
    this.source = source;
  }
}

/** A source whose fields can be read, once. */
export interface OpenedSource {
  readonly source: SourceRow;
  /** Views, valid until the next are asked for. @throws SourceFault, and FirnError `store_unavailable` */
  read(): AsyncGenerator<readonly TopLevelField[], void, void>;
  /** Gives back the connection. */
  close(): Promise<void>;
}

/** Opens sources one after another, the next ones while one is read; whoever stops early closes them all. */
export async function* openSources(
  from: SourceStore,
  sources: readonly SourceRow[],
): AsyncGenerator<OpenedSource, void, void> {
  const queue: Promise<OpenedSource | { readonly error: unknown }>[] = [];
  let next = 0;
  try {
    while (next < sources.length || queue.length > 0) {
      while (queue.length <= COMPACT_FETCH_AHEAD) {
        const source = sources[next];
        if (source === undefined) break;
        next += 1;
        queue.push(openSource(from, source).catch((error: unknown) => ({ error })));
      }
      const opened = await queue.shift();
      if (opened === undefined) return;
      if ("error" in opened) throw opened.error;
      try {
        yield opened;
      } finally {
        await opened.close();
      }
    }
  } finally {
    for (const opened of await Promise.all(queue)) if (!("error" in opened)) await opened.close();
  }
}

async function openSource(from: SourceStore, source: SourceRow): Promise<OpenedSource> {
  const { key, length, etag } = source;
  const form = classifyKey(key, from.layout)?.form;
  if (form === undefined) throw new Error(`Cannot read source "${key}": it is no object of the tenant`);
  from.usage.storeCalls += 1;
  const body = await naming(source, async () =>
    openBody(await from.store.get(key, etag === null ? {} : { ifMatch: etag }), length, STORE_CALL_TIMEOUT, "passing"),
  );
  return { source, read: () => readFields(from, source, { form, body }), close: () => body.close() };
}

async function* readFields(
  { signal, usage }: SourceStore,
  source: SourceRow,
  { form, body }: { readonly form: ObjectForm; readonly body: ObjectBody },
): AsyncGenerator<readonly TopLevelField[], void, void> {
  const { key, length, etag } = source;
  const object = { key, length, etag, form, minute: millis(source.minute * MINUTE) };
  const pieces = readRawBytes(object, body, usage, "short");
  const runs = form.marshaler === "otlp_json" ? readJsonFields(pieces, signal) : readProtobufFields(pieces, signal);
  try {
    for (;;) {
      const run = await naming(source, () => runs.next());
      if (run.done === true) return;
      yield run.value.fields;
    }
  } finally {
    await runs.return();
  }
}

async function naming<T>(source: SourceRow, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    if (error.kind === "corrupt_object") throw new SourceFault("corrupt", source, error);
    if (error.kind === "object_changed" || error.kind === "object_not_found")
      throw new SourceFault("gone", source, error);
    throw error;
  }
}
