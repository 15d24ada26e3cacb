/**
 * The Directory: one Durable Object that lists all shards and names the deployment. Its table and rules are
 * `buffer/directory.ts`.
 */
import { DurableObject } from "cloudflare:workers";
import type { DirectoryContract, DirectoryFilter, DirectoryPage, ShardIdentity } from "../buffer/contract.ts";
import { createDirectory, keepDeploymentId, listShards, registerShard } from "../buffer/directory.ts";

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

  async deploymentId(): Promise<string> {
    const id = keepDeploymentId(this.ctx.storage, newDeploymentId);
    await this.ctx.storage.sync();
    return id;
  }
}

/** 128 random bits in hex (protocol 1). */
function newDeploymentId(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toHex();
}
