/** Makes the bucket of an S3 server, by a client that is not Firn's. */
import { AwsClient } from "aws4fetch";
import type { S3Server } from "./contract.ts";

const ATTEMPTS = 20;
const PAUSE_MILLIS = 500;

/** Makes it; a server that has just been started may want to be asked again. */
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
