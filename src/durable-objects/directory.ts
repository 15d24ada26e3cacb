/** The Directory: one Durable Object that lists all shards. Its table and rules are `buffer/directory.ts`. */
import { DurableObject } from "cloudflare:workers";
import type { DirectoryContract, DirectoryFilter, DirectoryPage, ShardIdentity } from "../buffer/contract.ts";
import { createDirectory, listShards, registerShard } from "../buffer/directory.ts";

/** Name of the one Directory. */
export const DIRECTORY_NAME = "directory";

export class Directory extends DurableObject<Env> implements DirectoryContract {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    createDirectory(ctx.storage);
  }

  async register(identity: ShardIdentity): Promise<void> {
    registerShard(this.ctx.storage, identity, Date.now());
    await this.ctx.storage.sync();
  }

  async list(filter: DirectoryFilter): Promise<DirectoryPage> {
    return listShards(this.ctx.storage, filter);
  }
}
