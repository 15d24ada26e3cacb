/**
 * The file beside an input that says what of it was taken: `FILE.firn-sent`. A crash between an answer and its note
 * here sends one request again, byte for byte the same: a receiver that knows repeats, as Firn does, stores it once.
 */
import { rm, stat } from "node:fs/promises";
import { toErrorMessage } from "../../src/errors.ts";
import { readObjectFile, replaceFile } from "../durable-file.ts";
import { usageError } from "../options.ts";
import { NOTHING_SENT, type SentTotals } from "./send-batch.ts";

/** The note of one input. */
export interface SendResume {
  readonly totals: SentTotals;
  save(totals: SentTotals): Promise<void>;
  /** All of it was sent. */
  remove(): Promise<void>;
}

const VERSION = 1;

/** Nobody but this command writes it, in one piece: only its version and what it is of are in question. */
interface SavedNote {
  readonly version?: unknown;
  readonly identity?: Readonly<Record<string, string>>;
  readonly totals?: SentTotals;
}

/**
 * Opens the note of an input.
 * @param file - `null`: there is none, as with stdin
 * @param identity - what decides the requests
 * @throws FirnError `invalid_request` when it was begun otherwise
 */
export async function openSendResume(
  file: string | null,
  identity: Readonly<Record<string, string>>,
): Promise<SendResume> {
  if (file === null) return { totals: NOTHING_SENT, save: async () => {}, remove: async () => {} };
  const path = `${file}.firn-sent`;
  const { size, mtimeMs } = await stat(file).catch((error: unknown) => {
    throw usageError(`Cannot read ${file}: ${toErrorMessage(error)}`);
  });
  const whole = { ...identity, size: String(size), modified: String(mtimeMs) };
  const save = async (totals: SentTotals): Promise<void> =>
    await replaceFile(path, `${JSON.stringify({ version: VERSION, identity: whole, totals })}\n`);
  const remove = async (): Promise<void> => await rm(path, { force: true });
  const document = await readObjectFile(path);
  if (document === undefined || hasNothingFor(document, identity["--to"])) {
    // Before the first request goes out: one that was taken and not noted would go twice.
    await save(NOTHING_SENT).catch((error: unknown) => {
      throw usageError(`Cannot write ${path}: ${toErrorMessage(error)}; --resume=false goes without it`);
    });
    return { totals: NOTHING_SENT, save, remove };
  }
  const saved: SavedNote | null = document;
  const isSame = saved?.version === VERSION && JSON.stringify(saved.identity) === JSON.stringify(whole);
  if (isSame && saved.totals !== undefined) return { totals: saved.totals, save, remove };
  const why = `it, --to, --format, --signal or --batch_bytes are others than in ${path}`;
  throw usageError(`Cannot go on with ${file}: ${why}; delete that to send all of it`);
}

/** A receiver that took nothing, such as one that was misspelled, does not bind the file to it. */
function hasNothingFor(saved: SavedNote | null, to: string | undefined): boolean {
  return saved?.version === VERSION && saved.totals?.units === 0 && saved.identity?.["--to"] !== to;
}
