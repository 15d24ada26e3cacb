/** Root of HTTP: which route exists, who may use it, and how a failure is answered. */
import { Hono } from "hono";
import { examine } from "./admin/doctor/doctor.ts";
import { openAdminRoutes } from "./admin/routes.ts";
import { readWatermark } from "./admin/status.ts";
import { toLayout } from "./archive/key.ts";
import type { Grant } from "./auth/contract.ts";
import type { ShardIdentity } from "./buffer/contract.ts";
import { requireGrant, type GrantEnv } from "./auth/middleware.ts";
import type { VerifyOrder } from "./compaction/verify/contract.ts";
import { verify } from "./compaction/verify/verify.ts";
import { readConfig, readCorsOrigins, type Bindings, type Config } from "./config.ts";
import type { CorsOrigins } from "./config/cors-settings.ts";
import { openArchiveStore, openDoctorGroups, openShardClient } from "./durable-objects/clients.ts";
import { openVerifyDeps } from "./durable-objects/verify-deps.ts";
import { FirnError, toErrorMessage } from "./errors.ts";
import { toErrorResponse, toHttpMeaning } from "./http-errors.ts";
import { toCorsHeaders } from "./ingest/cors.ts";
import { openIdentity } from "./ingest/identity.ts";
import { ingest, type IngestDeps } from "./ingest/ingest.ts";
import { parseMediaType } from "./ingest/media-type.ts";
import { openIngestRoutes } from "./ingest/routes.ts";
import { REQUEST_BODY_TIMEOUT } from "./limits.ts";
import { log } from "./log.ts";
import type { ReplayDeps } from "./replay/contract.ts";
import { openReplayRoutes } from "./replay/routes.ts";
import { millis, secondsToMillis, type Millis } from "./units.ts";

/** Short enough to be read out, and unique within any log that is searched for it. */
const REQUEST_ID_BYTES = 6;
const DAY_MILLIS = 86_400_000;

/**
 * Opens the HTTP surface.
 * @param env - variables and secrets; wrong ones don't throw here but answer every request but `/healthz` with the
 * sentence that names them, so that a deployment says what is the matter
 */
export function openApp(env: Readonly<Record<string, unknown>>, bindings: Bindings): Hono<GrantEnv> {
  const app = new Hono<GrantEnv>({ strict: false });
  const corsOrigins = findCorsOrigins(env);
  app.use(async (_context, next) => {
    try {
      await next();
    } catch (thrown) {
      // Hono hands only an Error on; anything else would be answered by the platform, in text.
      throw new FirnError("internal", toErrorMessage(thrown), { cause: thrown });
    }
  });
  app.get("/healthz", (context) => context.text("ok\n"));
  app.notFound((context) => {
    const message = `Cannot find ${context.req.method} ${context.req.path}`;
    const answer = toAnswer(context.req.raw, new FirnError("not_found", message));
    // A browser whose endpoint has a slip in it is told so; the answer says nothing of the deployment.
    const headers = toCorsHeaders(context.req.raw.headers, corsOrigins);
    for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value);
    return answer;
  });
  app.onError((error, context) => toAnswer(context.req.raw, error));
  try {
    const config = readConfig(env);
    mountRoutes(app, config, bindings);
    for (const warning of config.warnings) log("warn", "config.warning", { warning });
  } catch (error) {
    log("error", "config.wrong", { error: toErrorMessage(error) });
    const refuse = (): never => {
      throw error;
    };
    app.route("/", openIngestRoutes({ corsOrigins, authenticate: refuse, ingest: refuse }));
    app.all("*", refuse);
  }
  return app;
}

/** Browsers can read what is wrong with the settings, too, unless it is this one. */
function findCorsOrigins(env: Readonly<Record<string, unknown>>): CorsOrigins {
  try {
    return readCorsOrigins(env);
  } catch {
    // Reported with all other settings, by `readConfig`.
    return { kind: "any" };
  }
}

function mountRoutes(app: Hono<GrantEnv>, config: Config, bindings: Bindings): void {
  const client = openShardClient(bindings, config);
  const { marshaler, compression } = config.archive;
  const ingestDeps: IngestDeps = {
    maxRequestBytes: config.maxRequestBytes,
    bodyTimeout: REQUEST_BODY_TIMEOUT,
    shards: config.shards,
    computeIdentity: openIdentity(),
    isDeduped: config.dedupeWindow > 0,
    form: { marshaler, compression },
    openShard: (identity: ShardIdentity) => client.shard(identity),
  };
  app.route(
    "/",
    openIngestRoutes({
      corsOrigins: config.corsOrigins,
      authenticate: requireGrant(config, "ingest"),
      ingest: (request) => ingest(request, ingestDeps),
    }),
  );
  const store = openArchiveStore(bindings, config, "read");
  const bodyTimeout = secondsToMillis(config.storeTimeout);
  const { bucketExpiration } = config.compaction.rules;
  const expiry = (): { readonly expiredBefore?: Millis } =>
    bucketExpiration === null ? {} : { expiredBefore: millis(Date.now() - bucketExpiration) };
  const openReplayDeps = ({ tenant }: Grant): ReplayDeps => ({
    store,
    layout: toLayout(config.archive, tenant),
    watermark: (signal) => readWatermark(client, { tenant, signal, now: Date.now() }),
    now: () => millis(Date.now()),
    eventMaxLate: config.eventMaxLate,
    bodyTimeout,
    ...expiry(),
  });
  app.route("/", openReplayRoutes(openReplayDeps, requireGrant(config, "read")));
  const adminDeps = {
    access: client,
    archive: (tenant: string) => ({ store, layout: toLayout(config.archive, tenant), bodyTimeout, ...expiry() }),
    examine: (tenant: string) => {
      const groups = openDoctorGroups(bindings, config);
      const expirationDays = bucketExpiration === null ? null : bucketExpiration / DAY_MILLIS;
      return examine({ config, warnings: config.warnings, groups, expirationDays }, tenant);
    },
    verify: (tenant: string, order: VerifyOrder, signal: AbortSignal) =>
      verify(order, openVerifyDeps(order, { bindings, config, tenant, client: signal })),
  };
  const guards = { read: requireGrant(config, "read"), admin: requireGrant(config, "admin") };
  app.route("/", openAdminRoutes(adminDeps, guards));
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
