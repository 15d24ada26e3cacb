/**
 * The merge of one step (`merger.ts` is its contract): items of sources are gathered minute by minute, regrouped so
 * that like stands beside like, and written into members, a minute into as many as it takes. In memory are the items
 * that are gathered, and one member. Fields that are no containers belong to no item and end the run of their minute.
 */
import { ByteWriter } from "../otlp/byte-writer.ts";
import { openItemDigest, type ItemDigest } from "../otlp/item-digest.ts";
import { openItemOrder } from "../otlp/item-order.ts";
import { iterateItems } from "../otlp/items.ts";
import { decodeJsonElements } from "../otlp/json/decode.ts";
import { encodeJsonElements } from "../otlp/json/elements.ts";
import { openRegrouper, type Regrouper } from "../otlp/regroup.ts";
import type { TopLevelField } from "../otlp/top-level.ts";
import type { ItemSignal } from "../signal.ts";
import { openMemberWriter } from "./member-writer.ts";
import type { Merger, MergerOptions, MinuteSum, OpenMerger } from "./merger.ts";

/**
 * Makes a way to open merges one after the other in the same memory: that of a merge is megabytes, which V8 would
 * collect late. To open a merge ends the one before, whatever it held.
 */
export function openMergers(): OpenMerger {
  let memory: MergeMemory | null = null;
  return (options) => {
    memory ??= openMemory(options);
    memory.regrouper.clear();
    memory.raw.length = 0;
    return openMerge(options, memory);
  };
}

/** Opens the merge of a step in memory of its own. */
export function openMerger(options: MergerOptions): Merger {
  return openMergers()(options);
}

/** What writers reserve beyond the bytes that they write. */
const SPARE_BYTES = 4096;

interface MergeMemory {
  readonly regrouper: Regrouper;
  /** The member under way. */
  readonly raw: ByteWriter;
}

/** As large as it is going to be: arrays that are outgrown would be megabytes more, collected late. */
function openMemory({ gatherBytes, memberRawBytes }: MergerOptions): MergeMemory {
  return {
    regrouper: openRegrouper(gatherBytes),
    raw: new ByteWriter(memberRawBytes + SPARE_BYTES, Number.POSITIVE_INFINITY),
  };
}

function openMerge(options: MergerOptions, { regrouper, raw }: MergeMemory): Merger {
  const { signal } = options;
  const isJson = options.marshaler === "otlp_json";
  const sourceTotals = new Map<number, MinuteSum>();
  const order = openItemOrder(signal);
  const members = openMemberWriter(options, raw);
  let unowned: Uint8Array[] = [];
  let unownedBytes = 0;
  let minute = 0;
  let digest: ItemDigest = openItemDigest();

  function addFields(of: number, fields: readonly TopLevelField[]): void {
    if (of !== minute) endMinute();
    minute = of;
    for (const { field, container } of fields) {
      if (container === null) addUnowned(field);
      else addContainer(isJson ? toJsonForm(signal, field) : field);
    }
    // Both would hold on to the fields, whose memory is the caller's.
    digest.release();
    regrouper.release();
  }

  function addContainer(field: Uint8Array): void {
    for (const item of iterateItems(signal, field)) {
      regrouper.add(item, order.readKey(item));
      digest.add(item);
      if (regrouper.heldBytes >= options.gatherBytes) writeGathered();
    }
  }

  function addUnowned(field: Uint8Array): void {
    unowned.push(field.slice());
    unownedBytes += field.length;
    if (unownedBytes >= options.gatherBytes) writeGathered();
  }

  /** Writes what was gathered of the minute, items first. */
  function writeGathered(): void {
    members.addItems(minute, regrouper.openParts("form"));
    regrouper.clear();
    for (const field of unowned) members.addField(minute, field);
    unowned = [];
    unownedBytes = 0;
  }

  function endMinute(): void {
    writeGathered();
    const known = openItemDigest(sourceTotals.get(minute));
    known.merge(digest.toValue());
    if (known.itemCount > 0) sourceTotals.set(minute, known.toValue());
    digest = openItemDigest();
  }

  function flush(): void {
    endMinute();
    members.finish();
  }

  return {
    addFields,
    endMinute,
    flush,
    startOutput: () => {
      flush();
      members.startOutput();
    },
    take: () => members.take(),
    sourceTotals,
    outputTotals: members.totals,
    get heldBytes() {
      return regrouper.heldBytes + unownedBytes + members.heldBytes;
    },
  };
}

/**
 * The form in which an item comes back from JSON: fields in the order of the schema, unset messages as empty ones. What
 * Firn wrote as JSON is in this form; another writer's document need not be, and would have another digest afterwards.
 */
function toJsonForm(signal: ItemSignal, field: Uint8Array): Uint8Array {
  const elements = encodeJsonElements(signal, field);
  return elements.length === 0 ? field : decodeJsonElements(signal, elements, 0);
}
