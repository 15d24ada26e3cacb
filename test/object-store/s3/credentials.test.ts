import { describe, expect, it } from "vitest";
import type { S3CredentialsConfig, S3Role } from "../../../src/config/storage-config.ts";
import { openS3Store } from "../../../src/object-store/s3/s3-store.ts";
import {
  errorAnswer,
  headAnswer,
  NOW,
  openScripted,
  PLAIN,
  scriptFetch,
  type Scripted,
  type SentRequest,
} from "./s3-kit.ts";

const ROLE: S3Role = { arn: "arn:aws:iam::123456789012:role/firn", externalId: "ext 1", stsEndpoint: null };
const KEYS = { accessKeyId: "AKIDLONG", secretAccessKey: "long-lived-secret", sessionToken: null };
const ASSUMED: S3CredentialsConfig = { kind: "keys", keys: KEYS, role: ROLE };
const HOUR = 3_600_000;

/** What STS answers: keys that are named by a number and expire after a time. */
function keysAnswer(name: number, expiresAt: number, action = "AssumeRole"): Response {
  const credentials =
    `<AccessKeyId>ASIA${name}</AccessKeyId><SecretAccessKey>secret${name}</SecretAccessKey>` +
    `<SessionToken>token${name}</SessionToken><Expiration>${new Date(expiresAt).toISOString()}</Expiration>`;
  return new Response(
    `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>` +
      `<Credentials>${credentials}</Credentials></${action}Result></${action}Response>`,
  );
}

