/** Names of shards: the text by which a Durable Object is found, and back. */
import { isSignal } from "../signal.ts";
import type { ShardIdentity } from "./contract.ts";

/** Formats `<tenant>/<signal>/<shard>`; the unnamed tenant leaves the first part empty. */
export function formatShardName(identity: ShardIdentity): string {
  return `${identity.tenant}/${identity.signal}/${identity.shard}`;
}

/** Parses what {@link formatShardName} wrote; `null` for anything else. */
export function parseShardName(name: string): ShardIdentity | null {
  const [tenant, signal, number, ...rest] = name.split("/");
  if (tenant === undefined || signal === undefined || number === undefined || rest.length > 0) return null;
  if (!isSignal(signal) || !/^\d{1,3}$/.test(number)) return null;
  const identity = { tenant, signal, shard: Number(number) };
  return identity.shard <= 255 && formatShardName(identity) === name ? identity : null;
}
