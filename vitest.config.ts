import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Tests that need the stores of `test/servers/`, which are started for them alone. */
const STORE_TESTS = ["test/object-store/{s3,azure}/servers/**/*.test.ts", "test/admin/doctor/servers/**/*.test.ts"];

/** A loaded machine is slow, and no test is about time: only what hangs fails. */
const TEST_TIMEOUT_MILLIS = 60_000;

const config: ViteUserConfig = defineConfig({
  test: {
    silent: "passed-only",
    projects: [
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" } })],
        test: {
          name: "workerd",
          include: ["test/**/*.test.ts"],
          exclude: ["**/node_modules/**", "test/node/**", ...STORE_TESTS],
          testTimeout: TEST_TIMEOUT_MILLIS,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" } })],
        test: {
          name: "stores",
          include: STORE_TESTS,
          testTimeout: TEST_TIMEOUT_MILLIS,
          globalSetup: ["test/servers/global-setup.ts"],
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "node",
          include: ["test/node/**/*.test.ts"],
          environment: "node",
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});

export default config;
