import { describe, expect, it } from "vitest";
import { FirnError, type ErrorKind, type FirnErrorOptions } from "../src/errors.ts";
import { toErrorResponse } from "../src/http-errors.ts";

/** What only an operator may read. */
const DETAIL = "acme/2026/logs_x.gz in bucket-7: <Error>upstream</Error>";
const ID = "00c0ffee";

interface Meaning {
  readonly status: number;
  readonly code: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly options?: FirnErrorOptions;
  /** The body holds a sentence and the request id instead of the message. */
  readonly isOpaque?: true;
}

const BUSY = { "retry-after": "1" };
const MEANINGS: Readonly<Record<ErrorKind, Meaning>> = {
  invalid_request: { status: 400, code: 3 },
  unauthenticated: { status: 401, code: 16, headers: { "www-authenticate": "Bearer" } },
  permission_denied: { status: 403, code: 7 },
  not_found: { status: 404, code: 5 },
  method_not_allowed: { status: 405, code: 12, headers: { allow: "POST" }, options: { allow: "POST" } },
  too_large: { status: 413, code: 8 },
  unsupported_media_type: {
    status: 415,
    code: 3,
    headers: { "accept-post": "application/x-protobuf, application/json" },
  },
  unsupported_coding: { status: 415, code: 3, headers: { "accept-encoding": "gzip, deflate, zstd, identity" } },
  not_acceptable: { status: 406, code: 3, headers: { vary: "Accept, Accept-Encoding" } },
  unavailable: { status: 503, code: 14, headers: { "retry-after": "5" }, options: { retryAfterSeconds: 5 } },
  misconfigured: { status: 503, code: 14, headers: BUSY },
  store_unavailable: { status: 503, code: 14, headers: BUSY, isOpaque: true },
  store_refused: { status: 503, code: 14, headers: BUSY, isOpaque: true },
  object_not_found: { status: 500, code: 15, isOpaque: true },
  object_changed: { status: 503, code: 14, headers: BUSY, isOpaque: true },
  position_gone: { status: 410, code: 10, headers: { "firn-next": "v1.x" }, options: { next: "v1.x" } },
  object_frozen: { status: 409, code: 9, isOpaque: true },
  corrupt_object: { status: 500, code: 15, isOpaque: true },
  unknown_format: { status: 500, code: 15, isOpaque: true },
  internal: { status: 500, code: 13, isOpaque: true },
};
const KINDS = Object.keys(MEANINGS).filter((kind): kind is ErrorKind => kind in MEANINGS);

async function fieldOf(options: FirnErrorOptions): Promise<unknown> {
  const failure = new FirnError("invalid_request", "Cannot use it", options);
  const response = toErrorResponse(failure, { encoding: "json", requestId: ID });
  const body: { details?: { fieldViolations?: { field: string }[] }[] } = await response.json();
  return body.details?.[0]?.fieldViolations?.[0]?.field;
}

describe("toErrorResponse()", () => {
  it.each(KINDS)("answers %s with its status, code and headers", async (kind) => {
    const { status, code, headers = {}, options = {} } = MEANINGS[kind];
    const response = toErrorResponse(new FirnError(kind, DETAIL, options), { encoding: "json", requestId: ID });

    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toEqual({ "content-type": "application/json", ...headers });
    expect(await response.json()).toMatchObject({ code });
  });

  it.each(KINDS.filter((kind) => MEANINGS[kind].isOpaque))("S9: says nothing of %s but its id", async (kind) => {
    for (const encoding of ["json", "protobuf"] as const) {
      const text = await toErrorResponse(new FirnError(kind, DETAIL), { encoding, requestId: ID }).bytes();
      const body = new TextDecoder().decode(text);

      expect(body, encoding).toContain(`(request id ${ID})`);
      for (const secret of DETAIL.split(" ")) if (secret !== "in") expect(body, encoding).not.toContain(secret);
    }
  });

  it("names the class of an object that must be restored, and not its key", async () => {
    const failure = new FirnError("object_frozen", DETAIL, { storageClass: "GLACIER" });

    const body: unknown = await toErrorResponse(failure, { encoding: "json", requestId: ID }).json();

    const found = 'Cannot read an object in the frozen storage class "GLACIER": restore it first';
    expect(body).toMatchObject({ code: 9, message: `${found} (request id ${ID})` });
  });

  it.each(KINDS.filter((kind) => !MEANINGS[kind].isOpaque))("hands the message of %s on as it is", async (kind) => {
    const response = toErrorResponse(new FirnError(kind, DETAIL), { encoding: "json", requestId: ID });

    expect(await response.json()).toMatchObject({ message: DETAIL });
  });

  it("names the field at fault, or the body, in a BadRequest", async () => {
    expect([await fieldOf({ field: "signal" }), await fieldOf({})]).toEqual(["signal", "body"]);
  });

  it("speaks the encoding of the request", () => {
    const response = toErrorResponse(new FirnError("not_found", "No"), { encoding: "protobuf", requestId: ID });

    expect(response.headers.get("content-type")).toBe("application/x-protobuf");
  });
});
