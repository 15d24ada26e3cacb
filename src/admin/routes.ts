/** The operator's routes: `/status`, `/archive`, and `/admin/` with `doctor`, `flush`, `compact` and `verify`. */
import { Hono } from "hono";
import type { Context, MiddlewareHandler } from "hono";
import type { GrantEnv } from "../auth/middleware.ts";
import type { VerifyDocument, VerifyOrder } from "../compaction/verify/contract.ts";
import { FirnError } from "../errors.ts";
import { isSignal, SIGNALS, type Signal } from "../signal.ts";
import { readArchive, type ArchiveDeps } from "./archive.ts";
import { parseCompactOrder } from "./compact-order.ts";
import { compactWindow } from "./compact.ts";
import type { CompactorAccess } from "./compactors.ts";
import type { DoctorDocument } from "./doctor/document.ts";
import { formatDoctor } from "./doctor/text.ts";
import type { ShardAccess } from "./fan-out.ts";
import { flushShards } from "./flush.ts";
import { respondSlowly, respondSlowlyInText } from "../slow-json.ts";
import { readStatus } from "./status.ts";
import { parseVerifyOrder } from "./verify-order.ts";

/** Who may do what here. */
export interface AdminGuards {
  readonly read: MiddlewareHandler<GrantEnv>;
  readonly admin: MiddlewareHandler<GrantEnv>;
}

/** What the routes ask. */
export interface AdminDeps {
  readonly access: ShardAccess & CompactorAccess;
  /** The archive of one tenant. */
  readonly archive: (tenant: string) => ArchiveDeps;
  /** Examines the deployment for a tenant's administrator. */
  readonly examine: (tenant: string) => Promise<DoctorDocument>;
  /** Verifies a tenant's archive, until the client leaves. */
  readonly verify: (tenant: string, order: VerifyOrder, client: AbortSignal) => Promise<VerifyDocument>;
}

/** Opens the routes. */
export function openAdminRoutes({ access, archive, examine, verify }: AdminDeps, guards: AdminGuards): Hono<GrantEnv> {
  const routes = new Hono<GrantEnv>({ strict: false });
  routes.get("/status", guards.read, async (context) => {
    context.header("cache-control", "no-store");
    return context.json(await readStatus(access, context.get("grant").tenant, Date.now()));
  });
  routes.get("/archive", guards.read, async (context) => {
    context.header("cache-control", "no-store");
    const { searchParams } = new URL(context.req.url);
    return context.json(await readArchive(searchParams, archive(context.get("grant").tenant)));
  });
  routes.get("/admin/doctor", guards.admin, (context) => {
    const { tenant } = context.get("grant");
    return parseForm(context) === "json"
      ? respondSlowly(() => examine(tenant))
      : respondSlowlyInText(async () => formatDoctor(await examine(tenant)));
  });
  routes.post("/admin/flush", guards.admin, (context) => {
    const signal = parseSignal(context.req.query("signal"));
    const { tenant } = context.get("grant");
    return respondSlowly(() => flushShards(access, tenant, signal));
  });
  routes.post("/admin/compact", guards.admin, (context) => {
    const order = parseCompactOrder(new URL(context.req.url).searchParams, Date.now());
    const { tenant } = context.get("grant");
    return respondSlowly((client) => compactWindow(access, order, { tenant, now: () => Date.now(), client }));
  });
  routes.post("/admin/verify", guards.admin, (context) => {
    const order = parseVerifyOrder(new URL(context.req.url).searchParams, Date.now());
    const { tenant } = context.get("grant");
    return respondSlowly((client) => verify(tenant, order, client));
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

/** The parameter says it, or else what the client accepts; JSON where neither asks for text. */
function parseForm({ req }: Context<GrantEnv>): "json" | "text" {
  const format = req.query("format") ?? (req.header("accept")?.startsWith("text/plain") === true ? "text" : "json");
  if (format === "json" || format === "text") return format;
  throw new FirnError(
    "invalid_request",
    `Cannot use the parameter format: found "${format}", expected "json" or "text"`,
    {
      field: "format",
    },
  );
}
