/** Texts of `firn help`, made of the tables that the options are parsed by. Pure. */
import type { Command } from "./command.ts";
import { formatTable } from "./figures.ts";
import type { Option } from "./options.ts";

/** Terminals are this wide at least. */
const WIDTH = 100;

/** What `firn help` says. */
export function formatHelp(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }) => ["", `firn ${name}`, summary]);
  return [
    "firn: the command line of Firn, an OTLP cold archive\n\n",
    formatTable([...rows, ["", "firn help", "This, or firn help COMMAND for its options"]], new Set()),
    "\nWhich Firn: --url or FIRN_URL. The token: FIRN_TOKEN or --token_file.\n",
  ].join("");
}

/** What `firn help <command>` says. */
export function formatCommandHelp({ name, operands, summary, options, notes }: Command): string {
  const usage = `usage: firn ${name}${operands === "" ? "" : ` ${operands}`} [options]`;
  const names = options.map(formatName);
  const column = Math.max(...names.map((text) => text.length)) + 4;
  const lines = options.map(({ what }, index) => {
    const [first = "", ...rest] = wrap(what, WIDTH - column);
    return [`  ${names[index]?.padEnd(column - 2)}${first}`, ...rest.map((line) => " ".repeat(column) + line)].join(
      "\n",
    );
  });
  const paragraphs = notes.flatMap((note) => ["", ...wrap(note, WIDTH)]);
  return `${[usage, `  ${summary}`, "", ...lines, ...paragraphs].join("\n")}\n`;
}

function formatName({ name, value }: Option): string {
  const family = name.endsWith(".") ? `${name}KEY` : name;
  return value === null ? `--${family}` : `--${family} ${value}`;
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
