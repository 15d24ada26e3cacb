/** The route of replay (DESIGN.md section 9). */
import { Hono } from "hono";
import type { MiddlewareHandler } from "hono";
import type { Grant } from "../auth/contract.ts";
import type { GrantEnv } from "../auth/middleware.ts";
import { FirnError } from "../errors.ts";
import type { ReplayDeps } from "./contract.ts";
import { replayResponse } from "./replay.ts";

/** Methods of the route, as its `Allow` header lists them. */
const ALLOW = "GET";

/**
 * Opens `GET /replay`; any other method is answered with 405.
 * @param openDeps - the outside of one request; the layout is that of the grant's tenant
 */
export function openReplayRoutes(
  openDeps: (grant: Grant) => ReplayDeps,
  authenticate: MiddlewareHandler<GrantEnv>,
): Hono<GrantEnv> {
  const routes = new Hono<GrantEnv>({ strict: false });
  routes.get("/replay", authenticate, (context) => {
    const { method, url, headers } = context.req.raw;
    // Hono answers HEAD by way of GET: that would start a replay that nobody reads.
    if (method !== ALLOW) throw refuseMethod(method);
    const acceptEncoding = readAcceptEncoding(context.req.raw);
    const request = { query: new URL(url).searchParams, accept: headers.get("accept"), acceptEncoding };
    const waitUntil = (ended: Promise<void>): void => context.executionCtx.waitUntil(ended);
    return replayResponse(request, { waitUntil, ...openDeps(context.get("grant")) });
  });
  routes.all("/replay", (context) => {
    throw refuseMethod(context.req.method);
  });
  return routes;
}

/** Cloudflare, and a local run likewise, put their own codings into the header and the client's beside it. */
function readAcceptEncoding({ headers, cf }: Request): string | null {
  const original: unknown = cf?.["clientAcceptEncoding"];
  return typeof original === "string" ? original : headers.get("accept-encoding");
}

function refuseMethod(method: string): FirnError {
  return new FirnError("method_not_allowed", `Cannot ${method} the replay route, expected ${ALLOW}`, { allow: ALLOW });
}
