/**
 * Who may compact and delete under a prefix: `_firn/owner` names one deployment and an epoch (protocol 1). It is
 * created if it is absent. Taking over is an act of a tenant's administrator, reaches no other tenant, and raises the
 * epoch: `_firn/owners/<tenant>` then counts for that tenant.
 */
import { decodeDocument, memberOf, toCount, toHex, toText } from "../archive/json-fields.ts";
import { formatOwnerKey, formatTenantOwnerKey } from "../archive/firn-keys.ts";
import type { Layout } from "../archive/key.ts";
import { FirnError } from "../errors.ts";
import { KIB } from "../units.ts";
import type { ObjectInfo, ObjectStore } from "../object-store/contract.ts";
import type { Compactor } from "./compactor.ts";
import { putOwn, readOwn } from "./firn-object.ts";

/** What the owner file says. */
export interface Owner {
  /** Where it says so. */
  readonly key: string;
  /** Of what stands there; `null` when the store gives none. */
  readonly etag: string | null;
  /** 32 hex digits. */
  readonly deployment: string;
  /** 1 and up. */
  readonly epoch: number;
  /** When it was written, ISO 8601. */
  readonly since: string;
}

/** Where an owner is named. */
export interface OwnerPlace {
  readonly store: ObjectStore;
  /** Of the tenant. */
  readonly layout: Layout;
}

const DEPLOYMENT_DIGITS = 32;
/** Create-only puts race with take-overs; more rounds than this are no race. */
const MAX_ROUNDS = 8;

/** Reads a tenant's owner; `null` when there is none. @throws FirnError `corrupt_object`, `unknown_format` */
export async function readOwner({ store, layout }: OwnerPlace): Promise<Owner | null> {
  for (const key of [formatTenantOwnerKey(layout), formatOwnerKey(layout)]) {
    const info = await store.head(key);
    const document = info === null ? null : await readIfThere(store, info);
    if (info === null || document === null) continue;
    const field = decodeDocument(document, "owner", KIB);
    return {
      key,
      etag: info.etag,
      deployment: toHex(memberOf(field, "deployment"), DEPLOYMENT_DIGITS),
      epoch: toCount(memberOf(field, "epoch"), 1),
      since: toText(memberOf(field, "since")),
    };
  }
  return null;
}

/** @returns `null` when it vanished since it was looked at */
async function readIfThere(store: ObjectStore, { key, length }: ObjectInfo): Promise<Uint8Array | null> {
  try {
    return await readOwn(store, key, length);
  } catch (error) {
    if (error instanceof FirnError && error.kind === "object_not_found") return null;
    throw error;
  }
}

/**
 * Says in which epoch this deployment owns the archive, which it does from the first time on if nobody else does.
 * @returns the deployment and its epoch
 * @throws FirnError `misconfigured` with a sentence for the operator when another one does
 */
export async function ownedEpoch(compactor: Compactor): Promise<readonly [deployment: string, epoch: number]> {
  const { store, layout, now } = compactor.deps;
  const deployment = await compactor.deps.deployment();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const owner = await readOwner({ store, layout });
    if (owner === null) {
      // An owner that vanished is put back in the epoch that it had here.
      const epoch = compactor.epoch ?? 1;
      await writeOwner(store, { key: formatOwnerKey(layout), deployment, epoch, since: toIso(now()) });
      continue;
    }
    if (owner.deployment !== deployment) {
      throw new FirnError("misconfigured", refusalOf(owner), { field: "ARCHIVE_PREFIX" });
    }
    compactor.epoch = owner.epoch;
    return [deployment, owner.epoch];
  }
  throw new FirnError("store_unavailable", `Cannot read "${formatOwnerKey(layout)}": it does not stay where it is put`);
}

/**
 * Makes this deployment the owner of a tenant's archive, whoever was it before: an administrator's act. A deployment
 * that was the owner stops at its next look, and can publish nothing in between that would stand beside what is
 * published under the new epoch.
 */
export async function takeOver(place: OwnerPlace, deployment: string, now: number): Promise<Owner> {
  const key = formatTenantOwnerKey(place.layout);
  let epoch = 0;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const before = await readOwner(place);
    // Compactors of other signals may have taken the tenant over meanwhile: a higher epoch serves as well.
    if (before?.deployment === deployment && epoch > 0 && before.epoch >= epoch) return before;
    // An owner that was deleted by hand may have been forgotten in a lower epoch: taking over again raises it.
    epoch = Math.max(epoch, before?.epoch ?? 0) + 1;
    if (before?.key === key && !(await deleteOwner(place.store, before))) continue;
    await writeOwner(place.store, { key, deployment, epoch, since: toIso(now) });
  }
  throw new FirnError("store_unavailable", "Cannot take the archive over: another deployment takes it back");
}

/** Deletes the owner that was read, and no later one, whose epoch is higher. @returns whether it is gone */
async function deleteOwner(store: ObjectStore, { key, etag }: Owner): Promise<boolean> {
  try {
    await store.delete([key], etag === null ? {} : { ifMatch: etag });
    return true;
  } catch (error) {
    if (error instanceof FirnError && error.kind === "object_changed") return false;
    throw error;
  }
}

/** Makes the Compactor's deployment the owner. */
export async function takeOwnership(compactor: Compactor): Promise<void> {
  const { store, layout, now, deployment } = compactor.deps;
  compactor.epoch = (await takeOver({ store, layout }, await deployment(), now())).epoch;
  compactor.refusal = null;
}

async function writeOwner(store: ObjectStore, { key, deployment, epoch, since }: Omit<Owner, "etag">): Promise<void> {
  const text = `${JSON.stringify({ format: 1, deployment, epoch, since })}\n`;
  await putOwn(store, key, new TextEncoder().encode(text));
}

function refusalOf({ key, deployment, epoch, since }: Owner): string {
  const found = `"${key}" names deployment ${deployment} (epoch ${epoch}, since ${since})`;
  const remedy = "use another ARCHIVE_PREFIX or take the archive over";
  return `Cannot compact this archive: ${found}, expected this one; ${remedy}`;
}

function toIso(time: number): string {
  return new Date(time).toISOString();
}
