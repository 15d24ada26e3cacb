/** Authentication as a Hono middleware: sets `grant` for the handlers behind it, or throws. */
import { createMiddleware } from "hono/factory";
import type { MiddlewareHandler } from "hono";
import type { Config } from "../config.ts";
import type { Scope } from "../config/token-settings.ts";
import { authenticate, requireScope } from "./authenticate.ts";
import type { Grant } from "./contract.ts";

/** What the middleware leaves in the context. */
export interface GrantEnv {
  Variables: { grant: Grant };
}

/** Lets only requests through whose credential carries the scope. */
export function requireGrant(config: Config, scope: Scope): MiddlewareHandler<GrantEnv> {
  return createMiddleware<GrantEnv>(async (context, next) => {
    const grant = await authenticate(context.req.raw.headers.get("authorization"), config);
    requireScope(grant, scope);
    context.set("grant", grant);
    await next();
  });
}
