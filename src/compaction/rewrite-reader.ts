/**
 * Reads earlier outputs as sources of a rewrite: a source is one minute of one output. An output is opened once for all
 * of its minutes in a step, and its members are inflated once.
 */
import { parseKey } from "../archive/key.ts";
import type { ManifestOutput } from "../archive/manifest-output.ts";
import type { TableMember } from "../archive/member-table.ts";
import { FirnError } from "../errors.ts";
import { HOUR_CHUNK_MIN_BYTES } from "../limits.ts";
import type { TopLevelField } from "../otlp/top-level.ts";
import { openHourObject, type HourObject } from "../reader/hour-object.ts";
import type { VisibleOutput } from "../reader/hour-view.ts";
import { compareKeys } from "../reader/key-order.ts";
import { loadMembers } from "../reader/member-tables.ts";
import { readJsonFields, readProtobufFields, toRunDocument } from "../reader/object-fields.ts";
import { openUsage, type RunningUsage } from "../reader/usage.ts";
import { HOUR, millis, MINUTE } from "../units.ts";
import type { Compactor, Run } from "./compactor.ts";
import { readNewest } from "./newest.ts";
import type { SourceRow } from "./schema.ts";
import type { OpenedSource } from "./source-reader.ts";

/** Lists the minutes of outputs as sources, in the order of minute and key. */
export async function readOutputMinutes(
  compactor: Compactor,
  outputs: readonly ManifestOutput[],
): Promise<readonly SourceRow[]> {
  const sources: Omit<SourceRow, "number">[] = [];
  for (const output of outputs) {
    const members = await readMembersOf(compactor, output, openUsage());
    const minutes = new Set(members.flatMap(({ runs }) => runs.map(({ minute }) => minute)));
    for (const minute of minutes) {
      sources.push({ key: output.key, length: output.sizeBytes, etag: output.etag, minute });
    }
  }
  return sources
    .toSorted((left, right) => left.minute - right.minute || compareKeys(left.key, right.key))
    .map((source, number) => ({ number, ...source }));
}

/**
 * Opens minutes of outputs one after another.
 * @throws FirnError `object_changed` when another generation was published meanwhile; `corrupt_object` for an output
 * that cannot be read: it stays as it is
 */
export async function* openRewriteSources(
  compactor: Compactor,
  run: Run,
  { sources, usage }: { readonly sources: readonly SourceRow[]; readonly usage: RunningUsage },
): AsyncGenerator<OpenedSource, void, void> {
  const newest = await readNewest(compactor, run.hour);
  if (newest === null || newest.sha256Hex !== run.parent?.sha256Hex) {
    throw new FirnError("object_changed", "Cannot rewrite outputs: another generation was published meanwhile");
  }
  const outputs = new Map(newest.manifest.outputs.map((output) => [output.key, output]));
  const opened = new Map<string, HourObject>();
  try {
    for (const source of sources) {
      const output = outputs.get(source.key);
      if (output === undefined) throw new FirnError("internal", `Cannot rewrite "${source.key}": no manifest names it`);
      const object =
        opened.get(source.key) ?? (await openOutput(compactor, run, { output, usage, from: source.minute }));
      opened.set(source.key, object);
      yield { source, read: () => readMinute(compactor, object, { run, source }), close: async () => undefined };
    }
  } finally {
    for (const object of opened.values()) await object.close();
  }
}

async function openOutput(
  compactor: Compactor,
  { hour }: Run,
  { output, usage, from }: { readonly output: ManifestOutput; readonly usage: RunningUsage; readonly from: number },
): Promise<HourObject> {
  const { form, etag } = toVisible(compactor, output);
  return openHourObject({
    store: compactor.deps.store,
    output,
    form,
    etag,
    members: await readMembersOf(compactor, output, usage),
    hour,
    start: millis(hour + from * MINUTE),
    end: millis(hour + HOUR),
    // Many are open side by side, and all of them are small.
    chunkMaxBytes: HOUR_CHUNK_MIN_BYTES,
    usage,
  });
}

async function* readMinute(
  { deps }: Compactor,
  object: HourObject,
  { run, source }: { readonly run: Run; readonly source: SourceRow },
): AsyncGenerator<readonly TopLevelField[], void, void> {
  const { signal } = deps.identity;
  const minute = millis(run.hour + source.minute * MINUTE);
  for (let found = await object.nextRun(minute); found !== null; found = await object.nextRun(minute)) {
    const { pieces } = found;
    const isJson = object.form.marshaler === "otlp_json";
    const content = isJson ? readJsonFields(toRunDocument(pieces, signal), signal) : readProtobufFields(pieces, signal);
    for await (const { fields } of content) yield fields;
  }
}

async function readMembersOf(
  compactor: Compactor,
  output: ManifestOutput,
  usage: RunningUsage,
): Promise<readonly TableMember[]> {
  const loaded = await loadMembers(toVisible(compactor, output), { store: compactor.deps.store, usage });
  if (loaded.kind === "lost") throw loaded.error;
  return loaded.members;
}

function toVisible({ deps }: Compactor, output: ManifestOutput): VisibleOutput {
  const own = parseKey(output.key, deps.layout);
  if (own === null)
    throw new FirnError("corrupt_object", `Cannot rewrite "${output.key}": it is no key of the archive`);
  return { output, form: own.form, etag: output.etag, fault: null };
}
