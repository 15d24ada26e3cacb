/**
 * The Directory's table (protocol 1): every shard that ever acknowledged anything. Cron, status, watermark and drain
 * walk it, never the settings, so that a shard outlives a removed tenant or a lowered `SHARDS`. Since there is one
 * Directory, it also keeps the name of the deployment, by which a bucket knows its owner.
 */
import { DIRECTORY_PAGE } from "../limits.ts";
import type { DirectoryFilter, DirectoryPage, ShardIdentity } from "./contract.ts";
import { toText, type ShardStorage } from "./schema.ts";
import { formatShardName, parseShardName } from "./shard-name.ts";

type DirectoryStorage = Pick<ShardStorage, "sql">;

/** Creates the tables. */
export function createDirectory(storage: DirectoryStorage): void {
  storage.sql.exec(`CREATE TABLE IF NOT EXISTS shards (
    name TEXT PRIMARY KEY, tenant TEXT NOT NULL, signal TEXT NOT NULL, registered_at INTEGER NOT NULL) WITHOUT ROWID`);
  storage.sql.exec("CREATE TABLE IF NOT EXISTS deployment (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL)");
}

/**
 * Names the deployment; the first call draws the name.
 * @param draw - makes 128 random bits in hex
 */
export function keepDeploymentId(storage: DirectoryStorage, draw: () => string): string {
  const [row] = storage.sql.exec("SELECT id FROM deployment").toArray();
  if (row !== undefined) return toText(row["id"]);
  const id = draw();
  storage.sql.exec("INSERT INTO deployment VALUES (1, ?)", id);
  return id;
}

/** Adds a shard; one that is known already costs no row. */
export function registerShard(storage: DirectoryStorage, identity: ShardIdentity, now: number): void {
  const name = formatShardName(identity);
  storage.sql.exec("INSERT OR IGNORE INTO shards VALUES (?, ?, ?, ?)", name, identity.tenant, identity.signal, now);
}

/** Lists one page in the order of names. */
export function listShards(storage: DirectoryStorage, { tenant, signal, after = "" }: DirectoryFilter): DirectoryPage {
  const names = storage.sql
    .exec(
      `SELECT name FROM shards WHERE name > ? AND (?2 IS NULL OR tenant = ?2) AND (?3 IS NULL OR signal = ?3)
        ORDER BY name LIMIT ${DIRECTORY_PAGE}`,
      after,
      tenant ?? null,
      signal ?? null,
    )
    .toArray()
    .map((row) => toText(row["name"]));
  const shards = names.map(parseShardName).filter((identity) => identity !== null);
  const last = names.at(-1);
  return names.length < DIRECTORY_PAGE || last === undefined ? { shards } : { shards, cursor: last };
}
