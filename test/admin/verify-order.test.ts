import type { MiddlewareHandler } from "hono";
import { describe, expect, it } from "vitest";
import { openAdminRoutes } from "../../src/admin/routes.ts";
import { parseVerifyOrder } from "../../src/admin/verify-order.ts";
import type { GrantEnv } from "../../src/auth/middleware.ts";
import type { VerifyDocument, VerifyOrder } from "../../src/compaction/verify/contract.ts";
import { FirnError } from "../../src/errors.ts";
import { SIGNALS } from "../../src/signal.ts";
import { openFakeShards } from "./fake-shards.ts";

const NOW = Date.parse("2026-05-03T14:20:00Z");
const parse = (query: string): VerifyOrder => parseVerifyOrder(new URLSearchParams(query), NOW);

describe("parseVerifyOrder()", () => {
  it("verifies the last two days of all signals, deeply and without repair, when nothing is said", () => {
    expect(parse("")).toEqual({
      signals: SIGNALS,
      start: Date.parse("2026-05-01T15:00:00Z"),
      end: Date.parse("2026-05-03T15:00:00Z"),
      isDeep: true,
      isRepairing: false,
    });
  });

  it("reads every parameter", () => {
    const query = "signal=profiles&start=2026-05-01&end=2026-05-02&repair=true&deep=false";

    expect(parse(query)).toEqual({
      signals: ["profiles"],
      start: Date.parse("2026-05-01"),
      end: Date.parse("2026-05-02"),
      isDeep: false,
      isRepairing: true,
    });
  });

  it.each([
    ["signal=spans", "signal", '"spans"'],
    ["repair=yes", "repair", "true or false"],
    ["deep=1", "deep", "true or false"],
    ["start=tomorrow", "start", '"tomorrow"'],
    ["start=2026-05-02&end=2026-05-01", "end", "Cannot verify the window"],
    ["deep=true&deep=false", "deep", "more than once"],
    ["force=true", "force", "expected one of signal, start, end, repair, deep"],
  ])("refuses %s", (query, field, sentence) => {
    expect.assertions(3);
    try {
      parse(query);
    } catch (error) {
      expect(error).toBeInstanceOf(FirnError);
      expect(error).toMatchObject({ kind: "invalid_request", field });
      expect(error).toHaveProperty("message", expect.stringContaining(sentence));
    }
  });
});

const guard: MiddlewareHandler<GrantEnv> = async (context, next) => {
  context.set("grant", { tenant: "acme", scopes: ["admin"] });
  await next();
};
const refuse = (): never => {
  throw new Error("nobody asked for this");
};
const verify = async (tenant: string, order: VerifyOrder): Promise<VerifyDocument> => ({
  ok: true,
  complete: true,
  next: null,
  window: { start: tenant, end: "", signals: order.signals },
  deep: order.isDeep,
  checked: { hours: 0, objects: 0, members: 0, items: 0, bytes: 0 },
  findings: [],
  finding_count: 0,
  repaired: 0,
  sequences: [],
  notes: [],
});

describe("POST /admin/verify", () => {
  it("verifies the tenant of the token and answers with the document", async () => {
    const access = openFakeShards({ shards: [], answer: () => ({}) });
    const routes = openAdminRoutes({ access, archive: refuse, examine: refuse, verify }, { read: guard, admin: guard });

    const response = await routes.request("/admin/verify?signal=logs&deep=false", { method: "POST" });

    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toMatchObject({
      ok: true,
      deep: false,
      window: { start: "acme", signals: ["logs"] },
    });
  });
});
