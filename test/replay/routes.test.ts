import { createExecutionContext } from "cloudflare:test";
import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { expect, test } from "vitest";
import { FirnError } from "../../src/errors.ts";
import type { GrantEnv } from "../../src/auth/middleware.ts";
import { openReplayRoutes } from "../../src/replay/routes.ts";
import { at, freshKey, layoutOf } from "../reader/archive-sample.ts";
import { gzip, request } from "../reader/otlp-sample.ts";
import { openSyntheticStore } from "../reader/synthetic-store.ts";

const URL_OF_ANY_FORMAT = "http://firn/replay?signal=traces&start=2026-05-01T14:00&end=2026-05-01T15:00&mark=false";
const URL_OF_HOUR = `${URL_OF_ANY_FORMAT}&format=proto`;
const NOW = at("2026-05-02T00:00:00Z");

/** The routes as the root mounts them; who asks is the header `tenant`. */
function openApp(): Hono {
  const store = openSyntheticStore({
    [freshKey("2026-05-01T14:09:00Z")]: gzip(request("traces", ["n-unnamed"])),
    [freshKey("2026-05-01T14:09:00Z", { layout: layoutOf({ tenant: "acme" }) })]: gzip(request("traces", ["n-acme"])),
  });
  const authenticate = createMiddleware<GrantEnv>(async (context, next) => {
    const tenant = context.req.header("tenant");
    if (tenant === undefined) throw new FirnError("unauthenticated", "Cannot accept the request without a token");
    context.set("grant", { tenant, scopes: ["read"] });
    await next();
  });
  const routes = openReplayRoutes(
    ({ tenant }) => ({
      store,
      layout: layoutOf({ tenant }),
      watermark: () => Promise.resolve(NOW),
      now: () => NOW,
    }),
    authenticate,
  );
  const app = new Hono();
  app.route("/", routes);
  app.onError((error) => {
    const { kind, field, allow } = error instanceof FirnError ? error : new FirnError("internal", error.message);
    return Response.json({ kind, field, allow }, { status: 400 });
  });
  return app;
}

const ask = async (url: string, init: RequestInit): Promise<Response> =>
  openApp().request(url, init, {}, createExecutionContext());

test("openReplayRoutes() replays the archive of the grant's tenant and no other", async () => {
  const unnamed = await ask(URL_OF_HOUR, { headers: { tenant: "" } });
  const acme = await ask(URL_OF_HOUR, { headers: { tenant: "acme" } });

  expect(await unnamed.bytes()).toEqual(request("traces", ["n-unnamed"]));
  expect(await acme.bytes()).toEqual(request("traces", ["n-acme"]));
});

test("openReplayRoutes() lets nobody in whom authentication refuses", async () => {
  const response = await ask(URL_OF_HOUR, {});

  expect(await response.json()).toMatchObject({ kind: "unauthenticated" });
});

test.each(["POST", "PUT", "DELETE"])("openReplayRoutes() refuses %s and names GET", async (method) => {
  const response = await ask(URL_OF_HOUR, { method, headers: { tenant: "" } });

  expect(await response.json()).toEqual({ kind: "method_not_allowed", allow: "GET" });
});

test("openReplayRoutes() refuses HEAD without starting a replay", async () => {
  const response = await ask(URL_OF_HOUR, { method: "HEAD", headers: { tenant: "" } });

  expect(response.status).toBe(400);
});

test("openReplayRoutes() hands errors to the root before anything is sent", async () => {
  const response = await ask("http://firn/replay?signal=traces&start=2026-05-01", { headers: { tenant: "" } });

  expect(await response.json()).toEqual({ kind: "invalid_request", field: "end" });
});

test.each([
  [undefined, "application/x-ndjson"],
  ["*/*", "application/x-ndjson"],
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/x-ndjson"],
  ["application/json", "application/json"],
  ["application/x-protobuf", "application/x-protobuf"],
  ["application/octet-stream", "application/octet-stream"],
])("openReplayRoutes() answers Accept: %s with %s and says that it varies", async (accept, contentType) => {
  const headers = { tenant: "", ...(accept === undefined ? {} : { accept }) };

  const response = await ask(URL_OF_ANY_FORMAT, { headers });

  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe(contentType);
  expect(response.headers.get("vary")).toBe("Accept, Accept-Encoding");
});

test("openReplayRoutes() refuses an Accept that names nothing it has, unless the query names a format", async () => {
  const headers = { tenant: "", accept: "image/png" };

  expect(await (await ask(URL_OF_ANY_FORMAT, { headers })).json()).toMatchObject({ kind: "not_acceptable" });
  expect((await ask(URL_OF_HOUR, { headers })).headers.get("content-type")).toBe("application/x-protobuf");
});
