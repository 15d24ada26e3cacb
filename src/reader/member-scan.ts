/**
 * Makes the member table of an output from the output itself, whose members carry their entries: {@link scanMembers}.
 * A pass over the whole object, in memory of its entries.
 */
import type { ManifestOutput } from "../archive/manifest-output.ts";
import { decodeMemberEntry, type TableMember } from "../archive/member-table.ts";
import type { ObjectForm } from "../archive/object-form.ts";
import { scanEntries, type ScannedEntry } from "../compression/entry-scan.ts";
import { literalMember } from "../compression/member.ts";
import { FirnError } from "../errors.ts";
import { JSON_TAIL } from "../otlp/json/envelope.ts";
import { bytes } from "../units.ts";
import type { FileSource } from "./firn-file.ts";
import { openBody } from "./object-body.ts";

/** What is to be scanned; a manifest need not name it. */
export interface ScannedOutput {
  readonly output: Pick<ManifestOutput, "key" | "sizeBytes">;
  readonly form: ObjectForm;
}

/**
 * Scans an output. What ends a JSON document is a member of its own and in no entry.
 * @throws FirnError `corrupt_object` when the object is not one that compaction wrote, `object_not_found`, and what the
 * store throws
 */
export async function scanMembers(
  { output, form }: ScannedOutput,
  { store, usage, bodyTimeout }: FileSource,
): Promise<readonly TableMember[]> {
  const { key, sizeBytes } = output;
  const { compression } = form;
  if (compression === "none") throw corrupt("it is not compressed", "members of gzip or zstd");
  usage.storeCalls++;
  const body = openBody(await store.get(key), sizeBytes, bodyTimeout);
  const entries: ScannedEntry[] = [];
  try {
    for await (const entry of scanEntries(body.read(), compression)) entries.push(entry);
  } finally {
    await body.close();
  }
  if (entries[0]?.offset !== 0) throw corrupt("it does not begin with an entry", "an entry before each member");
  const tailBytes = form.marshaler === "otlp_json" ? literalMember(JSON_TAIL, compression).length : 0;
  return entries.map(({ offset, entry }, index) => {
    const end = entries[index + 1]?.offset ?? sizeBytes - tailBytes;
    return { offset: bytes(offset), storedBytes: bytes(end - offset), ...decodeMemberEntry(entry) };
  });
}

function corrupt(found: string, expected: string): FirnError {
  return new FirnError("corrupt_object", `Cannot find the members of an output: ${found}, expected ${expected}`);
}
