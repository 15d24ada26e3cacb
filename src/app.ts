/** Root of HTTP: which route exists, who may use it, and how a failure is answered. */
import { Hono } from "hono";
import { openAdminRoutes } from "./admin/routes.ts";
import { readWatermark } from "./admin/status.ts";
import type { Grant } from "./auth/contract.ts";
import type { ShardIdentity } from "./buffer/contract.ts";
import { requireGrant, type GrantEnv } from "./auth/middleware.ts";
import { readConfig, type Bindings, type Config } from "./config.ts";
import { openArchiveStore, openShardClient } from "./durable-objects/clients.ts";
import { FirnError, toErrorMessage } from "./errors.ts";
import { toErrorResponse, toHttpMeaning } from "./http-errors.ts";
import { openIdentity } from "./ingest/identity.ts";
import { parseMediaType } from "./ingest/media-type.ts";
import { openIngestRoutes } from "./ingest/routes.ts";
import { REQUEST_BODY_TIMEOUT } from "./limits.ts";
import { log } from "./log.ts";
import type { ReplayDeps } from "./replay/contract.ts";
import { openReplayRoutes } from "./replay/routes.ts";
import { millis } from "./units.ts";

/** Short enough to be read out, and unique within any log that is searched for it. */
const REQUEST_ID_BYTES = 6;

/**
 * Opens the HTTP surface.
 * @param env - variables and secrets; wrong ones don't throw here but answer every request but `/healthz` with the
 * sentence that names them, so that a deployment says what is the matter
 */
export function openApp(env: Readonly<Record<string, unknown>>, bindings: Bindings): Hono<GrantEnv> {
  const app = new Hono<GrantEnv>({ strict: false });
  app.get("/healthz", (context) => context.text("ok\n"));
  app.notFound((context) => {
    const message = `Cannot find ${context.req.method} ${context.req.path}`;
    return toAnswer(context.req.raw, new FirnError("not_found", message));
  });
  app.onError((error, context) => toAnswer(context.req.raw, error));
  try {
    mountRoutes(app, readConfig(env), bindings);
  } catch (error) {
    log("error", "config.wrong", { error: toErrorMessage(error) });
    app.all("*", () => {
      throw error;
    });
  }
  return app;
}

function mountRoutes(app: Hono<GrantEnv>, config: Config, bindings: Bindings): void {
  const client = openShardClient(bindings, config);
  const { marshaler, compression } = config.archive;
  const ingestDeps = {
    maxRequestBytes: config.maxRequestBytes,
    bodyTimeout: REQUEST_BODY_TIMEOUT,
    shards: config.shards,
    computeIdentity: openIdentity(),
    isDeduped: config.dedupeWindow > 0,
    form: { marshaler, compression },
    openShard: (identity: ShardIdentity) => client.shard(identity),
  };
  app.route("/", openIngestRoutes(ingestDeps, requireGrant(config, "ingest")));
  const store = openArchiveStore(bindings, config);
  const openReplayDeps = ({ tenant }: Grant): ReplayDeps => ({
    store,
    layout: { ...config.archive, tenant },
    watermark: (signal) => readWatermark(client, { tenant, signal, now: Date.now() }),
    now: () => millis(Date.now()),
  });
  app.route("/", openReplayRoutes(openReplayDeps, requireGrant(config, "read")));
  app.route("/", openAdminRoutes(client, { read: requireGrant(config, "read"), admin: requireGrant(config, "admin") }));
}

/** Answers in the encoding of the request; what the body leaves out is logged here, once, under the id it names. */
function toAnswer(request: Request, error: unknown): Response {
  const failure = error instanceof FirnError ? error : new FirnError("internal", toErrorMessage(error));
  const requestId = crypto.getRandomValues(new Uint8Array(REQUEST_ID_BYTES)).toHex();
  if (toHttpMeaning(failure.kind).sentence !== undefined) {
    const { pathname } = new URL(request.url);
    log("error", "request.failed", {
      request_id: requestId,
      path: pathname,
      kind: failure.kind,
      error: failure.message,
    });
  }
  return toErrorResponse(failure, {
    encoding: parseMediaType(request.headers.get("content-type")) ?? "json",
    requestId,
  });
}
