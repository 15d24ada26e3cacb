import type { MiddlewareHandler } from "hono";
import { describe, expect, it } from "vitest";
import type { DoctorDocument } from "../../../src/admin/doctor/document.ts";
import { openAdminRoutes } from "../../../src/admin/routes.ts";
import type { GrantEnv } from "../../../src/auth/middleware.ts";
import { openFakeShards } from "../fake-shards.ts";

const DOCUMENT: DoctorDocument = {
  ok: true,
  settings: { SHARDS: 1 },
  warnings: [],
  errors: [],
  stores: [],
  advice: { policies: {}, lifecycle: {}, commands: {} },
};

/** Lets everybody in as an administrator of `acme`. */
const guard: MiddlewareHandler<GrantEnv> = async (context, next) => {
  context.set("grant", { tenant: "acme", scopes: ["admin"] });
  await next();
};

const refuse = (): never => {
  throw new Error("nobody asked for this");
};

async function ask(query: string, headers: Record<string, string> = {}): Promise<[Response, string[]]> {
  const asked: string[] = [];
  const examine = async (tenant: string): Promise<DoctorDocument> => {
    asked.push(tenant);
    return DOCUMENT;
  };
  const access = openFakeShards({ shards: [], answer: () => ({}) });
  const deps = { access, archive: refuse, examine, verify: refuse };
  const routes = openAdminRoutes(deps, { read: guard, admin: guard });
  routes.onError((error) => new Response(error.message, { status: 400 }));
  return [await routes.request(`/admin/doctor${query}`, { headers }), asked];
}

describe("GET /admin/doctor", () => {
  it("answers in JSON, for the tenant of the token", async () => {
    const [response, asked] = await ask("");

    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual(DOCUMENT);
    expect(asked).toEqual(["acme"]);
  });

  it.each<[string, Record<string, string>]>([
    ["?format=text", {}],
    ["", { accept: "text/plain" }],
  ])("answers in text: %j %j", async (query, headers) => {
    const [response] = await ask(query, headers);

    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await response.text()).toMatch(/^Firn's doctor: all is well/);
  });

  it("goes by the parameter where it says another form than Accept", async () => {
    const [response] = await ask("?format=json", { accept: "text/plain" });

    expect(response.headers.get("content-type")).toBe("application/json");
  });

  it("refuses another form", async () => {
    const [response, asked] = await ask("?format=xml");

    expect(await response.text()).toBe('Cannot use the parameter format: found "xml", expected "json" or "text"');
    expect(asked).toEqual([]);
  });
});
