/** Tells the errors of `node:zlib` apart, as Node 24 and the pinned workerd throw them. */

/**
 * Whether output would have exceeded `maxOutputLength`: Node's zlib and workerd's port of it throw
 * `ERR_BUFFER_TOO_LARGE`; workerd's native calls have only this message.
 */
export function isTooLong(error: unknown): boolean {
  return (
    hasCode(error, "ERR_BUFFER_TOO_LARGE") || (error instanceof Error && error.message === "Memory limit exceeded")
  );
}

/** Whether an inflating engine failed on its input, and not the source that fed it. */
export function isEngineError(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return false;
  return /^(Z_|ZSTD_|ERR_ZSTD_)/.test(error.code);
}

/** Whether it is an error with that `code`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
