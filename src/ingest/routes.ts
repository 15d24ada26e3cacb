/** The OTLP/HTTP routes (otlp-http 2). */
import { Hono } from "hono";
import type { GrantEnv } from "../auth/middleware.ts";
import { FirnError } from "../errors.ts";
import { ITEM_SIGNALS } from "../signal.ts";
import { ingest, type IngestDeps } from "./ingest.ts";
import type { MiddlewareHandler } from "hono";

/** Methods of an ingest route, as its `Allow` header lists them. */
const ALLOW = "POST";

/** Opens `POST /v1/<signal>`; any other method is answered with 405. */
export function openIngestRoutes(deps: IngestDeps, authenticate: MiddlewareHandler<GrantEnv>): Hono<GrantEnv> {
  const routes = new Hono<GrantEnv>({ strict: false });
  for (const signal of ITEM_SIGNALS) {
    routes.post(`/v1/${signal}`, authenticate, (context) =>
      ingest({ tenant: context.get("grant").tenant, signal, request: context.req.raw }, deps),
    );
    routes.all(`/v1/${signal}`, (context) => {
      const message = `Cannot ${context.req.method} on an ingest route, expected ${ALLOW}`;
      throw new FirnError("method_not_allowed", message, { allow: ALLOW });
    });
  }
  return routes;
}
