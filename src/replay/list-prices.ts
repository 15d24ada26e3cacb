/**
 * What stores charge for reading, before discounts and free tiers: the one table of list prices, in US dollars, as they
 * stood on 2026-11-30. {@link findPrices} goes by the identity of a store; most stores have no prices that are known.
 *
 * - R2: https://developers.cloudflare.com/r2/pricing/, Standard; a list is of class A, a get of class B.
 * - S3: https://aws.amazon.com/s3/pricing/, Standard in us-east-1, and the first 10 TB a month out to the internet,
 *   which is where a Worker is. Classes for rare access charge for each GB that is read, besides.
 */

/** Prices of one store. */
export interface ListPrices {
  /** What they are prices of, and since when they stand here. */
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
  name: "Amazon S3, Standard, us-east-1, 2026-11-30",
  perMillionLists: 5,
  perMillionGets: 0.4,
  perEgressGb: 0.09,
};
const R2_HOST = /^s3:https:\/\/[^/]+\.r2\.cloudflarestorage\.com\//;
const AWS_HOST = /^s3:https:\/\/[^/]+\.amazonaws\.com(?:\.cn)?\//;

/** Finds the prices of a store; `null` for one whose prices nobody put here. @param identity - of an `ObjectStore` */
export function findPrices(identity: string): ListPrices | null {
  if (identity.startsWith("r2:") || R2_HOST.test(identity)) return R2;
  return AWS_HOST.test(identity) ? S3 : null;
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
