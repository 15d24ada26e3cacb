/** The operator's routes: `GET /status` and `POST /admin/flush`. */
import { Hono } from "hono";
import type { MiddlewareHandler } from "hono";
import type { GrantEnv } from "../auth/middleware.ts";
import { FirnError } from "../errors.ts";
import { isSignal, SIGNALS, type Signal } from "../signal.ts";
import type { ShardAccess } from "./fan-out.ts";
import { flushShards } from "./flush.ts";
import { respondSlowly } from "./slow-json.ts";
import { readStatus } from "./status.ts";

/** Who may do what here. */
export interface AdminGuards {
  readonly read: MiddlewareHandler<GrantEnv>;
  readonly admin: MiddlewareHandler<GrantEnv>;
}

/** Opens the routes. */
export function openAdminRoutes(access: ShardAccess, guards: AdminGuards): Hono<GrantEnv> {
  const routes = new Hono<GrantEnv>({ strict: false });
  routes.get("/status", guards.read, async (context) => {
    context.header("cache-control", "no-store");
    return context.json(await readStatus(access, context.get("grant").tenant, Date.now()));
  });
  routes.post("/admin/flush", guards.admin, (context) => {
    const signal = parseSignal(context.req.query("signal"));
    const { tenant } = context.get("grant");
    return respondSlowly(() => flushShards(access, tenant, signal));
  });
  return routes;
}

function parseSignal(text: string | undefined): Signal | null {
  if (text === undefined || text === "all") return null;
  if (isSignal(text)) return text;
  const expected = [...SIGNALS, "all"].map((name) => `"${name}"`).join(", ");
  throw new FirnError("invalid_request", `Cannot use the parameter signal: found "${text}", expected ${expected}`, {
    field: "signal",
  });
}
