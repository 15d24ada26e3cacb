/** A manifest with every kind of entry, of which tests change one value at a time. */
import type { Manifest, MinuteTotals } from "../../src/archive/manifest.ts";
import type { ManifestOutput } from "../../src/archive/manifest-output.ts";
import { bytes, millis, type Millis } from "../../src/units.ts";

const PATH = "year=2026/month=05/day=01/hour=14";

export const SAMPLE_HOUR: Millis = millis(Date.UTC(2026, 4, 1, 14));

/** Two live outputs whose sums carry beyond 2¹²⁸, and a retired one that no minute counts. */
export const SAMPLE_OUTPUTS: readonly ManifestOutput[] = [
  toOutput(0, { itemCount: 12, digest: "f".repeat(32), firstMinute: 9, lastMinute: 9, services: ["cart", "checkout"] }),
  toOutput(1, {
    itemCount: 30,
    digest: `${"0".repeat(31)}3`,
    firstMinute: 10,
    lastMinute: 59,
    etag: null,
    services: null,
    minTimeUnixNano: null,
    maxTimeUnixNano: null,
  }),
  toOutput(2, { itemCount: 7, digest: "a".repeat(32), firstMinute: 3, lastMinute: 4, services: [], retired: true }),
];

export const SAMPLE_MINUTES: readonly MinuteTotals[] = [
  { minute: 9, itemCount: 12, digest: "f".repeat(32) },
  { minute: 10, itemCount: 10, digest: `${"0".repeat(31)}1` },
  { minute: 59, itemCount: 20, digest: `${"0".repeat(31)}2` },
];

export const SAMPLE_MANIFEST: Manifest = {
  deployment: "0123456789abcdef0123456789abcdef",
  epoch: 1,
  tenant: "",
  signal: "traces",
  hour: SAMPLE_HOUR,
  generation: 2,
  parent: "5".repeat(64),
  created: millis(Date.UTC(2026, 4, 1, 16, 7, 0, 123)),
  outputs: SAMPLE_OUTPUTS,
  minutes: SAMPLE_MINUTES,
  sources: [
    {
      shard: 1,
      incarnation: "9f2c4e7a",
      ranges: [
        [1, 42],
        [44, 60],
      ],
    },
    { shard: 2, incarnation: "00000001", ranges: [[7, 7]] },
  ],
  foreignSources: [
    {
      key: `a/_firn/members/-/traces/${PATH}/20260501T140000000Z-c01-7be0c1d2-00000000-foreign-0.json`,
      sizeBytes: bytes(1000),
      sha256: "6".repeat(64),
      count: 9,
    },
  ],
  foreign: [
    { key: "a/year=2026/month=05/day=01/hour=14/minute=09/traces_1.json", etag: '"abc"', sizeBytes: bytes(5) },
    { key: "a/year=2026/month=05/day=01/hour=14/minute=09/traces_2.json", etag: null, sizeBytes: bytes(6) },
  ],
  unreadable: [
    {
      key: "a/year=2026/month=05/day=01/hour=14/minute=09/traces_20260501T140930123Z-f03-9f2c4e7a-0000002a.binpb.gz",
      sizeBytes: bytes(17),
      reason: "Cannot inflate object: found no gzip header",
    },
  ],
  indexes: [
    {
      output: `a/${PATH}/traces_20260501T140000000Z-c01-7be0c1d2-00000001.binpb.zst`,
      key: `a/_firn/indexes/-/traces/${PATH}/20260501T140000000Z-c01-7be0c1d2-00000001.trace`,
      sizeBytes: bytes(36),
      sha256: "7".repeat(64),
      count: 4,
    },
  ],
};

function toOutput(number: number, values: Partial<ManifestOutput>): ManifestOutput {
  const id = `20260501T140000000Z-c01-7be0c1d2-0000000${number}`;
  return {
    key: `a/${PATH}/traces_${id}.binpb.zst`,
    sizeBytes: bytes(400 + number),
    etag: '"d41d8cd98f00b204e9800998ecf8427e"',
    sha256: String(number).repeat(64),
    rawBytes: bytes(4000),
    itemCount: 0,
    digest: "0".repeat(32),
    firstMinute: 0,
    lastMinute: 0,
    minTimeUnixNano: 1_777_644_570_123_456_789n,
    maxTimeUnixNano: 1_777_644_571_000_000_000n,
    services: [],
    members: {
      key: `a/_firn/members/-/traces/${PATH}/${id}.json`,
      sizeBytes: bytes(300),
      sha256: "e".repeat(64),
      count: 2,
    },
    retired: false,
    ...values,
  };
}
