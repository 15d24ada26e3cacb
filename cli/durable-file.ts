/** Small files that stand there whole or not at all, whenever the machine stops: {@link replaceFile}. */
import { open, readFile, rename } from "node:fs/promises";
import { parseObject } from "./ask.ts";

/** Puts a text in the place of a file in one step. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.tmp`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

/** Reads a file that holds a JSON object. @returns `undefined` without a file, `null` when it holds anything else */
export async function readObjectFile(path: string): Promise<object | null | undefined> {
  try {
    return parseObject(await readFile(path, "utf8"));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Says whether an error is that of a file that does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
