/** What a command is, and the world that it is handed. */
import type { Readable, Writable } from "node:stream";
import type { Option, Values } from "./options.ts";

/** The outside of a command: streams, environment, time. Tests hand in their own. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Somebody looks at what stands on stderr. */
  readonly isTerminal: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly delay: (millis: number) => Promise<void>;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** What the command line gave. */
export interface CommandInput {
  readonly values: Values;
  readonly positionals: readonly string[];
  readonly world: World;
}

/** A command of the command line. */
export interface Command {
  readonly name: string;
  /** One line of `firn help`. */
  readonly summary: string;
  /** What may stand behind the name, without options: `FILE`. */
  readonly operands: string;
  readonly options: readonly Option[];
  /** Paragraphs below the options in `firn help <name>`. */
  readonly notes: readonly string[];
  /**
   * Does it.
   * @returns exit code
   * @throws FirnError `invalid_request` for wrong usage, anything else for what failed
   */
  readonly run: (input: CommandInput) => Promise<number>;
}

/** Exit codes; `docs/cli.md` promises them. */
export const EXIT = { done: 0, failed: 1, usage: 2, incomplete: 3, notFound: 4 } as const;
