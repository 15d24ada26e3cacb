import { env } from "cloudflare:workers";
import { evictDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";

function open(name: string): DurableObjectStub<import("../../src/index.ts").Directory> {
  return env.DIRECTORY.get(env.DIRECTORY.idFromName(name));
}

it("the Directory names the deployment once, and again after an eviction", async () => {
  const [first, same] = await Promise.all([open("first").deploymentId(), open("first").deploymentId()]);
  await evictDurableObject(open("first"));

  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(same).toBe(first);
  expect(await open("first").deploymentId()).toBe(first);
});

it("two Directories name two deployments", async () => {
  const [one, other] = await Promise.all(["one", "other"].map((name) => open(name).deploymentId()));

  expect(one).not.toBe(other);
});
