/**
 * The judge of a run: what was sent against what came back (spec/reliability.md 5.7). It shares no code with the
 * product, knows nothing of how either list was made, and takes a run in which nothing happened for a failure.
 */

/** An item that a client tried to send. */
export interface SentItem {
  /** Unique over the whole run. */
  readonly id: string;
  /** Digest of everything that belongs to the item. */
  readonly digest: string;
  readonly tenant: string;
  readonly signal: string;
  /**
   * `acked`: answered with success; it must be there. `unknown`: no answer, or one that says to retry; it may be
   * there. `refused`: refused for good; it must not be there.
   */
  readonly outcome: "acked" | "unknown" | "refused";
}

/** An item that was read back. */
export type ReplayedItem = Omit<SentItem, "outcome">;

/** Ids by what is wrong with them; all lists are empty after a good run. */
export interface Verdict {
  /** Acknowledged and not there. */
  readonly lost: readonly string[];
  /** There more than once. */
  readonly duplicate: readonly string[];
  /** There and never sent, or refused. */
  readonly phantom: readonly string[];
  /** There, but not as it was sent. */
  readonly corrupt: readonly string[];
  /** There under another tenant. */
  readonly leaked: readonly string[];
  /** There in an earlier replay and now gone. */
  readonly vanished: readonly string[];
  /** Nothing was acknowledged or nothing came back: the run proves nothing. */
  readonly empty: boolean;
}

/** Compares a history with a replay. @param earlier - items of a replay before, which must still be there */
export function checkHistory(
  sent: readonly SentItem[],
  replayed: readonly ReplayedItem[],
  earlier: readonly ReplayedItem[] = [],
): Verdict {
  const known = new Map(sent.map((item) => [item.id, item]));
  if (known.size !== sent.length) throw new RangeError("Cannot check a history: two items that were sent share an id");
  const counts = new Map<string, number>();
  const wrong = { phantom: new Set<string>(), corrupt: new Set<string>(), leaked: new Set<string>() };
  for (const item of replayed) {
    const origin = known.get(item.id);
    if (origin === undefined || origin.outcome === "refused") wrong.phantom.add(item.id);
    else if (origin.tenant !== item.tenant) wrong.leaked.add(item.id);
    else if (origin.digest !== item.digest || origin.signal !== item.signal) wrong.corrupt.add(item.id);
    counts.set(item.id, (counts.get(item.id) ?? 0) + 1);
  }
  const acked = sent.filter(({ outcome }) => outcome === "acked");
  const present = new Set(replayed.map(toPlace));
  return {
    lost: acked.filter((item) => !present.has(toPlace(item))).map(({ id }) => id),
    duplicate: [...counts].flatMap(([id, count]) => (count > 1 ? [id] : [])),
    phantom: [...wrong.phantom],
    corrupt: [...wrong.corrupt],
    leaked: [...wrong.leaked],
    vanished: earlier.filter((item) => !present.has(toPlace(item))).map(({ id }) => id),
    empty: acked.length === 0 || replayed.length === 0,
  };
}

/** Says whether a run was good. */
export function isClean({ empty, ...lists }: Verdict): boolean {
  return !empty && Object.values(lists).every((ids) => ids.length === 0);
}

/** One line for a report: how many of each, with an example. */
export function formatVerdict({ empty, ...lists }: Verdict): string {
  const counts = Object.entries(lists).map(([what, ids]) =>
    ids.length === 0 ? `0 ${what}` : `${ids.length} ${what} (${ids.slice(0, 3).join(", ")})`,
  );
  return empty ? `nothing happened; ${counts.join(", ")}` : counts.join(", ");
}

/** An item is where it belongs when tenant and signal are right; content is another question. */
function toPlace({ id, tenant, signal }: ReplayedItem): string {
  return JSON.stringify([tenant, signal, id]);
}
