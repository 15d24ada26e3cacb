import { describe, expect, it } from "vitest";
import { authenticate, requireScope } from "../../src/auth/authenticate.ts";
import { readConfig } from "../../src/config.ts";

async function digest(token: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token))).toHex();
}

const config = readConfig({
  INGEST_TOKEN_SHA256: await digest("writer"),
  READ_TOKEN_SHA256: `${await digest("reader")},${await digest("both")}`,
  ADMIN_TOKEN_SHA256: await digest("both"),
  TENANTS: JSON.stringify({ acme: { tokens: [{ sha256: await digest("acme-writer"), scopes: ["ingest"] }] } }),
});

describe("authenticate()", () => {
  it("S1: refuses everything when no token is configured and anonymous access is off", async () => {
    await expect(authenticate("Bearer writer", readConfig({}))).rejects.toMatchObject({ kind: "unauthenticated" });
  });

  it("grants everything to anyone only in the explicit local mode without tokens", async () => {
    const open = readConfig({ ALLOW_ANONYMOUS: "true" });
    const closed = { ...config, allowAnonymous: true };

    expect(await authenticate(null, open)).toEqual({ tenant: "", scopes: ["ingest", "read", "admin"] });
    await expect(authenticate(null, closed)).rejects.toMatchObject({ kind: "unauthenticated" });
  });

  it.each(["Bearer writer", "bearer   writer", "writer", `Basic ${btoa("any:writer")}`, `basic ${btoa(":writer")}`])(
    "accepts %j",
    async (header) => {
      expect(await authenticate(header, config)).toEqual({ tenant: "", scopes: ["ingest"] });
    },
  );

  it.each([null, "", "Bearer", "Bearer wrong", "Bearer writer, Bearer writer", "Basic ???", `Basic ${btoa("writer")}`])(
    "S1: refuses %j",
    async (header) => {
      await expect(authenticate(header, config)).rejects.toMatchObject({ kind: "unauthenticated" });
    },
  );

  it("adds the scopes of every rule that names the token", async () => {
    expect(await authenticate("Bearer both", config)).toEqual({ tenant: "", scopes: ["read", "admin"] });
  });

  it("S3: takes the tenant from the token alone", async () => {
    expect(await authenticate("Bearer acme-writer", config)).toEqual({ tenant: "acme", scopes: ["ingest"] });
  });
});

describe("requireScope()", () => {
  it("S2: scopes do not imply each other", async () => {
    const grant = await authenticate("Bearer writer", config);

    expect(() => requireScope(grant, "ingest")).not.toThrow();
    expect(() => requireScope(grant, "read")).toThrow('lacks the scope "read"');
    expect(() => requireScope(grant, "admin")).toThrow('lacks the scope "admin"');
  });
});
