/** Answers of `POST /admin/verify`: parts of a window joined to one document, and a document as text. Pure. */
import type { Finding, SeenSequences, VerifyDocument } from "../src/compaction/verify/contract.ts";

/**
 * Joins the answers of a window that a scrub went through in parts. A number that is missing just where one part ended
 * is seen by neither; it shows in the numbers of both.
 */
export function joinDocuments(parts: readonly VerifyDocument[]): VerifyDocument {
  const [first, ...rest] = parts;
  if (first === undefined) throw new RangeError("Cannot join the answers: there is none");
  return rest.reduce(joinTwo, first);
}

function joinTwo(left: VerifyDocument, right: VerifyDocument): VerifyDocument {
  const gaps = findGaps(left, right);
  const { hours, objects, members, items, bytes } = right.checked;
  return {
    ...right,
    ok: right.next === null && gaps.length === 0 && isClosed(left) && isClosed(right),
    window: { ...left.window, end: right.window.end },
    checked: {
      hours: left.checked.hours + hours,
      objects: left.checked.objects + objects,
      members: left.checked.members + members,
      items: left.checked.items + items,
      bytes: left.checked.bytes + bytes,
    },
    findings: [...left.findings, ...right.findings, ...gaps],
    finding_count: left.finding_count + right.finding_count + gaps.length,
    repaired: left.repaired + right.repaired,
    sequences: joinSequences(left.sequences, right.sequences),
    notes: [...new Set([...left.notes, ...right.notes])],
  };
}

/** What is not in the list may be open. */
function isClosed({ findings, finding_count, repaired }: VerifyDocument): boolean {
  const isListed = findings.length === finding_count || repaired === finding_count;
  return isListed && findings.every((finding) => finding.repaired || finding.severity === "info");
}

function nameOf({ signal, shard, incarnation }: SeenSequences): string {
  return `${signal}/${shard}-${incarnation}`;
}

function joinSequences(left: readonly SeenSequences[], right: readonly SeenSequences[]): readonly SeenSequences[] {
  const joined = new Map(left.map((seen) => [nameOf(seen), seen]));
  for (const seen of right) {
    const before = joined.get(nameOf(seen));
    joined.set(nameOf(seen), {
      ...seen,
      lowest: Math.min(seen.lowest, before?.lowest ?? seen.lowest),
      highest: Math.max(seen.highest, before?.highest ?? seen.highest),
    });
  }
  return [...joined.values()];
}

function findGaps(left: VerifyDocument, right: VerifyDocument): readonly Finding[] {
  const before = new Map(left.sequences.map((seen) => [nameOf(seen), seen]));
  return right.sequences.flatMap((seen): Finding[] => {
    const highest = before.get(nameOf(seen))?.highest ?? seen.lowest;
    if (seen.lowest <= highest + 1) return [];
    const { signal, shard, incarnation, lowest } = seen;
    const which = `Sequences ${highest + 1} to ${lowest - 1} of shard ${shard}, incarnation ${incarnation}`;
    return [
      {
        kind: "sequence_gap",
        severity: "error",
        signal,
        hour: right.window.start,
        key: null,
        message: `${which}, neither stand there nor in a manifest`,
        repair: "none",
        advice: "Restore them from a version or copy of the bucket",
        repaired: false,
        repair_error: null,
      },
    ];
  });
}

/** Formats a document for a terminal: plain, the verdict first; ends in a line feed. */
export function formatVerify(document: VerifyDocument): string {
  const { checked, findings, finding_count, repaired, window, deep, notes } = document;
  const { hours, objects, members, items, bytes } = checked;
  const verdict = document.ok ? "all is well" : "something is wrong";
  const read = deep ? `, ${members} members, ${items} items, ${bytes} bytes read` : "";
  const more = finding_count - findings.length;
  const lines = [
    `Firn's archive: ${verdict}, findings: ${finding_count}, repaired: ${repaired}`,
    `  ${window.signals.join(", ")} from ${window.start} to ${window.end}: ${hours} hours, ${objects} objects${read}`,
    ...findings.flatMap(formatFinding),
    ...(more > 0 ? [`and ${more} more findings`] : []),
    "",
    ...notes.map((note) => `Note: ${note}.`),
  ];
  return `${lines.join("\n")}\n`;
}

function formatFinding(finding: Finding): readonly string[] {
  const { kind, severity, signal, hour, message, repair, advice, repaired, repair_error } = finding;
  const state = repaired ? "repaired" : severity;
  return [
    "",
    `${state}: ${kind}, ${signal}, hour ${hour}`,
    `  ${message}.`,
    ...(repaired || repair === "none" ? [] : [`  --repair would: ${repair}.`]),
    ...(repair_error === null ? [] : [`  Not repaired: ${repair_error}.`]),
    ...(advice === null || repaired ? [] : [`  ${advice}.`]),
  ];
}
