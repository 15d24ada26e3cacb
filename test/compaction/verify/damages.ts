/** Ways to break an archive, each with the findings of a scrub. */
import type { FindingKind, VerifyDeps } from "../../../src/compaction/verify/contract.ts";
import { parseKey, formatKey } from "../../../src/archive/key.ts";
import { formatClaimKey } from "../../../src/archive/firn-keys.ts";
import { FirnError } from "../../../src/errors.ts";
import { bytes, HOUR, millis, MINUTE } from "../../../src/units.ts";
import { HOUR_14 } from "../bucket.ts";
import { type CompactorKit } from "../compactor-kit.ts";
import { change, copyAs, flip, leaveOrphan, publishNext, put, sourceKey, truncate } from "./damage-tools.ts";
import { depsOf, nth, objectOf, partsOf, putFresh } from "./verify-kit.ts";

const HOUR_PREFIX = "p/year=2026/month=05/day=01/hour=14/";

/** One way. */
export interface Damage {
  readonly what: string;
  readonly damage: (kit: CompactorKit) => unknown;
  readonly kinds: readonly FindingKind[];
  readonly heals?: boolean;
  readonly deps?: (kit: CompactorKit) => Partial<VerifyDeps>;
}

export const DAMAGES: readonly Damage[] = [
  {
    what: "a flipped bit in an output",
    damage: (kit) => flip(kit.bucket, nth(partsOf(kit).outputs, 0)),
    kinds: ["damaged_output"],
  },
  {
    what: "a flipped bit in the last byte of an output",
    damage: (kit) => flip(kit.bucket, nth(partsOf(kit).outputs, 0), 0.999),
    kinds: ["damaged_output"],
  },
  {
    what: "a truncated output",
    damage: (kit) => truncate(kit.bucket, nth(partsOf(kit).outputs, 0)),
    kinds: ["damaged_output"],
  },
  {
    what: "a deleted output",
    damage: (kit) => kit.bucket.store.objects.delete(nth(partsOf(kit).outputs, 1)),
    kinds: ["missing_output"],
  },
  {
    what: "an output that the lifecycle of the bucket deleted",
    damage: (kit) => kit.bucket.store.objects.delete(nth(partsOf(kit).outputs, 1)),
    deps: () => ({ bucketExpiration: HOUR }),
    kinds: ["expired_output"],
  },
  {
    what: "a deleted member table",
    damage: (kit) => kit.bucket.store.objects.delete(nth(partsOf(kit).tables, 0)),
    kinds: ["missing_member_table"],
    heals: true,
  },
  {
    what: "a flipped bit in a member table",
    damage: (kit) => flip(kit.bucket, nth(partsOf(kit).tables, 0)),
    kinds: ["damaged_member_table"],
    heals: true,
  },
  {
    what: "a deleted trace index",
    damage: (kit) => kit.bucket.store.objects.delete(nth(partsOf(kit).indexes, 0)),
    kinds: ["missing_trace_index"],
    heals: true,
  },
  {
    what: "a flipped bit in a trace index",
    damage: (kit) => flip(kit.bucket, nth(partsOf(kit).indexes, 1)),
    kinds: ["damaged_trace_index"],
    heals: true,
  },
  {
    what: "a trace index that the newest manifest does not name",
    damage: (kit) => publishNext(kit, (manifest) => ({ ...manifest, indexes: manifest.indexes.slice(1) })),
    kinds: ["orphan_file"],
    heals: true,
  },
  {
    what: "a file among the indexes that is none",
    damage: (kit) => put(kit.bucket, nth(partsOf(kit).indexes, 0).replace(".trace", ".bak")),
    kinds: ["unknown_file"],
  },
  {
    what: "a member table without output",
    damage: async (kit) => {
      const table = nth(partsOf(kit).tables, 0);
      await copyAs(kit, table, table.replace(/-[0-9a-f]{8}\.json$/, "-0000ffff.json"));
    },
    kinds: ["orphan_file"],
    heals: true,
  },
  {
    what: "a part of foreign sources that no manifest names",
    damage: async (kit) => put(kit.bucket, nth(partsOf(kit).tables, 0).replace(".json", "-foreign-0.json")),
    kinds: ["orphan_file"],
  },
  {
    what: "files below _firn/ that are not Firn's",
    damage: (kit) => {
      put(kit.bucket, nth(partsOf(kit).tables, 0).replace(".json", ".bak"));
      put(kit.bucket, nth(partsOf(kit).manifests, 0).replace(".json", ".bak"));
    },
    kinds: ["unknown_file", "unknown_file"],
  },
  {
    what: "a deleted claim",
    damage: (kit) => kit.bucket.store.objects.delete(nth(partsOf(kit).claims, 0)),
    kinds: ["missing_claim"],
    heals: true,
  },
  {
    what: "a flipped bit in a claim",
    damage: (kit) => change(kit.bucket, nth(partsOf(kit).claims, 1), (claim) => claim.with(0, 0x20)),
    kinds: ["damaged_claim"],
    heals: true,
  },
  {
    what: "a deleted manifest in the middle",
    damage: (kit) => kit.bucket.store.objects.delete(nth(partsOf(kit).manifests, 0)),
    kinds: ["missing_manifest"],
    heals: true,
  },
  {
    what: "a flipped bit in the newest manifest",
    damage: (kit) => flip(kit.bucket, nth(partsOf(kit).manifests, 1)),
    kinds: ["damaged_manifest"],
    heals: true,
  },
  {
    what: "a truncated manifest whose claim is truncated too",
    damage: (kit) =>
      [partsOf(kit).manifests, partsOf(kit).claims].forEach((keys) => truncate(kit.bucket, nth(keys, 1))),
    kinds: ["damaged_manifest"],
  },
  {
    what: "the newest manifest deleted, its claim left",
    damage: (kit) => kit.bucket.store.objects.delete(nth(partsOf(kit).manifests, 1)),
    kinds: ["unfinished_publication", "orphan_output", "sequence_gap"],
    heals: true,
  },
  {
    what: "a claim that nobody can follow",
    damage: (kit) => put(kit.bucket, formatClaimKey(3, kit.bucket.layout, "traces", HOUR_14)),
    kinds: ["damaged_claim"],
  },
  {
    what: "a doubled generation",
    damage: async (kit) => {
      const key = nth(partsOf(kit).manifests, 1);
      await copyAs(kit, key, key.replace(/-[0-9a-f]{16}/, "-0000000000000000"));
    },
    kinds: ["doubled_generation"],
  },
  {
    what: "a generation that names another parent",
    damage: (kit) => publishNext(kit, (manifest) => ({ ...manifest, parent: "0".repeat(64) })),
    kinds: ["broken_chain"],
  },
  {
    what: "a generation that forgets sources",
    damage: (kit) => publishNext(kit, (manifest) => ({ ...manifest, sources: [] })),
    kinds: ["broken_chain"],
  },
  {
    what: "a manifest of a later format",
    damage: (kit) =>
      publishNext(
        kit,
        (manifest) => manifest,
        (text) => text.replace('"format":1', '"format":2'),
      ),
    kinds: ["unknown_format"],
  },
  {
    what: "minutes whose digests are exchanged",
    damage: (kit) =>
      publishNext(kit, (manifest) => {
        const [three, seven, last] = manifest.minutes;
        if (three === undefined || seven === undefined || last === undefined) throw new Error("minutes are missing");
        const minutes = [three, { ...seven, digest: last.digest }, { ...last, digest: seven.digest }];
        return { ...manifest, minutes };
      }),
    kinds: ["wrong_manifest"],
  },
  {
    what: "a missing part of foreign sources",
    damage: (kit) =>
      publishNext(kit, (manifest) => {
        const part = { key: `${HOUR_PREFIX}part`, sizeBytes: bytes(10), sha256: "0".repeat(64), count: 1 };
        return { ...manifest, foreignSources: [part] };
      }),
    kinds: ["damaged_foreign_part"],
  },
  {
    what: "a source that came back",
    damage: (kit) => copyAs(kit, partsOf(kit).fresh, sourceKey(kit)),
    kinds: ["leftover_source"],
    heals: true,
  },
  {
    what: "an output that an attempt left behind",
    damage: leaveOrphan,
    kinds: ["orphan_output"],
    heals: true,
  },
  {
    what: "a flipped bit in a fresh object",
    damage: (kit) => flip(kit.bucket, partsOf(kit).fresh),
    kinds: ["unreadable_object"],
  },
  {
    what: "a truncated fresh object",
    damage: (kit) => truncate(kit.bucket, partsOf(kit).fresh),
    kinds: ["unreadable_object"],
  },
  {
    what: "a fresh object with sound bytes that are not its own",
    damage: async (kit) => {
      const other = await putFresh(kit.bucket, 9, ["item-7"]);
      change(kit.bucket, partsOf(kit).fresh, () => objectOf(kit.bucket, other).bytes);
    },
    kinds: ["damaged_object"],
  },
  {
    what: "a fresh object that is listed and gone",
    damage: () => undefined,
    deps: (kit) => ({
      store: { ...kit.bucket.store, head: async (key) => (key.includes("Z-f") ? null : kit.bucket.store.head(key)) },
    }),
    kinds: ["vanished_object"],
  },
  {
    what: "a fresh object in a cold storage class",
    damage: () => undefined,
    deps: (kit) => ({
      store: {
        ...kit.bucket.store,
        get: async (key, options) => {
          if (key.includes("Z-f")) throw new FirnError("object_frozen", "it lies in GLACIER");
          return kit.bucket.store.get(key, options);
        },
      },
    }),
    kinds: ["frozen_object"],
  },
  {
    what: "a missing number",
    damage: async (kit) => {
      kit.bucket.store.objects.delete(await putFresh(kit.bucket, 9, ["item-7"]));
      await putFresh(kit.bucket, 10, ["item-8"]);
    },
    kinds: ["sequence_gap"],
  },
  {
    what: "a number that comes twice",
    damage: async (kit) => {
      const own = parseKey(partsOf(kit).fresh, kit.bucket.layout);
      if (own?.kind !== "fresh") throw new Error("it is no fresh object");
      const twin = { ...own, sealTime: millis(own.sealTime + MINUTE) };
      await copyAs(kit, partsOf(kit).fresh, formatKey(twin, kit.bucket.layout));
    },
    kinds: ["doubled_sequence"],
  },
  {
    what: "keys of no partition",
    damage: (kit) => {
      put(kit.bucket, `${HOUR_PREFIX}readme.txt`);
      put(kit.bucket, `${HOUR_PREFIX}minute=99/traces_1.binpb`);
    },
    kinds: ["foreign_key", "foreign_key"],
  },
  {
    what: "an upload that the Compactor failed to give up",
    damage: () => undefined,
    deps: (kit) => ({
      askCompactor: async (signal, hour) => {
        const knowledge = await depsOf(kit).askCompactor(signal, hour);
        return knowledge === null ? null : { ...knowledge, unfinishedUploads: ["x"] };
      },
    }),
    kinds: ["unfinished_upload"],
  },
];
