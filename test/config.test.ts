import { describe, expect, it } from "vitest";
import { readConfig, readCorsOrigins } from "../src/config.ts";

const DIGEST = "ab".repeat(32);
/** What `npm run token -- "$UNSET"` and `printf "$UNSET" | sha256sum` make. */
const EMPTY_DIGEST = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array())).toHex();

describe("readConfig()", () => {
  it("has the defaults of the design", () => {
    const config = readConfig({});

    expect(config).toMatchObject({
      tokens: [],
      allowAnonymous: false,
      shards: 1,
      flushInterval: 60,
      flushMaxBytes: 32 * 1024 * 1024,
      backlogMaxBytes: 1024 ** 3,
      maxRequestBytes: 20 * 1024 * 1024,
      dedupeWindow: 3600,
      corsOrigins: { kind: "any" },
      jurisdiction: null,
    });
    expect(config.archive).toMatchObject({ prefix: "", marshaler: "otlp_proto", compression: "gzip" });
  });

  it.each([
    ["ALLOW_ANONYMOUS", "yes", 'found "yes", expected "true" or "false"'],
    ["SHARDS", "0", "whole number from 1 to 256"],
    ["SHARDS", "1.5", "whole number from 1 to 256"],
    ["FLUSH_INTERVAL_SECONDS", "soon", 'found "soon"'],
    ["MAX_REQUEST_BYTES", "1000", "from 4194304 to 25165824"],
    ["DEDUPE_WINDOW_SECONDS", "60", "expected 0 (off) or at least 900"],
    ["ARCHIVE_STORE", "gcs", 'expected "r2" or "s3" or "azure"'],
    ["ARCHIVE_MARSHALER", "json", 'found "json", expected "otlp_proto" or "otlp_json"'],
    ["ARCHIVE_COMPRESSION", "br", 'found "br", expected "gzip" or "zstd" or "none"'],
    ["ARCHIVE_PREFIX", "a//b", "single slashes"],
    ["ARCHIVE_PREFIX", "a/../b", "segments"],
    ["ARCHIVE_PREFIX", "x/_firn", "_firn"],
    ["ARCHIVE_FILE_PREFIX", "a/b", "letters, digits"],
    ["ARCHIVE_PARTITION_FORMAT", "%Y/%Q", 'unknown directive "%Q"'],
    ["BACKLOG_MAX_BYTES", "0", "whole number from 1 to"],
    ["INGEST_TOKEN_SHA256", EMPTY_DIGEST, "the digest of an empty token"],
    ["ADMIN_TOKEN_SHA256", `${DIGEST},${EMPTY_DIGEST.toUpperCase()}`, "the digest of an empty token"],
    ["JURISDICTION", "moon", "eu, fedramp, us"],
    ["INGEST_TOKEN_SHA256", "secret", "64 hex digits"],
    ["TENANTS", "{", "not JSON"],
    ["TENANTS", '{"a/b":{"tokens":[]}}', 'found the name "a/b"'],
    ["TENANTS", `{"acme":{"tokens":[{"sha256":"${EMPTY_DIGEST}","scopes":["read"]}]}}`, "digest of an empty token"],
    ["TENANTS", '{"acme":{}}', 'no list "tokens"'],
    ["TENANTS", `{"acme":{"tokens":[{"sha256":"${DIGEST}","scopes":["all"]}]}}`, "without scopes"],
  ])("names %s=%s in one sentence", (name, value, sentence) => {
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^Cannot (use the setting|parse) ${name}[: ]`));
    expect(() => readConfig({ [name]: value })).toThrow(sentence);
  });

  it("takes numbers and booleans as TOML writes them", () => {
    expect(readConfig({ SHARDS: 4, ALLOW_ANONYMOUS: true })).toMatchObject({ shards: 4, allowAnonymous: true });
    expect(() => readConfig({ SHARDS: [4] })).toThrow("Cannot use the setting SHARDS: found object, expected text");
  });

  it.each([
    "app.example.com",
    "https://app.example.com/",
    "https://app.example.com/path",
    "https://",
    "https://a b",
    "https://*",
    "https://a.*.example.com",
    "https://*.*.example.com",
    "https://user@example.com",
    "https://example.com:port",
    "*.example.com",
    "null",
  ])("names the entry %j of CORS_ORIGINS that is no origin", (entry) => {
    const expected = 'expected "*", "none", or origins such as "https://app.example.com" and "https://*.example.com"';

    expect(() => readConfig({ CORS_ORIGINS: `https://good.example.com, ${entry}` })).toThrow(
      `Cannot use the setting CORS_ORIGINS: found "${entry}", ${expected}, without a path`,
    );
  });

  it.each(["https://a.example.com,*", "none, https://a.example.com", "*,*", ","])(
    "refuses %j as CORS_ORIGINS: the two words stand alone",
    (value) => {
      expect(() => readConfig({ CORS_ORIGINS: value })).toThrow("CORS_ORIGINS");
    },
  );

  it("reads origins as browsers write them", () => {
    const origins = ["HTTPS://App.Example.com:443", "http://*.example.com:80", "http://[::1]:80", "http://a:8080"];
    const expected = ["https://app.example.com", "http://*.example.com", "http://[::1]", "http://a:8080"];

    expect(readConfig({ CORS_ORIGINS: origins.join(" , ") }).corsOrigins).toEqual({ kind: "list", origins: expected });
    expect(readCorsOrigins({ CORS_ORIGINS: "NONE", SHARDS: "wrong" })).toEqual({ kind: "none" });
  });

  it("takes every marshaler with every compression", () => {
    for (const marshaler of ["otlp_proto", "otlp_json"]) {
      for (const compression of ["gzip", "zstd", "none"]) {
        const { archive } = readConfig({ ARCHIVE_MARSHALER: marshaler, ARCHIVE_COMPRESSION: compression });
        expect(archive).toMatchObject({ marshaler, compression });
      }
    }
  });

  it("never repeats the value of a digest in a message", () => {
    expect(() => readConfig({ INGEST_TOKEN_SHA256: "hunter2" })).not.toThrow("hunter2");
    expect(() => readConfig({ INGEST_TOKEN_SHA256: "hunter2" })).toThrow();
  });

  it("reads a list of digests for each scope, and tenants", () => {
    const other = "cd".repeat(32);
    const tenants = JSON.stringify({ acme: { tokens: [{ sha256: other, scopes: ["ingest", "read"] }] } });

    const { tokens } = readConfig({ READ_TOKEN_SHA256: `${DIGEST}, ${DIGEST.toUpperCase()}`, TENANTS: tenants });

    expect(tokens).toEqual([
      { sha256Hex: DIGEST, tenant: "", scopes: ["read"] },
      { sha256Hex: DIGEST, tenant: "", scopes: ["read"] },
      { sha256Hex: other, tenant: "acme", scopes: ["ingest", "read"] },
    ]);
  });

  it("refuses one token for two tenants, which would leave its tenant to chance", () => {
    const token = { sha256: DIGEST, scopes: ["read"] };
    const tenants = JSON.stringify({ a: { tokens: [token] }, b: { tokens: [token] } });

    expect(() => readConfig({ TENANTS: tenants })).toThrow("stands for two tenants");
  });

  it("refuses a tenant whose name a partition of the unnamed tenant could begin with", () => {
    const tenants = JSON.stringify({ "2026": { tokens: [{ sha256: DIGEST, scopes: ["read"] }] } });

    expect(() => readConfig({ TENANTS: tenants, ARCHIVE_PARTITION_FORMAT: "%Y/%m/%d/%H" })).toThrow('the name "2026"');
    expect(readConfig({ TENANTS: tenants }).tokens.length).toBe(1);
  });

  it("drops slashes at the ends of a prefix", () => {
    expect(readConfig({ ARCHIVE_PREFIX: "/firn/prod/" }).archive.prefix).toBe("firn/prod");
  });
});
