import { describe, expect, test } from "vitest";
import { parseStartOptions } from "../../scripts/start.ts";
import { formatToken } from "../../scripts/token.ts";
import { createOutputFilter, isBuildFailure } from "../../scripts/wrangler-output.ts";

describe("parseStartOptions()", () => {
  test("has defaults that SDKs reach", () => {
    expect(parseStartOptions([])).toEqual({ port: 4318, persistTo: ".wrangler/state", vars: {} });
  });

  test("takes --var several times, with several values, with colons", () => {
    const options = parseStartOptions(["--var", "A:1", "B:x:y", "--port=5000", "--var=C:", "--persist-to", "d"]);

    expect(options).toEqual({ port: 5000, persistTo: "d", vars: { A: "1", B: "x:y", C: "" } });
  });

  test.each([
    [["--bogus"], 'unknown option "--bogus"'],
    [["-p", "1"], 'unknown option "-p"'],
    [["--port"], "needs a value"],
    [["--port", "70000"], "expected a number from 1 to 65535"],
    [["--var", "A"], "expected NAME:VALUE"],
    [["extra"], 'unexpected argument "extra"'],
  ])("refuses %j with a sentence", (args, message) => {
    expect(() => parseStartOptions(args)).toThrow(message);
  });
});

describe("formatToken()", () => {
  test("pins a token and its digest", () => {
    expect(formatToken(new Uint8Array(32))).toEqual({
      token: "firn_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
      sha256Hex: "9a5a33767d649787fa1365a24c2591b359c2ef90926ad3f37f2396b28d768978",
    });
  });
});

describe("createOutputFilter()", () => {
  test("shows errors with their lines, and warnings of the worker", () => {
    const filter = createOutputFilter();
    const lines = [
      "[wrangler:info] GET / 200 OK",
      "✘ [ERROR] Build failed with 1 error:",
      '  ✘ [ERROR] Could not resolve "./nope.ts"',
      "    src/index.ts:64:7:",
      "⎔ Reloading local server...",
      '{"level":"info","event":"flush.stored"}',
      '{"level":"error","event":"flush.failed"}',
    ];

    expect(lines.map(filter.accept).map((line) => line !== null)).toEqual([
      false,
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
    expect(lines.filter(isBuildFailure)).toHaveLength(2);
  });
});
