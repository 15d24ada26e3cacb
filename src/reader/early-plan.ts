/**
 * What of an hour can be asked for before its manifest says what counts: which member tables, by the keys of outputs,
 * {@link chooseOutputs}; which chunks, by the tables, {@link planFirstChunks}. Pure; a wrong guess costs its calls.
 */
import { parseKey, type CompactedKey, type Layout } from "../archive/key.ts";
import { decodeMemberTable, type TableMember } from "../archive/member-table.ts";
import { FirnError } from "../errors.ts";
import { EARLY_MAX_OUTPUTS } from "../limits.ts";
import type { ObjectInfo } from "../object-store/contract.ts";
import type { Millis } from "../units.ts";
import type { Chunk } from "./hour-chunks.ts";
import { planMembers } from "./hour-object.ts";
import { chunkBytesFor, meetsWindow, type HourWindow } from "./output-minutes.ts";

/** An output as it is listed. */
export interface ListedOutput {
  readonly info: ObjectInfo;
  readonly key: CompactedKey;
}

/** A listed output, and what its table says; no members where that is nothing. */
export interface EarlyTable {
  readonly info: ObjectInfo;
  readonly members: readonly TableMember[];
}

/**
 * Chooses the outputs that a read may begin with. Those of one attempt follow each other in time, so that the first is
 * enough where the window takes the hour from its beginning. Keys say no more of minutes, nor which attempt counts.
 * @returns none where they are more than a few
 */
export function chooseOutputs(
  infos: Iterable<ObjectInfo>,
  layout: Layout,
  { hour, start }: HourWindow,
): readonly ListedOutput[] {
  const chosen = new Map<string, ListedOutput>();
  for (const info of infos) {
    const key = parseKey(info.key, layout);
    if (key?.kind !== "compacted") continue;
    const group = start <= hour ? `${key.incarnation}-${key.attempt}` : info.key;
    const first = chosen.get(group);
    if (first === undefined || key.output < first.key.output) chosen.set(group, { info, key });
    if (chosen.size > EARLY_MAX_OUTPUTS) return [];
  }
  return [...chosen.values()];
}

/** Reads a table that nobody vouches for yet; what it means that one is wrong is for whoever reads it in earnest. */
export function readEarlyTable(info: ObjectInfo, table: Uint8Array | null): EarlyTable {
  if (table === null) return { info, members: [] };
  try {
    const { output, members } = decodeMemberTable(table);
    return { info, members: output === info.key ? members : [] };
  } catch (error) {
    if (error instanceof FirnError) return { info, members: [] };
    throw error;
  }
}

/** A chunk that a read of these outputs fetches first. */
export interface FirstChunk {
  readonly info: ObjectInfo;
  readonly chunk: Chunk;
}

/**
 * Plans what a read of these outputs, if all of them count and no others do, fetches for its first minute.
 * @param freshFrom - minute of the first fresh object; nothing is planned that would have to wait for another minute
 */
export function planFirstChunks(
  tables: readonly EarlyTable[],
  window: HourWindow,
  freshFrom: Millis | null,
): readonly FirstChunk[] {
  const spans = tables.map(({ members }) => ({
    firstMinute: members[0]?.runs[0]?.minute ?? Number.POSITIVE_INFINITY,
    lastMinute: members.at(-1)?.runs.at(-1)?.minute ?? Number.NEGATIVE_INFINITY,
  }));
  const chunkMaxBytes = chunkBytesFor(spans.filter((span) => meetsWindow(span, window)));
  const plans = tables.map(({ info, members }) => {
    const { needed, chunks } = planMembers({ members, ...window, chunkMaxBytes });
    return { info, chunk: chunks[0], minute: needed[0]?.runs[0]?.minute ?? Number.POSITIVE_INFINITY };
  });
  const first = Math.min(freshFrom ?? Number.POSITIVE_INFINITY, ...plans.map(({ minute }) => minute));
  return plans.flatMap(({ info, chunk, minute }) =>
    chunk !== undefined && minute === first && info.frozenClass === undefined ? [{ info, chunk }] : [],
  );
}
