/** Azurite, Microsoft's emulator of Azure Blob Storage. Installed by npm beside this file when it is first wanted. */
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { findFreePort } from "../../scripts/local-firn.ts";
import type { AzureServer, Started } from "./contract.ts";
import { makeDirectory, startPrepared } from "./server-process.ts";

const PROGRAM = join(import.meta.dirname, "node_modules/azurite/dist/src/blob/main.js");
const INSTALL_TIMEOUT_MILLIS = 300_000;
/** Azurite's one account, whose key is public: https://learn.microsoft.com/azure/storage/common/storage-use-azurite */
const ACCOUNT = "devstoreaccount1";
const ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const API_VERSION = "2025-11-05";
const QUIET = ["--disableTelemetry", "--silent"];

/** Starts it with everything in memory. */
export async function startAzurite(): Promise<Started<AzureServer>> {
  await install();
  const directory = makeDirectory("azurite");
  const port = await findFreePort();
  const server = {
    endpoint: `http://127.0.0.1:${port}/${ACCOUNT}`,
    account: ACCOUNT,
    accountKey: ACCOUNT_KEY,
    container: "telemetry",
  };
  const command = {
    file: process.execPath,
    args: [PROGRAM, "--blobHost", "127.0.0.1", "--blobPort", String(port), "--inMemoryPersistence", ...QUIET],
    cwd: directory,
    probeUrl: server.endpoint,
  };
  const { stop } = await startPrepared(directory, command, () => makeContainer(server));
  return { server, stop };
}

async function install(): Promise<void> {
  if (existsSync(PROGRAM)) return;
  console.warn("Installing Azurite, once");
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  await promisify(execFile)("npm", args, { cwd: import.meta.dirname, timeout: INSTALL_TIMEOUT_MILLIS });
}

/** One request by hand, so that no client stands between the server and the tests. */
async function makeContainer({ endpoint, account, container }: AzureServer): Promise<void> {
  const date = new Date().toUTCString();
  const headers = `x-ms-date:${date}\nx-ms-version:${API_VERSION}\n`;
  const resource = `/${account}/${account}/${container}\nrestype:container`;
  const signature = createHmac("sha256", Buffer.from(ACCOUNT_KEY, "base64"))
    .update(`PUT${"\n".repeat(12)}${headers}${resource}`)
    .digest("base64");
  const response = await fetch(`${endpoint}/${container}?restype=container`, {
    method: "PUT",
    headers: { "x-ms-date": date, "x-ms-version": API_VERSION, authorization: `SharedKey ${account}:${signature}` },
  });
  if (!response.ok) throw new Error(`Cannot make the container: ${response.status} ${await response.text()}`);
}
