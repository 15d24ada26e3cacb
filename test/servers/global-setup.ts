/** Starts the stores that the project "stores" tests against, and stops them by their process ids. */
import type { TestProject } from "vitest/node";
import { startAzurite } from "./azurite.ts";
import { startCephRgw } from "./ceph-rgw.ts";
import type { Started } from "./contract.ts";
import { startMinio } from "./minio.ts";
import { startR2Simulator } from "./r2-simulator.ts";
import { startVersitygw } from "./versitygw.ts";

/** Servers that take minutes to build or packages of the system are started on demand only. */
const IS_FOR_ALL = process.env["FIRN_STORES"] === "all";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started: Started<unknown>[] = [];
  const keep = async <T extends Started<unknown> | null>(starting: Promise<T>): Promise<T> => {
    const one = await starting;
    if (one !== null) started.push(one);
    return one;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((one) => one.stop()));
  };
  const [versitygw, r2Simulator, azurite, minio, cephRgw] = await settleAll(
    [
      keep(startVersitygw()),
      keep(startR2Simulator()),
      keep(startAzurite()),
      keep(IS_FOR_ALL ? startMinio() : Promise.resolve(null)),
      keep(IS_FOR_ALL ? startCephRgw() : Promise.resolve(null)),
    ],
    stop,
  );
  project.provide("servers", {
    versitygw: versitygw?.server ?? null,
    r2Simulator: r2Simulator.server,
    azurite: azurite.server,
    minio: minio?.server ?? null,
    cephRgw: cephRgw?.server ?? null,
  });
  return stop;
}

/** Waits for all of them; when one fails, the others are stopped once they are there. */
async function settleAll<T extends readonly Promise<unknown>[]>(
  starting: readonly [...T],
  stop: () => Promise<void>,
): Promise<{ -readonly [I in keyof T]: Awaited<T[I]> }> {
  const outcomes = await Promise.allSettled(starting);
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled") continue;
    await stop();
    throw outcome.reason;
  }
  return Promise.all(starting);
}
