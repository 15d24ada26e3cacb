/**
 * A bucket of any store that speaks S3: AWS, R2, GCS, MinIO, Ceph and others. Opens it from settings; each call is a
 * file of its own, what differs between stores is `dialect.ts`'s data.
 */
import type { S3StorageConfig } from "../../config/storage-config.ts";
import { FirnError } from "../../errors.ts";
import type { ObjectStore } from "../contract.ts";
import type { Fetch } from "../http/send.ts";
import { DEFAULT_TIMEOUTS, type Timeouts } from "../with-timeout.ts";
import { awsServiceUrl, findAddress } from "./address.ts";
import type { S3Client } from "./client.ts";
import { openCredentials } from "./credentials.ts";
import { deleteObjects } from "./delete-objects.ts";
import { findDialect, listNotTaken, type S3Dialect } from "./dialect.ts";
import { getObject } from "./get-object.ts";
import { headObject } from "./head-object.ts";
import { listObjects } from "./list-objects.ts";
import { abortUpload, completeUpload, createUpload, uploadPart } from "./multipart-upload.ts";
import { putObject } from "./put-object.ts";
import { openStoreClock } from "./store-clock.ts";

/** What a store needs of its surroundings. */
export interface S3Deps {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The platform's if absent. */
  readonly fetch?: Fetch;
  /** Those of `with-timeout.ts` if absent. */
  readonly timeouts?: Timeouts;
  /** 0 to 1, for jitter; the platform's if absent. */
  readonly random?: () => number;
}

/**
 * Opens a bucket; asks nothing of it yet.
 * @throws FirnError `misconfigured` when the settings want what the store does not take
 */
export function openS3Store(config: S3StorageConfig, deps: S3Deps): ObjectStore {
  const client = openClient(config, deps);
  const { dialect } = client;
  return {
    identity: `s3:${client.address.service}/${config.bucket}`,
    traits: { createOnly: dialect.createOnly === "none" ? "checked" : "atomic", sendsMd5: true },
    put: (key, source) => putObject(client, key, source),
    get: (key, options) => getObject(client, key, options),
    head: (key) => headObject(client, key),
    list: (request) => listObjects(client, request),
    delete: (keys, options) => deleteObjects(client, keys, options),
    createMultipart: (key, contentType) => createUpload(client, key, contentType),
    putPart: (upload, number, bytes) => uploadPart(client, upload, number, bytes),
    completeMultipart: (upload, parts) => completeUpload(client, upload, parts),
    abortMultipart: (upload) => abortUpload(client, upload),
  };
}

function openClient(config: S3StorageConfig, deps: S3Deps): S3Client {
  const { now, fetch: send = (url, init) => fetch(url, init), random = Math.random } = deps;
  const { timeouts = DEFAULT_TIMEOUTS } = deps;
  const dialect = findDialect(config);
  const notTaken = listNotTaken(config, dialect);
  if (notTaken.length > 0) {
    const message = `Cannot open bucket "${config.bucket}": the store does not take ${notTaken.join(", ")}`;
    throw new FirnError("misconfigured", `${message}, expected settings without`);
  }
  const address = findAddress(config);
  const clock = openStoreClock(now);
  const endpoint = stsEndpointOf(config, dialect, address.service);
  const sts = { fetch: send, clock, endpoint, region: config.region };
  const credentials = openCredentials(config.credentials, sts, random);
  return { config, dialect, address, credentials, clock, fetch: send, timeouts, derivedKeys: new Map() };
}

function stsEndpointOf({ credentials, region }: S3StorageConfig, dialect: S3Dialect, service: string): string {
  const set = credentials.role?.stsEndpoint ?? null;
  if (set !== null) return set.replace(/\/+$/, "");
  return dialect.servesSts ? service : awsServiceUrl("sts", region);
}
