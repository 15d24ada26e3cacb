/** What is done with any S3 server: settings of one, its bucket by a client that is not Firn's, an archive on it. */
import { AwsClient } from "aws4fetch";
import type { S3Server } from "./contract.ts";

const ATTEMPTS = 20;
const PAUSE_MILLIS = 500;

/** What the tests give a server of their own. */
export function ownServer(endpoint: string): S3Server {
  return { endpoint, region: "us-east-1", bucket: "telemetry", accessKeyId: "test", secretAccessKey: "testtest" };
}

/** Settings of an archive on a server. */
export function archiveVars(server: S3Server): Record<string, string> {
  return {
    ARCHIVE_STORE: "s3",
    ARCHIVE_ENDPOINT: server.endpoint,
    ARCHIVE_BUCKET: server.bucket,
    ARCHIVE_REGION: server.region,
    ARCHIVE_ACCESS_KEY_ID: server.accessKeyId,
    ARCHIVE_SECRET_ACCESS_KEY: server.secretAccessKey,
  };
}

/** Makes the bucket; a server that has just been started may want to be asked again. */
export async function makeBucket(server: S3Server): Promise<void> {
  const client = new AwsClient({ ...server, service: "s3", retries: 0 });
  for (let attempt = 1; ; attempt++) {
    const response = await client.fetch(`${server.endpoint}/${server.bucket}`, { method: "PUT" });
    const text = await response.text();
    if (response.ok) return;
    if (attempt === ATTEMPTS) throw new Error(`Cannot make the bucket: ${response.status} ${text}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLIS));
  }
}
