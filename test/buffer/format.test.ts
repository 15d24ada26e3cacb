/** The format of a shard's storage: releases that don't know it stop instead of sealing wrongly (protocol 5.12). */
import { expect, it } from "vitest";
import type { AppendHead } from "../../src/buffer/contract.ts";
import { readMeta, writeMeta } from "../../src/buffer/schema.ts";
import { makeMember, withShard, type ShardKit } from "./shard-kit.ts";

const JSON_FORM: AppendHead["form"] = { marshaler: "otlp_json", compression: "none" };
const formatOf = (kit: ShardKit): unknown => Reflect.get(Object(readMeta(kit.storage, "shard")), "format");

it("openShard() stops at storage that a newer release wrote", async () => {
  await withShard(async (kit) => {
    await kit.append(makeMember(1));
    const self = readMeta(kit.storage, "shard");
    writeMeta(kit.storage, () => undefined, "shard", { ...Object(self), format: 3 });

    await expect(kit.restart()).rejects.toMatchObject({ kind: "unknown_format" });
  });
});

it("append() keeps the oldest format that can hold its batches", async () => {
  await withShard(async (kit) => {
    await kit.append(makeMember(1));
    expect(formatOf(kit)).toBe(1);

    await kit.restart();
    await kit.append(makeMember(2), { form: JSON_FORM });
    expect(formatOf(kit)).toBe(2);

    await kit.restart();
    await kit.append(makeMember(3));
    expect(formatOf(kit)).toBe(2);
  });
});

it("append() raises the format with the first batch of a single request", async () => {
  await withShard(async (kit) => {
    await kit.append(makeMember(1), { identity: { tenant: "", signal: "profiles", shard: 0 } });

    expect(formatOf(kit)).toBe(2);
  });
});
