/** What stands on stderr while a command works: a bar that is painted over, or on a pipe a line now and then. */
import type { World } from "./command.ts";

/** Shows how far a command is. */
export interface ProgressLine {
  /** @param share - from 0 to 1; `null` when nobody knows */
  update(share: number | null, text: string): void;
  /** Says something that stays. */
  note(text: string): void;
  /** Takes the bar away. */
  end(): void;
}

/** A bar is painted so often at most. */
const BAR_MILLIS = 100;
/** A log does not want more lines. */
const LINE_MILLIS = 10_000;
const BAR_CELLS = 24;
/** Narrow terminals would wrap a longer line, and a wrapped one is not painted over. */
const MAX_CHARS = 78;

/** Opens the line. @param isQuiet - only what `note` says is shown */
export function openProgress(world: Pick<World, "stderr" | "isTerminal" | "now">, isQuiet: boolean): ProgressLine {
  const { stderr, isTerminal, now } = world;
  const pause = isTerminal ? BAR_MILLIS : LINE_MILLIS;
  let lastAt = isTerminal ? 0 : now();
  let isPainted = false;
  const clear = (): void => {
    if (isPainted) stderr.write("\r\u001b[K");
    isPainted = false;
  };
  return {
    update: (share, text) => {
      if (isQuiet || now() - lastAt < pause) return;
      lastAt = now();
      const line = `${formatShare(share, isTerminal)}${text}`.slice(0, MAX_CHARS);
      stderr.write(isTerminal ? `\r\u001b[K${line}` : `${line}\n`);
      isPainted = isTerminal;
    },
    note: (text) => {
      clear();
      stderr.write(`${text}\n`);
    },
    end: clear,
  };
}

function formatShare(share: number | null, hasBar: boolean): string {
  if (share === null) return "";
  const bounded = Math.min(Math.max(share, 0), 1);
  const percent = `${String(Math.floor(bounded * 100)).padStart(3)} %  `;
  const full = Math.floor(bounded * BAR_CELLS);
  return hasBar ? `[${"#".repeat(full)}${".".repeat(BAR_CELLS - full)}] ${percent}` : percent;
}
