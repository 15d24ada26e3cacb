import { describe, expect, it } from "vitest";
import { examine, type DoctorDeps } from "../../../src/admin/doctor/doctor.ts";
import { formatDoctor } from "../../../src/admin/doctor/text.ts";
import type { StorageGroup } from "../../../src/config/storage-config.ts";
import { FirnError } from "../../../src/errors.ts";
import type { ObjectStore, StoreCall } from "../../../src/object-store/contract.ts";
import { openMemoryStore } from "../../../src/object-store/memory/memory-store.ts";
import { AZURE, CONFIG, groupOf, R2, S3 } from "./groups.ts";
import { openGullible } from "./stores.ts";

const ACME = { sha256Hex: "ab".repeat(32), tenant: "acme", scopes: ["admin"] } as const;

function depsOf(groups: readonly StorageGroup[], open: () => ObjectStore = () => openMemoryStore()): DoctorDeps {
  return {
    config: CONFIG,
    warnings: [],
    groups: groups.map((group) => ({ group, dialect: group.write.kind === "s3" ? "aws" : null, open })),
    expirationDays: null,
    now: () => 0,
    drawId: () => "probe-1",
    fetchDate: async () => 0,
  };
}

/** A store that fails every call in the worst words. */
function openTalkative(words: string): ObjectStore {
  const fail = (): Promise<never> => Promise.reject(new FirnError("store_refused", `Cannot do this: ${words}`));
  const calls: readonly StoreCall[] = ["put", "get", "head", "list", "delete", "createMultipart"];
  return { ...openMemoryStore(), ...Object.fromEntries(calls.map((call) => [call, fail])) };
}

function refuseToOpen(): never {
  throw new FirnError("misconfigured", "Cannot use the setting ARCHIVE_STORE: there is no binding");
}

async function refuseToDelete(): Promise<never> {
  throw new FirnError("store_refused", "Cannot delete: AccessDenied");
}

/** A text that stands nowhere by chance. */
function canary(name: string): string {
  return `canary-${name}-7f3a`;
}

