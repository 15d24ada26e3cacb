/**
 * Reads single settings: texts in, typed values out, one sentence about what is wrong. Knows no setting by name, but
 * that another product's name may stand for one: see `langfuse-names.ts`.
 */
import { FirnError } from "../errors.ts";

/** Settings by the names under which Firn knows them; a value is what the platform gave. */
export interface SettingSource {
  readonly values: ReadonlyMap<string, unknown>;
  /** Firn's name → the name under which the operator set it, where that is another one. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** Reads settings of a source; an empty text is a setting that is not there, as shells make them. */
export interface SettingReader {
  /** @throws FirnError `misconfigured`, like everything here */
  text(name: string, fallback: string): string;
  /** `null` when it is not set. */
  optional(name: string): string | null;
  isSet(name: string): boolean;
  flag(name: string, fallback: boolean): boolean;
  integer(name: string, range: { readonly fallback: number; readonly min: number; readonly max: number }): number;
  list(name: string, fallback: readonly string[]): readonly string[];
  /** One of several words; the first one when it is not set. */
  oneOf<T extends string>(name: string, choices: readonly [T, ...T[]]): T;
  /** Makes the one sentence for a setting that is wrong. @param found - never the value of a secret */
  wrong(name: string, found: string): FirnError;
}

/** Opens a reader. */
export function openSettingReader({ values, aliases }: SettingSource): SettingReader {
  const wrong = (name: string, found: string): FirnError => {
    const alias = aliases.get(name);
    const shown = alias === undefined ? name : `${alias} (${name})`;
    return new FirnError("misconfigured", `Cannot use the setting ${shown}: ${found}`, { field: alias ?? name });
  };
  const optional = (name: string): string | null => {
    const value = values.get(name);
    if (value === undefined || value === "") return null;
    // TOML has numbers and booleans: `SHARDS = 4` means what `SHARDS = "4"` does.
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    if (typeof value !== "string") throw wrong(name, `found ${typeof value}, expected text`);
    return value;
  };
  const text = (name: string, fallback: string): string => optional(name) ?? fallback;
  return {
    text,
    optional,
    isSet: (name) => optional(name) !== null,
    wrong,
    flag(name, fallback) {
      const value = text(name, String(fallback));
      if (value !== "true" && value !== "false") throw wrong(name, `found "${value}", expected "true" or "false"`);
      return value === "true";
    },
    integer(name, { fallback, min, max }) {
      const value = text(name, String(fallback));
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      if (!(number >= min && number <= max)) {
        throw wrong(name, `found "${value}", expected a whole number from ${min} to ${max}`);
      }
      return number;
    },
    list(name, fallback) {
      const value = text(name, fallback.join(","));
      return value
        .split(",")
        .map((entry) => entry.trim())
        .filter((entry) => entry !== "");
    },
    oneOf(name, choices) {
      const value = text(name, choices[0]);
      const choice = choices.find((candidate) => candidate === value);
      if (choice !== undefined) return choice;
      throw wrong(name, `found "${value}", expected ${formatChoices(choices)}`);
    },
  };
}

/** `"a" or "b"`. */
export function formatChoices(choices: readonly string[]): string {
  return choices.map((choice) => `"${choice}"`).join(" or ");
}
