/**
 * Ceph's S3 gateway on a cluster of one: a monitor and an object daemon in memory, without authentication among them.
 * Needs Debian's `radosgw ceph-mon ceph-osd ceph-common`, so that only `npm run test:stores` asks for it.
 */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { findFreePort } from "../../scripts/local-firn.ts";
import type { S3Server, Started } from "./contract.ts";
import { makeBucket, ownServer } from "./s3-bucket.ts";
import { makeDirectory, removeDirectory, startServer, type ServerProcess } from "./server-process.ts";

const STEP_TIMEOUT_MILLIS = 60_000;
const READY_ATTEMPTS = 40;
const READY_PAUSE_MILLIS = 500;
const AS_ROOT = ["--setuser", "root", "--setgroup", "root", "-f"];

/** Starts it with an empty cluster; `null` where Ceph is not installed. */
export async function startCephRgw(): Promise<Started<S3Server> | null> {
  if (!(await run("radosgw", ["--version"]).then(Boolean, () => false))) return null;
  const directory = makeDirectory("ceph");
  const [monitorPort, port] = [await findFreePort(), await findFreePort()];
  const [cluster, daemon] = [randomUUID(), randomUUID()];
  const conf = join(directory, "ceph.conf");
  for (const name of ["mon", "osd", "run", "rgw"]) mkdirSync(join(directory, name));
  writeFileSync(conf, formatConf({ directory, cluster, monitorPort, port }));
  const processes: ServerProcess[] = [];
  const start = async (file: string, args: readonly string[], probeUrl?: string): Promise<void> => {
    const logFile = join(directory, `${file}.log`);
    processes.push(
      await startServer({
        file,
        args: ["-c", conf, ...args, ...AS_ROOT],
        logFile,
        ...(probeUrl === undefined ? {} : { probeUrl }),
      }),
    );
  };
  const stop = async (): Promise<void> => {
    for (const process of processes.toReversed()) await process.stop();
    removeDirectory(directory);
  };
  const map = join(directory, "monmap");
  try {
    await run("monmaptool", ["--create", "--fsid", cluster, "--addv", "a", `[v1:127.0.0.1:${monitorPort}]`, map]);
    await run("ceph-mon", ["-c", conf, "--mkfs", "-i", "a", "--monmap", map]);
    await start("ceph-mon", ["-i", "a"]);
    await runOnceReady("ceph", ["-c", conf, "osd", "new", daemon, "0"]);
    await run("ceph-osd", ["-c", conf, "-i", "0", "--mkfs", "--osd-uuid", daemon, "--setuser", "root"]);
    await run("ceph", ["-c", conf, "osd", "crush", "add", "osd.0", "1", "root=default", "host=localhost"]);
    await start("ceph-osd", ["-i", "0"]);
    const user = ["--uid=test", "--display-name=test", "--access-key=test", "--secret=testtest"];
    await run("radosgw-admin", ["-c", conf, "user", "create", ...user]);
    const endpoint = `http://127.0.0.1:${port}`;
    await start("radosgw", ["-n", "client.rgw"], endpoint);
    const server = ownServer(endpoint);
    await makeBucket(server);
    return { server, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function run(file: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(file, args, { timeout: STEP_TIMEOUT_MILLIS });
  return stdout;
}

/** A monitor that has just been started has no quorum yet, and refuses. */
async function runOnceReady(file: string, args: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await run(file, args);
      return;
    } catch (error) {
      if (attempt === READY_ATTEMPTS) throw error;
      await delay(READY_PAUSE_MILLIS);
    }
  }
}

interface Place {
  readonly directory: string;
  readonly cluster: string;
  readonly monitorPort: number;
  readonly port: number;
}

function formatConf({ directory, cluster, monitorPort, port }: Place): string {
  return `[global]
fsid = ${cluster}
mon host = v1:127.0.0.1:${monitorPort}
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
ms bind msgr2 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = ${directory}/run
admin socket = ${directory}/run/$name.asok
log file = ${directory}/$name.log
pid file = ${directory}/run/$name.pid
[mon.a]
mon data = ${directory}/mon
[osd.0]
osd data = ${directory}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
[client.rgw]
rgw data = ${directory}/rgw
rgw frontends = beast endpoint=127.0.0.1:${port}
`;
}
