import { describe, expect, it } from "vitest";
import { EMPTY_SHA256_HEX, sign, type UnsignedRequest } from "../../../src/object-store/s3/sign.ts";
import { hexOf } from "../../conformance/put-source.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Examples: Signature Calculations" */
const EXAMPLE = {
  keys: {
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    sessionToken: null,
  },
  service: "s3",
  region: "us-east-1",
  time: Date.parse("2013-05-24T00:00:00Z"),
} as const;
const BUCKET = "https://examplebucket.s3.amazonaws.com";
const GET = { method: "GET", headers: {}, sha256Hex: EMPTY_SHA256_HEX } as const;

async function authorizationOf(request: UnsignedRequest): Promise<string | null> {
  return (await sign(request, { ...EXAMPLE, derivedKeys: new Map() })).get("authorization");
}

function expected(signedHeaders: string, signature: string): string {
  const credential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
}

describe("sign()", () => {
  it("signs AWS's example GET of an object", async () => {
    const request = { ...GET, url: `${BUCKET}/test.txt`, headers: { range: "bytes=0-9" } };

    expect(await authorizationOf(request)).toBe(
      expected(
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
      ),
    );
  });

  it("signs AWS's example PUT of an object", async () => {
    const request = {
      method: "PUT",
      url: `${BUCKET}/test%24file.text`,
      headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
      sha256Hex: await hexOf(new TextEncoder().encode("Welcome to Amazon S3.")),
    };

    expect(await authorizationOf(request)).toBe(
      expected(
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
      ),
    );
  });

  it.each([
    ["GET of a lifecycle", "?lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"],
    ["list of objects", "?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"],
  ])("signs AWS's example %s", async (_what, query, signature) => {
    const request = { ...GET, url: `${BUCKET}/${query}` };

    expect(await authorizationOf(request)).toBe(expected("host;x-amz-content-sha256;x-amz-date", signature));
  });

  it("sends and signs the session token of temporary keys", async () => {
    const keys = { ...EXAMPLE.keys, sessionToken: "token" };

    const headers = await sign({ ...GET, url: `${BUCKET}/a` }, { ...EXAMPLE, keys, derivedKeys: new Map() });

    expect(headers.get("x-amz-security-token")).toBe("token");
    expect(headers.get("authorization")).toContain("x-amz-date;x-amz-security-token,");
  });

  it("remembers a bounded number of derived keys", async () => {
    const derivedKeys = new Map<string, ArrayBuffer>();

    for (let day = 0; day < 40; day++) {
      const time = EXAMPLE.time + day * 86_400_000;
      await sign({ ...GET, url: `${BUCKET}/a` }, { ...EXAMPLE, time, derivedKeys });
    }

    expect(derivedKeys.size).toBeLessThanOrEqual(17);
  });
});
