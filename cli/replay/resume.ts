/**
 * The file beside an unfinished output that says how to go on: `FILE.firn-resume`. It is replaced in one step after
 * each page, when the page is durable, so that whatever happens it speaks of less than the output holds, never of more.
 */
import { rm, stat } from "node:fs/promises";
import { toErrorMessage } from "../../src/errors.ts";
import { isMissing, readObjectFile, replaceFile } from "../durable-file.ts";
import { usageError } from "../options.ts";
import { BEGINNING, type Progress, type ReplayState } from "./state.ts";

/** What decides the bytes of a replay: who goes on with other parameters would mix two of them. */
export type Identity = Readonly<Record<string, string>>;

/** The resume file of one output. */
export interface Resume {
  /** Where the replay goes on; the output is there and as long as that, or longer. */
  readonly state: ReplayState;
  save(state: ReplayState): Promise<void>;
  /** The output is finished. */
  remove(): Promise<void>;
}

/** Of the document; another one is not understood. */
const VERSION = 1;

/**
 * Opens the resume file of an output, or begins one.
 * @param isOverwriting - whatever is there counts for nothing
 * @throws FirnError `invalid_request` when the output is finished, or is that of another replay
 */
export async function openResume(output: string, identity: Identity, isOverwriting: boolean): Promise<Resume> {
  const path = `${output}.firn-resume`;
  const save = async (state: ReplayState): Promise<void> => {
    await replaceFile(path, `${JSON.stringify({ version: VERSION, identity, ...state })}\n`);
  };
  const remove = async (): Promise<void> => await rm(path, { force: true });
  const outputBytes = await sizeOf(output);
  const document = isOverwriting ? undefined : await readObjectFile(path);
  if (document === undefined) {
    if (outputBytes !== null && !isOverwriting) throw refuse(output, "it exists already");
    await save(BEGINNING).catch((error: unknown) => {
      throw usageError(`Cannot use --output: ${toErrorMessage(error)}`);
    });
    return { state: BEGINNING, save, remove };
  }
  const saved = parseDocument(document);
  if (saved === null) throw refuse(output, `${path} is not of this version`);
  const different = findDifference(saved.identity, identity);
  if (different !== null) {
    const [name, before, now] = different;
    throw refuse(output, `it was begun with ${name} ${before ?? "left out"}, and now it is ${now ?? "left out"}`);
  }
  if ((outputBytes ?? 0) < saved.state.at.length) throw refuse(output, "it is shorter than when it was left");
  return { state: saved.state, save, remove };
}

function refuse(output: string, why: string): Error {
  return usageError(`Cannot write ${output}: ${why}; name another --output, or begin anew with --overwrite`);
}

/** @returns `null` when there is no such file */
async function sizeOf(path: string): Promise<number | null> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw usageError(`Cannot use --output: ${path} is no file, write to a pipe without --output`);
    return found.size;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function findDifference(
  before: Identity,
  now: Identity,
): readonly [name: string, before: string | undefined, now: string | undefined] | null {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  for (const name of names) if (before[name] !== now[name]) return [name, before[name], now[name]];
  return null;
}

/** Nobody but this command writes the file, in one piece: only its version is in question. */
function parseDocument(document: object | null): { readonly identity: Identity; readonly state: ReplayState } | null {
  if (document === null || !("version" in document) || document.version !== VERSION) return null;
  const { identity, at, safe } = document as unknown as { identity: Identity; at: Progress; safe: Progress };
  // Progress is compared by identity.
  return { identity, state: { at: at.length === safe.length && at.cursor === safe.cursor ? safe : at, safe } };
}
