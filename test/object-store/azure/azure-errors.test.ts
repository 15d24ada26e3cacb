import { describe, expect, it } from "vitest";
import { toStoreError } from "../../../src/object-store/azure/azure-errors.ts";

const CONTAINER = "https://firn.blob.core.windows.net/telemetry";

describe("toStoreError()", () => {
  it.each([
    [503, "ServerBusy", "store_unavailable"],
    [500, "OperationTimedOut", "store_unavailable"],
    [500, "InternalError", "store_unavailable"],
    [429, null, "store_unavailable"],
    [502, null, "store_unavailable"],
    [408, null, "store_unavailable"],
    [409, "ContainerBeingDeleted", "store_unavailable"],
    [400, "Md5Mismatch", "store_unavailable"],
    [400, "Crc64Mismatch", "store_unavailable"],
    [400, "IncompleteBody", "store_unavailable"],
    [409, "SomethingNew", "store_unavailable"],
    [404, null, "store_unavailable"],
    [200, null, "store_unavailable"],
    [403, "AuthenticationFailed", "store_refused"],
    [403, "AuthorizationFailure", "store_refused"],
    [403, "AuthorizationPermissionMismatch", "store_refused"],
    [403, "AuthorizationSourceIPMismatch", "store_refused"],
    [403, "AccountIsDisabled", "store_refused"],
    [403, "KeyBasedAuthenticationNotPermitted", "store_refused"],
    [403, "SomethingNew", "store_refused"],
    [403, null, "store_refused"],
    [401, null, "store_refused"],
    [400, null, "store_refused"],
    [404, "ContainerNotFound", "store_refused"],
    [412, "LeaseIdMissing", "store_refused"],
    [409, "BlobImmutableDueToPolicy", "store_refused"],
    [400, "InvalidHeaderValue", "store_refused"],
    [307, null, "store_refused"],
    [404, "BlobNotFound", "object_not_found"],
    [412, "ConditionNotMet", "object_changed"],
    [409, "BlobArchived", "object_frozen"],
    [409, "BlobBeingRehydrated", "object_frozen"],
  ] as const)("makes HTTP %i with %s %s", (status, code, kind) => {
    const error = toStoreError('Cannot head object "a"', { status, code }, CONTAINER);

    expect(error.kind).toBe(kind);
    expect(error.message).toMatch(/^Cannot head object "a"(?: in container .+)?: .+ \(.*HTTP \d{3}\)$/);
    expect(error.message).toContain(code ?? `HTTP ${status}`);
  });

  it("says where an operator must look and what to do", () => {
    const { message } = toStoreError("Cannot list", { status: 404, code: "ContainerNotFound" }, CONTAINER);

    expect(message).toBe(
      `Cannot list in container ${CONTAINER}: there is no such container, create it (ContainerNotFound, HTTP 404)`,
    );
  });

  it("says that the bytes arrived changed", () => {
    const { message } = toStoreError("Cannot put", { status: 400, code: "Md5Mismatch" }, CONTAINER);

    expect(message).toContain("the bytes that arrived have another digest");
  });

  it("hands on when to ask again, but not for what will not pass", () => {
    const busy = { status: 503, code: "ServerBusy", retryAfterSeconds: 7 };

    expect(toStoreError("Cannot put", busy, CONTAINER).retryAfterSeconds).toBe(7);
    expect(toStoreError("Cannot put", { ...busy, code: "AccountIsDisabled" }, CONTAINER)).toMatchObject({
      kind: "store_refused",
      retryAfterSeconds: undefined,
    });
  });
});
