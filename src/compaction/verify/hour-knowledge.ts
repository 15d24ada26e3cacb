/** What a Compactor tells a scrub about an hour: {@link describeHour}. Read from its storage; nothing is changed. */
import { parseKey } from "../../archive/key.ts";
import { parseFileHour } from "../../archive/firn-keys.ts";
import { HOUR_MAX_COMPACTED_KEYS } from "../../limits.ts";
import type { Compactor } from "../compactor.ts";
import { readTrash } from "../ledger.ts";
import { readHour, select } from "../schema.ts";
import type { HourKnowledge } from "./contract.ts";

/** Describes an hour. @param hour first instant */
export function describeHour(compactor: Compactor, hour: number): HourKnowledge {
  const { storage, layout, identity, now } = compactor.deps;
  const isOfHour = (key: string): boolean => {
    const own = parseKey(key, layout);
    return (own?.kind === "compacted" ? own.hour : parseFileHour(key, layout, identity.signal)) === hour;
  };
  const trash = readTrash(storage, Number.MAX_SAFE_INTEGER, HOUR_MAX_COMPACTED_KEYS).filter(({ key }) => isOfHour(key));
  const [commit] = select(storage, "SELECT generation FROM commits WHERE hour = ?", hour);
  const row = readHour(storage, hour);
  return {
    // What a generation names that is committed belongs to it, even while its publication fails.
    isWorking: compactor.run?.hour === hour || commit !== undefined,
    unmirrored: commit !== undefined && (row?.error ?? null) !== null ? Number(commit["generation"]) : null,
    pendingKeys: trash.map(({ key }) => key),
    unfinishedUploads: trash.flatMap(({ key, uploadId, dueAt }) => (uploadId !== null && dueAt < now() ? [key] : [])),
    deleteAt: row?.deleteAt ?? null,
  };
}
