/** MinIO, built from the Go module registry: minutes, so that only `npm run test:stores` asks for it. */
import { join } from "node:path";
import { findFreePort } from "../../scripts/local-firn.ts";
import type { S3Server, Started } from "./contract.ts";
import { findGoProgram } from "./go-program.ts";
import { makeBucket, ownServer } from "./s3-bucket.ts";
import { makeDirectory, startPrepared } from "./server-process.ts";

/** The newest version that the module registry knows. */
const PROGRAM = { name: "minio", module: "github.com/minio/minio", version: "latest" };

/** Starts it on an empty directory; `null` without Go. */
export async function startMinio(): Promise<Started<S3Server> | null> {
  const binary = await findGoProgram(PROGRAM);
  if (binary === null) return null;
  const directory = makeDirectory("minio");
  const port = await findFreePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const server = ownServer(endpoint);
  const command = {
    file: binary,
    args: ["server", "--quiet", "--address", `127.0.0.1:${port}`, join(directory, "data")],
    env: { MINIO_ROOT_USER: server.accessKeyId, MINIO_ROOT_PASSWORD: server.secretAccessKey, MINIO_BROWSER: "off" },
    probeUrl: `${endpoint}/minio/health/live`,
  };
  const { stop } = await startPrepared(directory, command, () => makeBucket(server));
  return { server, stop };
}
