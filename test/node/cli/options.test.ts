import { describe, expect, test } from "vitest";
import { COMMANDS } from "../../../cli/firn.ts";
import { parseLine, type Option } from "../../../cli/options.ts";
import { FORMATS } from "../../../src/replay/format.ts";
import { runCli } from "./run-cli.ts";

const OPTIONS: readonly Option[] = [
  { name: "max_bytes", value: "BYTES", what: "", range: [10, 20] },
  { name: "format", value: "FORMAT", what: "", choices: ["a", "b"] },
  { name: "quiet", value: null, what: "" },
  { name: "header", value: "TEXT", what: "", isList: true },
  { name: "attr.", value: "VALUE", what: "" },
  { name: "token_file", value: "FILE", what: "" },
];

const WINDOW = ["replay", "--signal", "traces", "--start", "2026-05-01", "--end", "2026-05-02"];

describe("parseLine()", () => {
  test("takes - for _ in names, values behind = or a space, and switches with or without a value", () => {
    const args = ["--max-bytes=12", "x", "--quiet", "-", "--header", "a", "--header=b=c", "--attr.http.x-y_z", "--v"];

    const { values, positionals } = parseLine([...args, "--", "--format"], OPTIONS);

    expect(Object.fromEntries(values)).toEqual({
      max_bytes: ["12"],
      quiet: ["true"],
      header: ["a", "b=c"],
      "attr.http.x-y_z": ["--v"],
    });
    expect(positionals).toEqual(["x", "-", "--format"]);
    expect(parseLine(["--quiet", "false"], OPTIONS).values.get("quiet")).toEqual(["false"]);
  });

  test.each([
    [["--bogus"], "unknown option, expected one of --max_bytes, --format, --quiet, --header, --attr.KEY, --token_file"],
    [["-x"], "Cannot use -x: unknown option"],
    [["--format"], "Cannot use --format: it has no value, expected a or b"],
    [["--format", "c"], 'found "c", expected a or b'],
    [["--max_bytes", "21"], "expected a whole number from 10 to 20"],
    [["--max_bytes", "1e1"], "expected a whole number from 10 to 20"],
    [["--quiet=maybe"], "expected true or false"],
    [["--format", "a", "--format", "b"], "it is given twice"],
    [["--attr.", "x"], "unknown option"],
    [["--token", "t"], "other users of this machine see the arguments of a process"],
  ])("refuses %j with a sentence", (args, sentence) => {
    expect(() => parseLine(args, OPTIONS)).toThrow(sentence);
  });
});

describe("firn help", () => {
  test("names every command, and each command's help every option of it", async () => {
    const all = await runCli(["help"]);

    expect(all.code).toBe(0);
    for (const command of COMMANDS) {
      expect(all.stdout.toString()).toContain(`firn ${command.name} `);
      const one = await runCli(["help", command.name]);
      expect((await runCli([command.name, "-h"])).stdout.toString()).toBe(one.stdout.toString());
      for (const { name } of command.options) expect(one.stdout.toString()).toContain(`--${name}`);
      for (const line of one.stdout.toString().split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    }
  });

  test("pins what replay takes", async () => {
    const text = (await runCli(["help", "replay"])).stdout.toString();

    expect(text).toContain("usage: firn replay [options]\n");
    expect(text).toContain(`--format FORMAT         ${FORMATS.join(", ")}; jsonl by default.`);
    expect(text).toContain("Exit code: 0 complete; 3 not complete");
  });

  test("--version tells the version", async () => {
    expect((await runCli(["--version"])).stdout.toString()).toBe("firn 1.2.3\n");
  });

  test.each([
    [["frob"], 'Cannot run "frob": unknown command, expected one of replay, trace, ls, status, verify, send, help'],
    [["help", "frob"], "unknown command"],
    [["replay"], "Cannot replay without --signal: expected traces or"],
    [["replay", "--signal", "logs"], 'Cannot read a window without "start"'],
    [["replay", "x"], 'Cannot use "x": expected options only'],
    [["replay", "--signal", "all", "--start", "2026", "--end", "2027"], 'Cannot parse "start": found "2026"'],
    [["trace", "abc"], 'Cannot trace "abc": expected one trace id, 32 hexadecimal digits'],
    [["send"], "Cannot send: expected one FILE, or - for stdin"],
    [["send", "x.jsonl"], "Cannot send without --to"],
    [["send", "x.jsonl", "--to", "http://h/v1/traces"], "Cannot use --to: leave out /v1/traces"],
    [["send", "x.bin", "--to", "http://h"], "Cannot tell the format of x.bin from its name"],
    [["send", "x.pb", "--to", "http://h"], "Cannot send proto without --signal"],
    [["ls", "--start", "2026-05-02", "--end", "2026-05-01"], "is not after start"],
    [["verify", "--start", "2026-05-02", "--end", "2026-05-01"], "it is not after --start"],
    [["status", "--url", "ftp://h"], "Cannot use --url: expected a URL such as https://firn.example.com"],
    [["status", "--url", "http://u:p@h"], "without user"],
    [["status", "--token_file", "/nowhere"], "Cannot use --token_file: ENOENT"],
    [[...WINDOW, "--output", "/nowhere/x.jsonl"], "Cannot use --output: ENOENT"],
    [[...WINDOW, "--max_line_bytes", "1"], "expected a whole number from 1000 to 16777216"],
    [["send", "/", "--to", "http://h", "--format", "jsonl", "--resume=false"], "Cannot read /: it is a folder"],
    [["send", "/proc/self/environ", "--to", "http://h", "--format", "jsonl"], "--resume=false goes without it"],
  ])("%j is wrong usage: exit code 2 and a sentence", async (args, sentence) => {
    const ended = await runCli(args);

    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(sentence);
  });

  test("a FIRN_TOKEN that is none is not shown", async () => {
    const ended = await runCli(["status"], { env: { FIRN_TOKEN: "firn_one\nfirn_two" } });

    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining("Cannot use FIRN_TOKEN: expected a token")]);
    expect(ended.stderr).not.toContain("firn_");
  });
});
