/** The S3 store of the benchmarks: versitygw, which has a line in its log for each request. */
import { startVersitygw, type StartedVersitygw } from "../test/servers/versitygw.ts";

/**
 * Measures with an S3 server of its own, which is stopped whatever becomes of that.
 * @throws Error where no versitygw can be had, and what `measure` throws
 */
export async function withVersitygw<Result>(measure: (started: StartedVersitygw) => Promise<Result>): Promise<Result> {
  const started = await startVersitygw({ logsRequests: true });
  if (started === null) throw new Error("Cannot measure: there is no Go to build versitygw with");
  try {
    return await measure(started);
  } finally {
    await started.stop();
  }
}
