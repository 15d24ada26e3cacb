/** The OTLP/HTTP routes and the first of their checks: path, method, authentication (otlp-http 2). */
import { Hono } from "hono";
import type { MiddlewareHandler } from "hono";
import type { GrantEnv } from "../auth/middleware.ts";
import type { CorsOrigins } from "../config/cors-settings.ts";
import { FirnError } from "../errors.ts";
import { SIGNALS, type Signal } from "../signal.ts";
import { ALLOWED_METHODS, answerOptions, toCorsHeaders } from "./cors.ts";
import type { IngestRequest } from "./ingest.ts";

/** What the routes are given by the root. */
export interface IngestRoutesDeps {
  readonly corsOrigins: CorsOrigins;
  readonly authenticate: MiddlewareHandler<GrantEnv>;
  readonly ingest: (request: IngestRequest) => Promise<Response>;
}

/** Opens `POST` and `OPTIONS` on the path of each signal; any other method is answered with 405. */
export function openIngestRoutes({ corsOrigins, authenticate, ingest }: IngestRoutesDeps): Hono<GrantEnv> {
  const routes = new Hono<GrantEnv>({ strict: false });
  const cors: MiddlewareHandler<GrantEnv> = async (context, next) => {
    await next();
    const headers = toCorsHeaders(context.req.raw.headers, corsOrigins);
    for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value);
  };
  for (const signal of SIGNALS) {
    const path = toPath(signal);
    routes.options(path, (context) => answerOptions(context.req.raw.headers, corsOrigins));
    routes.post(path, cors, authenticate, (context) =>
      ingest({ tenant: context.get("grant").tenant, signal, request: context.req.raw }),
    );
    routes.all(path, cors, (context) => {
      const message = `Cannot ${context.req.method} on an ingest route, expected ${ALLOWED_METHODS}`;
      throw new FirnError("method_not_allowed", message, { allow: ALLOWED_METHODS });
    });
  }
  return routes;
}

/** Profiles have no stable version yet (opentelemetry-proto, `docs/specification.md`, OTLP/HTTP Request). */
function toPath(signal: Signal): string {
  return signal === "profiles" ? "/v1development/profiles" : `/v1/${signal}`;
}
