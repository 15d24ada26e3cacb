import { describe, expect, it } from "vitest";
import { readFailure, toStoreError } from "../../../src/object-store/s3/s3-errors.ts";
import { openStoreClock } from "../../../src/object-store/s3/store-clock.ts";
import { errorAnswer, NOW } from "./s3-kit.ts";

const FAILURE = 'Cannot get object "a/b" in S3';

async function errorOf(response: Response): Promise<unknown> {
  return toStoreError(FAILURE, await readFailure(response, { failure: FAILURE, clock: openStoreClock(() => NOW) }));
}

describe("toStoreError()", () => {
  it.each([
    [503, "SlowDown", "store_unavailable"],
    [500, "InternalError", "store_unavailable"],
    [503, "ServiceUnavailable", "store_unavailable"],
    [400, "RequestTimeout", "store_unavailable"],
    [409, "OperationAborted", "store_unavailable"],
    [409, "ConditionalRequestConflict", "store_unavailable"],
    [400, "BadDigest", "store_unavailable"],
    [400, "XAmzContentSHA256Mismatch", "store_unavailable"],
    [200, "InternalError", "store_unavailable"],
    [404, "NoSuchKey", "object_not_found"],
    [404, "NoSuchUpload", "object_not_found"],
    [404, "NoSuchBucket", "store_refused"],
    [403, "InvalidObjectState", "object_frozen"],
    [412, "PreconditionFailed", "object_changed"],
    [403, "AccessDenied", "store_refused"],
    [403, "SignatureDoesNotMatch", "store_refused"],
    [403, "InvalidAccessKeyId", "store_refused"],
    [403, "RequestTimeTooSkewed", "store_refused"],
    [400, "ExpiredToken", "store_refused"],
    [400, "InvalidStorageClass", "store_refused"],
    [400, "EntityTooSmall", "store_refused"],
    [400, "InvalidPart", "store_refused"],
    [501, "NotImplemented", "store_refused"],
    [404, "XAdminUserNotFound", "store_refused"],
    [418, "Unheard", "store_refused"],
    [599, "Unheard", "store_unavailable"],
  ])("makes %i %s %s", async (status, code, kind) => {
    expect(await errorOf(errorAnswer(status, code))).toMatchObject({
      kind,
      message: expect.stringMatching(new RegExp(`^${FAILURE}: ${code} \\(${status}\\)(, .+)?$`)),
    });
  });

  it.each([
    ["<StorageClass>DEEP_ARCHIVE</StorageClass>", "DEEP_ARCHIVE"],
    [
      "<StorageClass>INTELLIGENT_TIERING</StorageClass><AccessTier>ARCHIVE_ACCESS</AccessTier>",
      "INTELLIGENT_TIERING ARCHIVE_ACCESS",
    ],
  ])("names the class of an object that must be restored: %s", async (extra, storageClass) => {
    const found = `it lies in the storage class "${storageClass}", restore it first`;

    expect(await errorOf(errorAnswer(403, "InvalidObjectState", extra))).toMatchObject({
      kind: "object_frozen",
      storageClass,
      message: `${FAILURE}: InvalidObjectState (403), ${found}`,
    });
  });

  it.each(["", "<StorageClass>&lt;script></StorageClass>", "<StorageClass>x y</StorageClass>"])(
    "names no class but what can be one: %j",
    async (extra) => {
      expect(await errorOf(errorAnswer(403, "InvalidObjectState", extra))).toMatchObject({
        kind: "object_frozen",
        storageClass: undefined,
        message: `${FAILURE}: InvalidObjectState (403), restore it first`,
      });
    },
  );

  it.each([
    [500, "store_unavailable"],
    [502, "store_unavailable"],
    [429, "store_unavailable"],
    [408, "store_unavailable"],
    [501, "store_refused"],
    [307, "store_refused"],
    [400, "store_refused"],
    [403, "store_refused"],
    [404, "store_refused"],
    [412, "object_changed"],
  ])("goes by status %i where a proxy answers a page", async (status, kind) => {
    const page = new Response("<html><body><br>Bad gateway</body></html>", { status });

    expect(await errorOf(page)).toMatchObject({ kind, message: expect.stringContaining(`: HTTP ${status}`) });
  });

  it("names the region of the bucket", async () => {
    const region = "<Region>us-west-2</Region>";

    expect(await errorOf(errorAnswer(400, "AuthorizationHeaderMalformed", region))).toMatchObject({
      kind: "store_refused",
      message:
        `${FAILURE}: AuthorizationHeaderMalformed (400), the bucket is in region "us-west-2", ` +
        "set the region to the bucket's",
    });
    const headers = { "x-amz-bucket-region": "us-west-2" };
    expect(await errorOf(errorAnswer(301, "PermanentRedirect", "", headers))).toMatchObject({
      kind: "store_refused",
      message: expect.stringContaining('the bucket is in region "us-west-2"'),
    });
  });

  it("hands on when to ask again, with what passes only", async () => {
    const headers = { "retry-after": "7" };

    expect(await errorOf(errorAnswer(503, "SlowDown", "", headers))).toMatchObject({ retryAfterSeconds: 7 });
    expect(await errorOf(errorAnswer(403, "AccessDenied", "", headers))).toMatchObject({
      retryAfterSeconds: undefined,
    });
  });

  it("repeats nothing but the code and the region of an answer", async () => {
    const secret = "AKIDEXAMPLE<x>y</x>";
    const answer = errorAnswer(
      403,
      "SignatureDoesNotMatch",
      `<StringToSign>${secret}</StringToSign><Region>a b</Region>`,
    );

    const { message } = (await errorOf(answer)) as Error;

    expect(message).toBe(`${FAILURE}: SignatureDoesNotMatch (403), check the secret access key`);
    const odd = (await errorOf(errorAnswer(403, "no code at all"))) as Error;
    expect(odd.message).not.toContain("no code");
  });
});
