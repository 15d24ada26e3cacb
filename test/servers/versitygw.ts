/** versitygw, an S3 server in Go that keeps objects as files: verifies signatures, body hashes, MD5 and checksums. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { findFreePort } from "../../scripts/local-firn.ts";
import type { S3Server, Started } from "./contract.ts";
import { findGoProgram } from "./go-program.ts";
import { makeBucket, ownServer } from "./s3-bucket.ts";
import { makeDirectory, startPrepared } from "./server-process.ts";

const PROGRAM = { name: "versitygw", module: "github.com/versity/versitygw/cmd/versitygw", version: "v1.8.0" };

/** A running versitygw, and where it keeps its objects (`data/<bucket>/<key>`) and its `log`. */
export interface StartedVersitygw extends Started<S3Server> {
  readonly directory: string;
}

/**
 * Starts it on an empty directory; `null` where it is not there and cannot be built.
 * @param options - whether its log has a line for each request
 */
export async function startVersitygw(
  options: { readonly logsRequests: boolean } = { logsRequests: false },
): Promise<StartedVersitygw | null> {
  const binary = await findGoProgram(PROGRAM);
  if (binary === null) return null;
  const directory = makeDirectory("versitygw");
  const port = await findFreePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const server = ownServer(endpoint);
  const data = join(directory, "data");
  const sidecar = join(directory, "metadata");
  mkdirSync(data);
  mkdirSync(sidecar);
  const quiet = options.logsRequests ? [] : ["--quiet"];
  const command = {
    file: binary,
    args: ["--port", `127.0.0.1:${port}`, "--keep-alive", ...quiet, "posix", "--sidecar", sidecar, data],
    env: { ROOT_ACCESS_KEY_ID: server.accessKeyId, ROOT_SECRET_ACCESS_KEY: server.secretAccessKey },
    probeUrl: endpoint,
  };
  const { stop } = await startPrepared(directory, command, () => makeBucket(server));
  return { server, directory, stop };
}