describe("examine()", () => {
  it("finds all well with a good store", async () => {
    const document = await examine(depsOf([groupOf(R2)]), "");

    expect(document).toMatchObject({ ok: true, errors: [], warnings: [] });
    expect(document.stores).toMatchObject([
      { group: "ARCHIVE", store: "r2", identity: "memory:test", prefix: "firn/" },
    ]);
    expect(document.settings).toMatchObject({ ARCHIVE_STORE: "r2", ARCHIVE_BUCKET: "telemetry", SHARDS: 1 });
    expect(document.advice.lifecycle["ARCHIVE"]).toMatchObject({ Rules: [{ Filter: { Prefix: "firn/year=" } }] });
  });

  it("says what failed, and which permission it needs", async () => {
    const { ok, errors } = await examine(
      depsOf([groupOf(S3)], () => openTalkative("AccessDenied")),
      "",
    );

    expect(ok).toBe(false);
    expect(errors).toContain(
      "ARCHIVE, compact, delete: Cannot do this: AccessDenied; needs the permission s3:DeleteObject",
    );
    expect(errors[0]).toContain("needs the permission s3:PutObject and s3:GetObject");
  });

  it("says where objects are left over", async () => {
    const { warnings } = await examine(
      depsOf([groupOf(R2)], () => ({ ...openMemoryStore(), delete: refuseToDelete })),
      "",
    );

    expect(warnings).toEqual([
      'ARCHIVE: objects of the doctor may be left over below "firn/_firn/doctor/probe-1/"; delete them',
    ]);
  });

  it("recommends reading back where no digest is enforced, unless that is so already", async () => {
    const plain = await examine(
      depsOf([groupOf(R2)], () => openGullible()),
      "",
    );
    const verified = await examine(
      depsOf([groupOf(R2, { isVerifiedByReading: true })], () => openGullible()),
      "",
    );

    expect(plain.errors.join("\n")).toContain(
      "write, digest: bytes were taken under a digest that is not theirs; set ARCHIVE_VERIFY_BY_READING=true",
    );
    expect(verified.errors.join("\n")).not.toContain("set ARCHIVE_VERIFY_BY_READING");
  });

  it("tells why a store cannot be opened, and goes on with the next", async () => {
    const media = groupOf(R2, { name: "MEDIA", prefix: "media" });
    const deps = depsOf([groupOf(R2), media]);
    const [archive, ...rest] = deps.groups;

    const document = await examine(
      { ...deps, groups: archive === undefined ? [] : [{ ...archive, open: refuseToOpen }, ...rest] },
      "",
    );

    expect(document.errors).toEqual(["ARCHIVE: Cannot use the setting ARCHIVE_STORE: there is no binding"]);
    expect(document.stores.map(({ group, steps }) => [group, steps.length])).toEqual([
      ["ARCHIVE", 0],
      ["MEDIA", 10],
    ]);
  });

  it("plans all rules of a bucket that two groups share", async () => {
    const media = groupOf(S3, { name: "MEDIA", prefix: "media" });

    const { advice } = await examine(depsOf([groupOf(S3), media]), "");

    const filters = { Rules: [{ Filter: { Prefix: "firn/year=" } }, { Filter: { Prefix: "media/" } }] };
    expect(advice.lifecycle).toMatchObject({ ARCHIVE: filters, MEDIA: filters });
    expect(JSON.stringify(advice.policies["MEDIA"])).toContain("arn:aws:s3:::b/media/*");
  });

  it("tells a named tenant of its own keys only", async () => {
    const deps = { ...depsOf([groupOf(R2)]), config: { ...CONFIG, tokens: [ACME, { ...ACME, tenant: "other" }] } };
    const prefixesFor = async (tenant: string): Promise<unknown> =>
      (await examine(deps, tenant)).advice.lifecycle["ARCHIVE"];

    expect(JSON.stringify(await prefixesFor("acme"))).not.toContain("other");
    expect(await prefixesFor("acme")).toMatchObject({ Rules: [{ Filter: { Prefix: "firn/acme/year=" } }] });
    expect(await prefixesFor("")).toMatchObject({ Rules: [{}, {}, { Filter: { Prefix: "firn/other/year=" } }] });
  });

  it("passes the warnings of the settings on, and adds its own", async () => {
    const config = { ...CONFIG, allowAnonymous: true, archive: { ...CONFIG.archive, compression: "zstd" as const } };

    const { warnings } = await examine({ ...depsOf([groupOf(R2)]), config, warnings: ["as read"] }, "");

    expect(warnings[0]).toBe("as read");
    expect(warnings.join("\n")).toContain("ALLOW_ANONYMOUS is true");
    expect(warnings.join("\n")).toContain("Collectors older than v0.152");
  });

  it("shows no secret, whatever a store says", async () => {
    const key = new TextEncoder().encode(canary("key").padEnd(32, "."));
    const keys = {
      accessKeyId: canary("access"),
      secretAccessKey: canary("secret"),
      sessionToken: canary("session"),
    };
    const role = {
      arn: "arn:aws:iam::1:role/firn",
      externalId: canary("external"),
      stsEndpoint: "https://u:canary-sts-7f3a@sts",
    };
    const endpoint = "https://user:canary-password-7f3a@s3.example?token=canary-query-7f3a";
    const s3 = {
      ...S3,
      endpoint,
      credentials: { kind: "keys", keys, role },
      encryption: { kind: "sse-c", key },
    } as const;
    const web = { ...S3, credentials: { kind: "web-identity", role, token: canary("web") } } as const;
    const sas = { ...AZURE, credential: { kind: "sas", token: "sp=r&sig=canary-signature-7f3a%2B" } } as const;
    const azure = { ...AZURE, credential: { kind: "key", key } } as const;
    const words = [
      ...Object.values(keys),
      role.externalId,
      canary("web"),
      key.toBase64(),
      key.toHex(),
      sas.credential.token,
      "canary-signature-7f3a+",
    ];
    const groups = [
      groupOf(s3, { read: web, compact: web }),
      groupOf(azure, { name: "MEDIA" }),
      groupOf(sas, { name: "EXPORT" }),
    ];
    const config = { ...CONFIG, tokens: [{ ...ACME, sha256Hex: "canary-digest-7f3a", tenant: "" }] };

    for (const [index, group] of groups.entries()) {
      const own = [words.slice(0, 7), words.slice(5, 7), words.slice(7)][index] ?? [];
      const document = await examine({ ...depsOf([group], () => openTalkative(own.join(" "))), config }, "");

      for (const text of [JSON.stringify(document), formatDoctor(document)]) {
        expect(text).not.toMatch(/canary|[0-9a-f]{60}/);
        expect(text).not.toContain(key.toBase64());
        expect(text).toContain("Cannot do this: …");
      }
    }
  });
});

describe("formatDoctor()", () => {
  it("puts the verdict first, and everything after it", async () => {
    const text = formatDoctor(await examine(depsOf([groupOf(S3)]), ""));

    expect(text.split("\n", 1)).toEqual(["Firn's doctor: all is well, warnings: 0"]);
    expect(text).toMatch(/^ {2}ARCHIVE_SECRET_ACCESS_KEY +set$/m);
    for (const part of [
      'ARCHIVE: s3 (aws), memory:test, prefix "firn/"',
      "  ok       write    create_only      0 ms\n",
      "Least rights for ARCHIVE",
      "Lifecycle rules for ARCHIVE",
      "  aws s3api create-bucket --bucket b",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("shows what failed and what it needs", async () => {
    const text = formatDoctor(
      await examine(
        depsOf([groupOf(S3)], () => openTalkative("AccessDenied")),
        "",
      ),
    );

    expect(text).toMatch(/^Firn's doctor: \d of the checks failed/);
    expect(text).toContain("  failed   write    put              store_refused: Cannot do this: AccessDenied");
    expect(text).toContain("needs s3:PutObject, s3:GetObject");
    expect(text).toContain("  skipped  write    head             write, put did not succeed");
  });
});
