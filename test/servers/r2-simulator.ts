/** The S3 endpoint of wrangler's R2 simulator: a whole local Firn, of which only its bucket is used. */
import { findFreePort, startLocalFirn } from "../../scripts/local-firn.ts";
import type { S3Server, Started } from "./contract.ts";
import { makeDirectory, removeDirectory } from "./server-process.ts";

/** Starts it. Credentials and bucket are those of `wrangler.toml`. */
export async function startR2Simulator(): Promise<Started<S3Server>> {
  const directory = makeDirectory("r2");
  const firn = await startLocalFirn({ port: await findFreePort(), persistTo: directory }).catch((error: unknown) => {
    removeDirectory(directory);
    throw error;
  });
  return {
    server: {
      endpoint: `${firn.url}/cdn-cgi/local/r2/s3`,
      region: "auto",
      bucket: "telemetry",
      accessKeyId: "test",
      secretAccessKey: "testtest",
    },
    stop: async () => {
      await firn.stop();
      removeDirectory(directory);
    },
  };
}
