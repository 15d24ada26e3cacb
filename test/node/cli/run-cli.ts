/** The command line in this process, with streams that are kept and a clock that does not wait. */
import { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { runFirn } from "../../../cli/firn.ts";

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** Milliseconds that it would have waited, one after another. */
  readonly waits: readonly number[];
}

/** What of the world a test decides. */
export interface CliWorld {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array;
  readonly isTerminal?: boolean;
}

/** Runs a command to its end. */
export async function runCli(
  args: readonly string[],
  { env = {}, stdin, isTerminal = false }: CliWorld = {},
): Promise<Ended> {
  const stdout = openSink();
  const stderr = openSink();
  const waits: number[] = [];
  let now = Date.parse("2026-05-02T00:00:00Z");
  const world = {
    env,
    stdin: Readable.from(stdin === undefined ? [] : [stdin]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    isTerminal,
    now: () => now,
    delay: async (millis: number) => {
      waits.push(millis);
      now += millis;
    },
    random: () => 0.5,
  };
  const code = await runFirn(args, world, "1.2.3");
  return { code, stdout: await stdout.read(), stderr: (await stderr.read()).toString("utf8"), waits };
}

function openSink(): { readonly stream: Writable; readonly read: () => Promise<Buffer> } {
  const pieces: Buffer[] = [];
  const stream = new Writable({
    write: (piece: Buffer, _encoding, done) => {
      pieces.push(Buffer.from(piece));
      setImmediate(done);
    },
  });
  const read = async (): Promise<Buffer> => {
    stream.end();
    await finished(stream);
    return Buffer.concat(pieces);
  };
  return { stream, read };
}
