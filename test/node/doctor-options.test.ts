import { describe, expect, test } from "vitest";
import { parseDoctorOptions } from "../../scripts/doctor.ts";

describe("parseDoctorOptions()", () => {
  test("starts a local Firn without a URL", () => {
    expect(parseDoctorOptions([], undefined)).toEqual({ kind: "local", isJson: false, vars: {}, persistTo: null });
    expect(parseDoctorOptions(["--var", "A:1", "B:x:y", "--json", "--persist-to", "d"], "t")).toEqual({
      kind: "local",
      isJson: true,
      vars: { A: "1", B: "x:y" },
      persistTo: "d",
    });
  });

  test("asks a deployment, with the token at hand", () => {
    const args = ["--url", "https://firn.example.com"];
    const deployment = { kind: "deployment", isJson: false, url: "https://firn.example.com" };

    expect(parseDoctorOptions(args, undefined)).toEqual({ ...deployment, token: null });
    expect(parseDoctorOptions(args, "of the environment")).toEqual({ ...deployment, token: "of the environment" });
    expect(parseDoctorOptions([...args, "--token", "own"], "other")).toEqual({ ...deployment, token: "own" });
  });

  test.each([
    [["--bogus"], "Unknown option '--bogus'"],
    [["extra"], "Unexpected argument 'extra'"],
    [["--url"], "argument missing"],
    [["--url", "firn.example.com"], 'found "firn.example.com", expected a URL'],
    [["--url", "https://x", "--var", "A:1"], "Cannot use --var: it is for a local Firn"],
    [["--token", "t"], "Cannot use --token: there is no --url beside it"],
    [["--var", "A"], "expected NAME:VALUE"],
  ])("refuses %j with a sentence", (args, message) => {
    expect(() => parseDoctorOptions(args, undefined)).toThrow(message);
  });
});
