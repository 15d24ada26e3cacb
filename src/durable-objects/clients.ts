/** How the roots reach stores and Durable Objects: settings and bindings in, contracts out. */
import type { DoctorGroup } from "../admin/doctor/doctor.ts";
import type { DirectoryContract, ShardBufferContract, ShardIdentity } from "../buffer/contract.ts";
import { formatShardName } from "../buffer/shard-name.ts";
import { formatCompactorName } from "./compactor-name.ts";
import type { CompactorContract, CompactorIdentity } from "../compaction/contract.ts";
import type { Bindings, Config } from "../config.ts";
import type { StoreAccess } from "../config/storage-config.ts";
import type { ObjectStore } from "../object-store/contract.ts";
import { openStore } from "../object-store/open-store.ts";
import { findDialectName } from "../object-store/s3/dialect.ts";
import { secondsToMillis } from "../units.ts";
import { DIRECTORY_NAME } from "./directory.ts";

/** Finds shards, the Directory and Compactors; a stub is made anew for every call: one that threw may be broken. */
export interface ShardClient {
  shard(identity: ShardIdentity): ShardBufferContract;
  directory(): DirectoryContract;
  compactor(identity: CompactorIdentity): CompactorContract;
}

/** Opens the client within the configured jurisdiction. */
export function openShardClient(bindings: Bindings, config: Pick<Config, "jurisdiction">): ShardClient {
  const within = <T extends Rpc.DurableObjectBranded | undefined>(namespace: DurableObjectNamespace<T>) =>
    config.jurisdiction === null ? namespace : namespace.jurisdiction(config.jurisdiction);
  return {
    shard: (identity) => {
      const namespace = within(bindings.shardBuffer);
      return namespace.get(namespace.idFromName(formatShardName(identity)));
    },
    directory: () => {
      const namespace = within(bindings.directory);
      return namespace.get(namespace.idFromName(DIRECTORY_NAME));
    },
    compactor: (identity) => {
      const namespace = within(bindings.compactor);
      return namespace.get(namespace.idFromName(formatCompactorName(identity)));
    },
  };
}

/** Opens the archive's store with the rights of one of its users. */
export function openArchiveStore(
  bindings: Bindings,
  config: Pick<Config, "archive" | "storeTimeout">,
  access: StoreAccess,
): ObjectStore {
  const { storage } = config.archive;
  const timeout = secondsToMillis(config.storeTimeout);
  return openStore(storage, { access, bucket: bindings.buckets[storage.name], timeout });
}

/** What the doctor examines: every group that is set, opened when it is its turn. */
export function openDoctorGroups(bindings: Bindings, config: Config): readonly DoctorGroup[] {
  const timeout = secondsToMillis(config.storeTimeout);
  return [config.archive.storage, config.media, config.tableExport].flatMap((group) => {
    if (group === null) return [];
    const open = (access: StoreAccess): ObjectStore =>
      openStore(group, { access, bucket: bindings.buckets[group.name], timeout });
    return [{ group, dialect: group.write.kind === "s3" ? findDialectName(group.write) : null, open }];
  });
}
