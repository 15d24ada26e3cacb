/** `npm run firn -- …` and the `firn` of the package: hands the process to {@link runFirn}. */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { runFirn } from "./firn.ts";

// Who reads from the pipe has enough: `firn replay … | head` ends without a word.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") process.stderr.write(`Cannot print: ${error.message}\n`);
  process.exit(1);
});

// npm runs scripts in the folder of their package; files are meant from where the user stands.
const { npm_package_name: packageName, npm_lifecycle_event: script, INIT_CWD: userFolder } = process.env;
if (packageName === "firn" && script === "firn" && userFolder !== undefined) process.chdir(userFolder);

// Both `cli/main.ts` and the bundle `dist/firn.mjs` stand one folder below it.
const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const { version } = manifest as { readonly version: string };

process.exitCode = await runFirn(
  process.argv.slice(2),
  {
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    isTerminal: process.stderr.isTTY,
    now: Date.now,
    delay: async (millis) => await delay(millis),
    random: Math.random,
  },
  version,
);
