/** Compares two sets of items by key and content, and says in words where they differ. */
import { formatJson, type Item, type Json } from "../otlp-items.ts";

/** Items that a message names of each kind of difference. */
const MAX_SHOWN = 3;

/** What differs; all four lists are empty when nothing was lost, doubled, invented or changed. */
export interface Comparison {
  readonly missing: readonly string[];
  readonly doubled: readonly string[];
  readonly unknown: readonly string[];
  /** Key and the fields that differ. */
  readonly changed: readonly string[];
}

/** Compares what was sent with what came back. */
export function compareItems(sent: readonly Item[], returned: readonly Item[]): Comparison {
  const expected = new Map(sent.map((item) => [item.key, item]));
  const seen = new Set<string>();
  const doubled: string[] = [];
  const unknown: string[] = [];
  const changed: string[] = [];
  if (expected.size !== sent.length) throw new Error("Cannot compare: two items that were sent have the same key");
  for (const { key, content } of returned) {
    const wanted = expected.get(key);
    if (wanted === undefined) unknown.push(key);
    else if (seen.has(key)) doubled.push(key);
    else if (formatJson(wanted.content) !== formatJson(content))
      changed.push(`${key}: ${listDifferences("", wanted.content, content).join("; ")}`);
    seen.add(key);
  }
  return { missing: [...expected.keys()].filter((key) => !seen.has(key)), doubled, unknown, changed };
}

/** Says whether the comparison found nothing. */
export function isEqual({ missing, doubled, unknown, changed }: Comparison): boolean {
  return missing.length + doubled.length + unknown.length + changed.length === 0;
}

/** Says how many items differ and shows some of them; "nothing differs" when none does. */
export function formatComparison(comparison: Comparison): string {
  const { missing, doubled, unknown, changed } = comparison;
  const parts = Object.entries({ missing, doubled, unknown, changed }).flatMap(([what, keys]) =>
    keys.length === 0 ? [] : [`${keys.length} ${what}`, ...keys.slice(0, MAX_SHOWN).map((key) => `  ${key}`)],
  );
  return parts.length === 0 ? "nothing differs" : parts.join("\n");
}

/** Lists the paths at which two values differ. */
function listDifferences(path: string, wanted: Json | undefined, found: Json | undefined): readonly string[] {
  if (formatJson(wanted) === formatJson(found)) return [];
  if (typeof wanted !== "object" || typeof found !== "object" || wanted === null || found === null)
    return [`${path} was ${formatJson(wanted)}, is ${formatJson(found)}`];
  const [before, after] = [new Map<string, Json>(Object.entries(wanted)), new Map<string, Json>(Object.entries(found))];
  const fields = new Set([...before.keys(), ...after.keys()]);
  return [...fields].flatMap((field) => listDifferences(`${path}.${field}`, before.get(field), after.get(field)));
}