function stsError(status: number, code: string, headers: Record<string, string> = {}): Response {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error>`;
  return new Response(`<ErrorResponse>${error}</ErrorResponse>`, { status, headers });
}

/** A store at AWS whose clock the test moves. */
function openAt(script: readonly Scripted[], credentials: S3CredentialsConfig = ASSUMED): Opened {
  const clock = { now: NOW };
  const { store, sent } = openScripted(script, { credentials, endpoint: null }, () => clock.now);
  return { store, sent, clock };
}

type Opened = ReturnType<typeof openScripted> & { readonly clock: { now: number } };

/** Access key ids of the requests, STS's own marked. */
function signersOf(sent: readonly SentRequest[]): readonly string[] {
  return sent.map(({ url, headers }) => {
    const id = /Credential=([^/]+)/.exec(headers.get("authorization") ?? "")?.[1] ?? "nobody";
    return url.startsWith("https://sts.") ? `sts by ${id}` : id;
  });
}

describe("openCredentials() of a role", () => {
  it("assumes it with a signed form and signs with its keys", async () => {
    const { store, sent } = openAt([keysAnswer(1, NOW + HOUR), headAnswer(1)]);

    await store.head("a");

    expect(sent[0]).toMatchObject({ method: "POST", url: "https://sts.eu-west-1.amazonaws.com/" });
    expect(Object.fromEntries(new URLSearchParams(sent[0]?.body))).toEqual({
      Action: "AssumeRole",
      Version: "2011-06-15",
      RoleArn: ROLE.arn,
      RoleSessionName: "firn",
      DurationSeconds: "3600",
      ExternalId: "ext 1",
    });
    const authorization = sent[0]?.headers.get("authorization");
    expect(authorization).toContain("Credential=AKIDLONG/20261130/eu-west-1/sts/aws4_request, ");
    expect(authorization).toContain("SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, ");
    expect(sent[1]?.headers.get("authorization")).toContain("Credential=ASIA1/20261130/eu-west-1/s3/aws4_request");
    expect(sent[1]?.headers.get("x-amz-security-token")).toBe("token1");
  });

  it("presents a web identity token and signs nothing", async () => {
    const web: S3CredentialsConfig = { kind: "web-identity", role: { ...ROLE, externalId: null }, token: "jwt" };
    const { store, sent } = openAt([keysAnswer(1, NOW + HOUR, "AssumeRoleWithWebIdentity"), headAnswer(1)], web);

    await store.head("a");

    expect(sent[0]?.headers.has("authorization")).toBe(false);
    expect(Object.fromEntries(new URLSearchParams(sent[0]?.body))).toMatchObject({
      Action: "AssumeRoleWithWebIdentity",
      WebIdentityToken: "jwt",
    });
    expect(signersOf(sent)).toEqual(["sts by nobody", "ASIA1"]);
  });

  it.each([
    [null, "ceph", "https://store.example/"],
    ["https://sts.example/", "ceph", "https://sts.example/"],
    [null, "aws", "https://sts.eu-west-1.amazonaws.com/"],
  ] as const)("asks STS set to %s of a %s endpoint at %s", async (stsEndpoint, dialect, url) => {
    const { fetch, sent } = scriptFetch([keysAnswer(1, NOW + HOUR), headAnswer(1)]);
    const credentials = { ...ASSUMED, role: { ...ROLE, stsEndpoint } };

    await openS3Store({ ...PLAIN, dialect, credentials }, { now: () => NOW, fetch }).head("a");

    expect(sent[0]?.url).toBe(url);
  });

  it("asks once for several calls at the same moment, and not again before the margin", async () => {
    const { store, sent, clock } = openAt([
      keysAnswer(1, NOW + HOUR),
      headAnswer(1),
      headAnswer(1),
      headAnswer(1),
      keysAnswer(2, NOW + 2 * HOUR),
      headAnswer(1),
    ]);

    await Promise.all([store.head("a"), store.head("b")]);
    clock.now = NOW + HOUR - 301_000;
    await store.head("c");
    clock.now = NOW + HOUR - 299_000;
    await store.head("d");

    expect(signersOf(sent)).toEqual(["sts by AKIDLONG", "ASIA1", "ASIA1", "ASIA1", "sts by AKIDLONG", "ASIA2"]);
  });

  it("uses old keys while they live when a renewal fails, and does not ask at every call", async () => {
    const { store, sent, clock } = openAt([
      keysAnswer(1, NOW + HOUR),
      headAnswer(1),
      stsError(503, "ServiceUnavailable"),
      headAnswer(1),
      headAnswer(1),
      new Error("Network connection lost."),
    ]);

    await store.head("a");
    clock.now = NOW + HOUR - 200_000;
    await store.head("b");
    clock.now += 10_000;
    await store.head("c");
    clock.now = NOW + HOUR;
    await expect(store.head("d")).rejects.toMatchObject({ kind: "store_unavailable" });

    expect(signersOf(sent)).toEqual([
      "sts by AKIDLONG",
      "ASIA1",
      "sts by AKIDLONG",
      "ASIA1",
      "ASIA1",
      "sts by AKIDLONG",
    ]);
  });

  it("asks again after a call that never ended", async () => {
    const { fetch } = scriptFetch([keysAnswer(1, NOW + 2 * HOUR), headAnswer(1)]);
    const clock = { now: NOW };
    let asked = 0;
    const store = openS3Store(
      { ...PLAIN, credentials: ASSUMED },
      {
        now: () => clock.now,
        fetch: (url, init) => (asked++ === 0 ? new Promise<Response>(() => undefined) : fetch(url, init)),
      },
    );

    void store.head("a");
    await scheduler.wait(1);
    clock.now += 31_000;

    expect(await store.head("b")).toMatchObject({ length: 1 });
  });

  it("renews keys that the store calls expired, once", async () => {
    const { store, sent, clock } = openAt([
      keysAnswer(1, NOW + HOUR),
      headAnswer(1),
      errorAnswer(400, "ExpiredToken"),
      keysAnswer(2, NOW + HOUR),
      errorAnswer(400, "ExpiredToken"),
    ]);

    await store.head("a");
    clock.now += 120_000;
    await expect(store.get("b")).rejects.toMatchObject({
      kind: "store_refused",
      message: 'Cannot get object "b" in S3: ExpiredToken (400), renew the session token',
    });

    expect(signersOf(sent)).toEqual(["sts by AKIDLONG", "ASIA1", "ASIA1", "sts by AKIDLONG", "ASIA2"]);
  });

  it("does not ask STS without end for keys that are refused as soon as they come", async () => {
    const { store, sent } = openAt([keysAnswer(1, NOW + HOUR), errorAnswer(400, "InvalidToken")]);

    await expect(store.get("a")).rejects.toMatchObject({ kind: "store_refused" });

    expect(sent).toHaveLength(2);
  });

  it.each([
    [
      stsError(403, "AccessDenied"),
      "store_refused",
      "AccessDenied (403), the role must trust these credentials, and the external id",
    ],
    [
      stsError(400, "ExpiredTokenException"),
      "store_refused",
      "ExpiredTokenException (400), give a new web identity token",
    ],
    [stsError(400, "Throttling"), "store_unavailable", "Throttling (400)"],
    [new Response("<html>"), "store_unavailable", "the answer has no credentials in it"],
    [new Response(null, { status: 502 }), "store_unavailable", "HTTP 502"],
  ])("says why a role is not given (%#)", async (answer, kind, found) => {
    const { store } = openAt([answer]);

    await expect(store.head("a")).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(`Cannot assume role "${ROLE.arn}" for S3: ${found}`),
    });
  });

  it("asks STS again when the clock was wrong", async () => {
    const date = new Date(NOW + HOUR).toUTCString();
    const skewed = stsError(403, "SignatureDoesNotMatch", { date });
    const { store, sent } = openAt([skewed, keysAnswer(1, NOW + 2 * HOUR), headAnswer(1)]);

    await store.head("a");

    expect(sent.map(({ headers }) => headers.get("x-amz-date"))).toEqual([
      "20261130T120000Z",
      "20261130T130000Z",
      "20261130T130000Z",
    ]);
  });
});

describe("openCredentials() of keys", () => {
  it("does not repeat a call whose session token expired", async () => {
    const keys = { ...KEYS, sessionToken: "session" };
    const { store, sent } = openAt([errorAnswer(400, "ExpiredToken")], { kind: "keys", keys, role: null });

    await expect(store.get("a")).rejects.toMatchObject({ kind: "store_refused" });

    expect(sent).toHaveLength(1);
    expect(sent[0]?.headers.get("x-amz-security-token")).toBe("session");
  });
});
