/**
 * What stores charge for reading, before discounts and free tiers: the one table of list prices, in US dollars, as they
 * were looked up on 2026-11-30. {@link findPrices} goes by the identity of a store; most stores have no prices that are
 * known.
 *
 * - R2: https://developers.cloudflare.com/r2/pricing/, Standard; `ListObjects` is of class A, `GetObject` of class B.
 * - S3: Standard in us-east-1, https://c3x.dev/blog/s3-request-fees-explained for requests, since AWS's own page,
 *   https://aws.amazon.com/s3/pricing/, has its tables only in a browser. Unchecked for that reason: the first 10 TB a
 *   month out to the internet, which is where a Worker is. Classes for rare access charge for each GB that is read.
 * - Google Cloud Storage: https://cloud.google.com/storage/pricing as of 2026-09-20, Standard in one region; a list is
 *   of class A, a get of class B, and the first 10 TiB a month out to the internet cost $0.12 for a GiB.
 *
 * Not here: Azure, whose prices were found at no place that says for which region and redundancy, and AWS in China,
 * which charges in yuan.
 */

/** Prices of one store. */
export interface ListPrices {
  /** What they are prices of, and when they were looked up. */
  readonly name: string;
  readonly perMillionLists: number;
  readonly perMillionGets: number;
  /** For 10⁹ bytes that leave the store. */
  readonly perEgressGb: number;
}

const R2: ListPrices = {
  name: "Cloudflare R2, Standard, 2026-11-30",
  perMillionLists: 4.5,
  perMillionGets: 0.36,
  perEgressGb: 0,
};
const S3: ListPrices = {
  name: "Amazon S3, Standard, us-east-1, 2026-11-30, egress unchecked",
  perMillionLists: 5,
  perMillionGets: 0.4,
  perEgressGb: 0.09,
};
const GCS: ListPrices = {
  name: "Google Cloud Storage, Standard, one region, 2026-09-20",
  perMillionLists: 5,
  perMillionGets: 0.4,
  // A GiB is 1.073741824 GB.
  perEgressGb: 0.1118,
};
const R2_HOST = /^s3:https:\/\/[^/]+\.r2\.cloudflarestorage\.com\//;
const AWS_HOST = /^s3:https:\/\/[^/]+\.amazonaws\.com\//;
const GOOGLE_HOST = /^s3:https:\/\/(?:[^/]+\.)?storage\.googleapis\.com\//;

/** Finds the prices of a store; `null` for one whose prices nobody put here. @param identity - of an `ObjectStore` */
export function findPrices(identity: string): ListPrices | null {
  if (identity.startsWith("r2:") || R2_HOST.test(identity)) return R2;
  if (AWS_HOST.test(identity)) return S3;
  return GOOGLE_HOST.test(identity) ? GCS : null;
}

/** What reading costs, each in US dollars. */
export interface Cost {
  readonly list: number;
  readonly get: number;
  readonly egress: number;
  readonly total: number;
  readonly prices: string;
}

/** Computes what calls and bytes cost, to a millionth of a dollar. */
export function toCost(
  { name, perMillionLists, perMillionGets, perEgressGb }: ListPrices,
  { lists, gets, egressBytes }: { readonly lists: number; readonly gets: number; readonly egressBytes: number },
): Cost {
  const list = round((lists * perMillionLists) / 1e6);
  const get = round((gets * perMillionGets) / 1e6);
  const egress = round((egressBytes * perEgressGb) / 1e9);
  return { list, get, egress, total: round(list + get + egress), prices: name };
}

function round(dollars: number): number {
  return Math.ceil(dollars * 1e6 - 1e-9) / 1e6;
}
