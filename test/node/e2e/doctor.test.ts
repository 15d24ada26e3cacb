import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";

const DOCTOR = join(import.meta.dirname, "../../../scripts/doctor.ts");

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [DOCTOR, ...args], { env: { ...process.env, ...env } });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (piece: Buffer) => (output[name] += piece.toString()));
  }
  const [code] = (await once(child, "close")) as [number];
  return { code, ...output };
}

describe("npm run doctor", () => {
  test("finds a local Firn well, and says what it tried", async () => {
    const { code, stdout } = await run(["--var", "ARCHIVE_PREFIX:firn"]);

    expect(stdout).toMatch(/^Firn's doctor: all is well/);
    expect(stdout).toContain('ARCHIVE: r2, r2:telemetry, prefix "firn/"');
    for (const step of ["put", "create_only", "digest", "multipart", "range", "list", "delete"]) {
      expect(stdout).toMatch(new RegExp(`^ {2}ok +\\w+ +${step} +\\d+ ms$`, "m"));
    }
    expect(stdout).toMatch(/^ {2}ADMIN_TOKEN_SHA256 +set \(1\)$/m);
    expect(stdout).toContain("npx wrangler r2 bucket lifecycle add telemetry firn-data firn/year=");
    expect(stdout).toContain("This was a local Firn");
    // oxlint-disable-next-line no-control-regex -- escape sequences of colours are control characters
    expect(stdout).not.toMatch(/\u001b|[0-9a-f]{64}/);
    expect(code).toBe(0);
  });

  test("tells of a store that cannot be reached, in JSON on request, and shows no secret", async () => {
    const secret = "canary-secret-7f3a";
    const store = ["STORE:s3", "BUCKET:b", "REGION:us-east-1", "ENDPOINT:http://127.0.0.1:9"];
    const keys = ["ACCESS_KEY_ID:canary-access-7f3a", `SECRET_ACCESS_KEY:${secret}`];
    const vars = [...store, ...keys].map((setting) => `ARCHIVE_${setting}`);

    const { code, stdout } = await run(["--json", "--var", ...vars]);

    const document = JSON.parse(stdout) as { ok: boolean; errors: string[]; settings: Record<string, unknown> };
    expect(document.ok).toBe(false);
    expect(document.errors[0]).toContain("ARCHIVE, write, put: Cannot put");
    expect(document.settings["ARCHIVE_SECRET_ACCESS_KEY"]).toBe("set");
    expect(stdout).not.toContain("canary");
    expect(code).toBe(1);
  });

  test("prints the sentence about a setting that is wrong", async () => {
    const { code, stderr } = await run(["--var", "SHARDS:many"]);

    expect(stderr).toContain("it answers 503, Cannot use the setting SHARDS: found");
    expect(code).toBe(1);
  });

  test("says how it is used", async () => {
    const { code, stderr } = await run(["--bogus"]);

    expect(stderr).toContain("usage: npm run doctor");
    expect(code).toBe(2);
  });
});

describe("npm run doctor -- --url", () => {
  const servers: Server[] = [];

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** A deployment that answers every request alike. */
  async function deploy(status: number, body: string): Promise<{ readonly url: string; readonly asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      response.writeHead(status, { "content-type": "application/json" }).end(body);
    });
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return { url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`, asked };
  }

  test("asks with the token of the environment and goes by the verdict", async () => {
    const advice = { policies: {}, lifecycle: {}, commands: {} };
    const document = { ok: false, settings: {}, warnings: [], errors: ["ARCHIVE, read, list: no"], stores: [], advice };
    const { url, asked } = await deploy(200, `    ${JSON.stringify(document)}\n`);

    const { code, stdout } = await run(["--url", `${url}/`], { FIRN_ADMIN_TOKEN: "t-1" });

    expect(asked).toEqual(["GET /admin/doctor Bearer t-1"]);
    expect(stdout).toContain("1 of the checks failed");
    expect(stdout).toContain("- ARCHIVE, read, list: no");
    expect(code).toBe(1);
  });

  test.each([
    [401, '{"code":16,"message":"Cannot use this token"}', "it answers 401, Cannot use this token"],
    [200, ' {"complete":false,"errors":[{"message":"Cannot go on"}]}', "it answers 200, Cannot go on"],
    [502, "<html>Bad gateway</html>", "it answers 502, <html>Bad gateway</html>"],
  ])("says what it was told with %i", async (status, body, sentence) => {
    const { url } = await deploy(status, body);

    const { code, stderr } = await run(["--url", url, "--token", "t-2"]);

    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain("t-2");
    expect(code).toBe(1);
  });

  test("says that nobody is there", async () => {
    const { code, stderr } = await run(["--url", "http://127.0.0.1:9"]);

    expect(stderr).toContain("Cannot reach http://127.0.0.1:9: ");
    expect(code).toBe(1);
  });
});
