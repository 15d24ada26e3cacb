import { describe, expect, inject, it } from "vitest";
import type { DoctorDocument } from "../../../../src/admin/doctor/document.ts";
import { examine } from "../../../../src/admin/doctor/doctor.ts";
import type { StorageConfig, StoreAccess } from "../../../../src/config/storage-config.ts";
import type { ObjectStore } from "../../../../src/object-store/contract.ts";
import { openStore } from "../../../../src/object-store/open-store.ts";
import { findDialectName } from "../../../../src/object-store/s3/dialect.ts";
import { millis } from "../../../../src/units.ts";
import { configOf } from "../../../object-store/s3/s3-kit.ts";
import { AZURE, CONFIG, groupOf } from "../groups.ts";

const { versitygw, r2Simulator, azurite } = inject("servers");
const AZURITE = {
  ...AZURE,
  container: azurite.container,
  account: azurite.account,
  endpoint: azurite.endpoint,
  credential: { kind: "key", key: Uint8Array.fromBase64(azurite.accountKey) },
} as const;

/** Examines a store as the roots do, with the real clock and network. */
async function examineStore(config: StorageConfig, read: StorageConfig = config): Promise<DoctorDocument> {
  const group = groupOf(config, { read });
  const open = (access: StoreAccess): ObjectStore =>
    openStore(group, { access, bucket: undefined, timeout: millis(5_000) });
  const dialect = config.kind === "s3" ? findDialectName(config) : null;
  return examine({ config: CONFIG, warnings: [], groups: [{ group, dialect, open }], expirationDays: null }, "");
}

const STORES: readonly (readonly [string, StorageConfig])[] = [
  ["the R2 simulator", configOf(r2Simulator, { dialect: "r2" })],
  ["Azurite", AZURITE],
  ...(versitygw === null ? [] : [["versitygw", configOf(versitygw, { dialect: "minio" })] as const]),
];

describe("examine()", () => {
  it.each(STORES)("finds %s well, and leaves nothing behind", async (_name, config) => {
    const { ok, errors, warnings, stores } = await examineStore(config);

    expect([errors, warnings, ok]).toEqual([[], [], true]);
    expect(stores[0]?.steps.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 10 }, () => "ok"));
    const left = await openStore(groupOf(config), {
      access: "read",
      bucket: undefined,
      timeout: millis(5_000),
    }).list({ prefix: "firn/_firn/doctor/" });
    expect(left.objects).toEqual([]);
  });

  it("says which permissions a wrong key lacks, and not the key", async () => {
    const config = configOf(r2Simulator, { dialect: "r2" });
    const keys = { accessKeyId: r2Simulator.accessKeyId, secretAccessKey: "canary-wrong-7f3a", sessionToken: null };
    const wrong = { ...config, credentials: { kind: "keys", keys, role: null } } as const;

    const document = await examineStore(config, wrong);

    const failed = document.stores[0]?.steps.filter(({ outcome }) => outcome === "failed") ?? [];
    expect(failed.map(({ access, step }) => `${access} ${step}`)).toEqual(["read get", "read range", "read list"]);
    for (const step of failed) {
      expect(step).toMatchObject({ kind: "store_refused", permissions: ["Object Read only"] });
    }
    expect(JSON.stringify(document)).not.toContain("canary");
  });

  it("tells of a bucket that is not there", async () => {
    const { ok, errors } = await examineStore({ ...AZURITE, container: "not-there", createsContainer: false });

    expect(ok).toBe(false);
    expect(errors[0]).toContain("ContainerNotFound");
  });
});
