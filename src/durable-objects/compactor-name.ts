/** Names of Compactors: the text by which a Durable Object is found, and back. */
import { UNNAMED_TENANT_SEGMENT } from "../archive/key.ts";
import type { CompactorIdentity } from "../compaction/contract.ts";
import { isItemSignal } from "../signal.ts";

/** Formats `<tenant or ->/<signal>`. */
export function formatCompactorName({ tenant, signal }: CompactorIdentity): string {
  return `${tenant === "" ? UNNAMED_TENANT_SEGMENT : tenant}/${signal}`;
}

/** Parses what {@link formatCompactorName} wrote; `null` for anything else. */
export function parseCompactorName(name: string): CompactorIdentity | null {
  const [segment, signal, ...rest] = name.split("/");
  if (segment === undefined || segment === "" || signal === undefined || rest.length > 0) return null;
  if (!isItemSignal(signal)) return null;
  return { tenant: segment === UNNAMED_TENANT_SEGMENT ? "" : segment, signal };
}
