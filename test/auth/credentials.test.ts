import { describe, expect, it } from "vitest";
import { parseAuthorization } from "../../src/auth/credentials.ts";

describe("parseAuthorization()", () => {
  it.each([
    ["Bearer firn_a-b_C", "firn_a-b_C"],
    ["bearer \t firn_a", "firn_a"],
    ["  BEARER firn_a  ", "firn_a"],
    ["firn_a", "firn_a"],
    [`Basic ${btoa("langfuse:firn_a")}`, "firn_a"],
    [`basic ${btoa(":firn_a")}`, "firn_a"],
    [`Basic ${btoa("user:firn:a")}`, "firn:a"],
    [`Basic ${btoa("user:")}`, ""],
  ])("finds the token in %j", (header, token) => {
    expect(parseAuthorization(header)).toBe(token);
  });

  it.each([null, "", "   ", "Basic ???", `Basic ${btoa("no colon")}`])("finds none in %j", (header) => {
    expect(parseAuthorization(header)).toBeNull();
  });

  it.each(["Bearer a, Bearer b", "Digest a", "Bearer"])("leaves %j a text that is no token", (header) => {
    expect(["a", "b", ""]).not.toContain(parseAuthorization(header));
  });
});
