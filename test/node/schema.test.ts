import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generateSchema } from "../../scripts/generate-otlp-schema.ts";

test("schema.generated.ts is what the vendored .proto files say", () => {
  const table = readFileSync(join(import.meta.dirname, "../../src/otlp/schema.generated.ts"), "utf8");

  expect(table).toBe(generateSchema());
});
