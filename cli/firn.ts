/** The command line as a function: arguments and the world → exit code. The one place that knows every command. */
import { FirnError, shorten, toErrorMessage } from "../src/errors.ts";
import { EXIT, type Command, type World } from "./command.ts";
import { formatCommandHelp, formatHelp } from "./help.ts";
import { LS } from "./ls.ts";
import { isOn, parseLine, type Option } from "./options.ts";
import { REPLAY } from "./replay/command.ts";
import { SEND } from "./send/command.ts";
import { STATUS } from "./status.ts";
import { TRACE } from "./trace.ts";
import { VERIFY } from "./verify.ts";

/** All commands, as `firn help` lists them. */
export const COMMANDS: readonly Command[] = [REPLAY, TRACE, LS, STATUS, VERIFY, SEND];

const HELP: Option = { name: "help", value: null, what: "This text (-h)." };

/**
 * Runs a command line.
 * @param version - what `--version` prints
 * @returns the exit code: 0, 1 for what failed, 2 for wrong usage, 3 for what is not complete, 4 for what is not there
 */
export async function runFirn(args: readonly string[], world: World, version: string): Promise<number> {
  const [name = "help", ...rest] = args;
  if (name === "--version" || name === "version") return say(world, `firn ${version}\n`);
  if (["help", "--help", "-h"].includes(name)) return help(rest[0], world);
  const command = COMMANDS.find((known) => known.name === name);
  if (command === undefined) return refuseCommand(name, world);
  try {
    const options = [...command.options, HELP];
    const line = parseLine(rest, options);
    if (isOn(line.values, HELP.name)) return say(world, formatCommandHelp({ ...command, options }));
    return await command.run({ ...line, world });
  } catch (error) {
    const isUsage = error instanceof FirnError && ["invalid_request", "not_acceptable"].includes(error.kind);
    world.stderr.write(`${toErrorMessage(error)}\n${isUsage ? `See: firn help ${name}\n` : ""}`);
    return isUsage ? EXIT.usage : EXIT.failed;
  }
}

function say({ stdout }: World, text: string): number {
  stdout.write(text);
  return EXIT.done;
}

function help(name: string | undefined, world: World): number {
  if (name === undefined || name === "help") return say(world, formatHelp(COMMANDS));
  const command = COMMANDS.find((known) => known.name === name);
  if (command === undefined) return refuseCommand(name, world);
  return say(world, formatCommandHelp({ ...command, options: [...command.options, HELP] }));
}

function refuseCommand(name: string, { stderr }: World): number {
  const known = COMMANDS.map((command) => command.name).join(", ");
  stderr.write(`Cannot run "${shorten(name)}": unknown command, expected one of ${known}, help\n`);
  return EXIT.usage;
}
