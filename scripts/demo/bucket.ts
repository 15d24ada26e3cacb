/**
 * The archive's bucket as any S3 client sees it: the local R2 simulator speaks S3 with the credentials of
 * `wrangler.toml`. https://developers.cloudflare.com/r2/api/s3/api/
 */
import { AwsClient } from "aws4fetch";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { listItems, toObject, type Item, type Json, type Signal } from "../otlp-items.ts";
import { decodeProtobuf } from "../otlp-protobuf.ts";

const BUCKET = "telemetry";
/** Pages of a listing; a demo has one. */
const MAX_PAGES = 100;

/** An object in the bucket. */
export interface BucketObject {
  readonly key: string;
  readonly sizeBytes: number;
}

/** A bucket that can be listed and read. */
export interface Bucket {
  readonly url: string;
  /** All keys that start with a prefix; every key without one. */
  readonly list: (prefix?: string) => Promise<readonly BucketObject[]>;
  readonly get: (key: string) => Promise<Uint8Array>;
}

/** What a bucket is opened with. */
export interface BucketKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** Opens the bucket of a local Firn. */
export function openLocalBucket(firnUrl: string): Bucket {
  const keys = { accessKeyId: "test", secretAccessKey: "testtest", region: "auto" };
  return openBucket(`${firnUrl}/cdn-cgi/local/r2/s3/${BUCKET}`, keys);
}

/** Opens any bucket. @param url - in path style, without a slash at its end */
export function openBucket(url: string, { accessKeyId, secretAccessKey, region }: BucketKeys): Bucket {
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3" });
  const fetchOk = async (target: string): Promise<Response> => {
    const response = await client.fetch(target);
    if (!response.ok) throw new Error(`Cannot read ${target}: status ${response.status}, ${await response.text()}`);
    return response;
  };
  return {
    url,
    list: async (prefix = "") => {
      const objects: BucketObject[] = [];
      let token = "";
      for (let page = 0; page < MAX_PAGES; page++) {
        // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
        const more = token === "" ? "" : `&continuation-token=${encodeURIComponent(token)}`;
        const xml = await (await fetchOk(`${url}/?list-type=2&prefix=${encodeURIComponent(prefix)}${more}`)).text();
        for (const [, entry = ""] of xml.matchAll(/<Contents>(.*?)<\/Contents>/gs))
          objects.push({ key: readTag(entry, "Key"), sizeBytes: Number(readTag(entry, "Size")) });
        token = readTag(xml, "NextContinuationToken");
        if (token === "") return objects;
      }
      throw new Error(`Cannot list ${url}: more than ${MAX_PAGES} pages`);
    },
    get: async (key) => new Uint8Array(await (await fetchOk(`${url}/${encodeKey(key)}`)).arrayBuffer()),
  };
}

/** Counts the items of an object with nothing but a decompressor and an OTLP decoder. */
export function countObjectItems(signal: Signal, key: string, stored: Uint8Array): number {
  return listObjectItems(signal, key, stored).length;
}

/** Lists the items of an object in the same way. */
export function listObjectItems(signal: Signal, key: string, stored: Uint8Array): readonly Item[] {
  const raw = key.endsWith(".gz") ? gunzipSync(stored) : key.endsWith(".zst") ? zstdDecompressSync(stored) : stored;
  const request = key.includes(".json")
    ? toObject(JSON.parse(new TextDecoder().decode(raw)) as Json)
    : decodeProtobuf(signal, raw);
  return listItems(signal, request);
}

function readTag(xml: string, name: string): string {
  const text = new RegExp(`<${name}>(.*?)</${name}>`, "s").exec(xml)?.[1] ?? "";
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

/** Encodes a key for a signed URL: every character that S3 does not leave alone, segment by segment. */
export function encodeKey(key: string): string {
  return key.split("/").map(encodeURIComponent).join("/");
}
