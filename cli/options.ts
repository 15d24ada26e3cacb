/**
 * The command line → values. Options have the names of the HTTP parameters; `-` and `_` are the same in them. Each one
 * is understood or refused with a sentence that says what is accepted. Pure.
 */
import { FirnError, shorten } from "../src/errors.ts";

/** An option, or a family of options such as `attr.<key>`. */
export interface Option {
  /** With `_`; a family ends in a dot, what follows it is the user's. */
  readonly name: string;
  /** What its value looks like in help, such as `TIME`; `null` for a switch. */
  readonly value: string | null;
  /** What it does; a line or two of help. */
  readonly what: string;
  /** May stand several times. */
  readonly isList?: boolean;
  /** Values that are accepted; any when absent. */
  readonly choices?: readonly string[];
  /** Whole numbers that are accepted, both ends included. */
  readonly range?: readonly [min: number, max: number];
}

/** Values by name; switches have `true` or `false`. */
export type Values = ReadonlyMap<string, readonly string[]>;

/** What a command line consists of. */
export interface ParsedLine {
  readonly values: Values;
  readonly positionals: readonly string[];
}

const SHORT: Readonly<Record<string, string>> = { "-h": "--help", "-o": "--output", "-q": "--quiet" };

/** Makes the error of a wrong command line. */
export function usageError(message: string): FirnError {
  return new FirnError("invalid_request", message);
}

/**
 * Parses what stands behind a command's name.
 * @throws FirnError `invalid_request` with a sentence for the user
 */
export function parseLine(args: readonly string[], options: readonly Option[]): ParsedLine {
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    if (arg === "--") {
      positionals.push(...args.slice(index + 1));
      break;
    }
    if (arg === "-" || !arg.startsWith("-")) {
      positionals.push(arg);
      continue;
    }
    const { name, given } = splitArgument(SHORT[arg] ?? arg);
    const option = findOption(name, options);
    const next = args[index + 1];
    const takesNext = given === null && (option.value !== null || next === "true" || next === "false");
    const value = given ?? (takesNext ? next : undefined) ?? (option.value === null ? "true" : null);
    if (takesNext) index += 1;
    if (value === null) throw usageError(`Cannot use --${name}: it has no value, expected ${describeValue(option)}`);
    checkValue(name, value, option);
    const before = values.get(name) ?? [];
    if (before.length > 0 && option.isList !== true) throw usageError(`Cannot use --${name}: it is given twice`);
    values.set(name, [...before, value]);
  }
  return { values, positionals };
}

/** The value of an option that stands at most once. */
export function valueOf(values: Values, name: string): string | undefined {
  return values.get(name)?.[0];
}

/** Says whether a switch is on. */
export function isOn(values: Values, name: string): boolean {
  return valueOf(values, name) === "true";
}

/** The number of an option that has a range. */
export function numberOf(values: Values, name: string): number | undefined {
  const text = valueOf(values, name);
  return text === undefined ? undefined : Number(text);
}

/** Takes a name apart from its value, and the user's part of it from ours: only in ours `-` is `_`. */
function splitArgument(arg: string): { readonly name: string; readonly given: string | null } {
  const equals = arg.indexOf("=");
  const written = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
  const dot = written.indexOf(".");
  const ours = dot < 0 ? written : written.slice(0, dot);
  const name = ours.replaceAll("-", "_") + (dot < 0 ? "" : written.slice(dot));
  return { name: arg.startsWith("--") ? name : arg, given: equals < 0 ? null : arg.slice(equals + 1) };
}

function findOption(name: string, options: readonly Option[]): Option {
  const isToken = /^(?:token|password|auth|authorization)$/.test(name);
  if (isToken && options.some((option) => option.name === "token_file")) throw refuseToken(name);
  for (const option of options) {
    const isFamily = option.name.endsWith(".");
    if (isFamily ? name.startsWith(option.name) && name !== option.name : name === option.name) return option;
  }
  const known = options.map((option) => `--${option.name}${option.name.endsWith(".") ? "KEY" : ""}`).join(", ");
  const shown = name.startsWith("-") ? shorten(name) : `--${shorten(name)}`;
  throw usageError(`Cannot use ${shown}: unknown option, expected one of ${known}`);
}

/** Whoever is logged in to the machine sees the arguments of every process, and shells keep them in their history. */
function refuseToken(name: string): FirnError {
  const why = "other users of this machine see the arguments of a process, and the shell remembers them";
  return usageError(`Cannot use --${name}: ${why}; put the token into FIRN_TOKEN or into a file for --token_file`);
}

function describeValue({ value, choices, range }: Option): string {
  if (choices !== undefined) return choices.join(" or ");
  if (range !== undefined) return `a whole number from ${range[0]} to ${range[1]}`;
  return value === null ? "true or false" : value;
}

function checkValue(name: string, text: string, option: Option): void {
  const { choices = option.value === null ? ["true", "false"] : undefined, range } = option;
  const isWhole = /^\d{1,15}$/.test(text);
  const isRight =
    (choices === undefined || choices.includes(text)) &&
    (range === undefined || (isWhole && Number(text) >= range[0] && Number(text) <= range[1]));
  if (!isRight) throw usageError(`Cannot use --${name}: found "${shorten(text)}", expected ${describeValue(option)}`);
}
