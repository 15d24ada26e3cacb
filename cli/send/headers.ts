/** Headers as the OpenTelemetry SDKs take them from the environment: `name=value`, percent-encoded. Pure. */
import { usageError } from "../options.ts";

const HEADER = /^\s*([\w!#$%&'*+.^`|~-]+)\s*[=:]\s*([\t\x20-\x7e]*?)\s*$/;

/**
 * Parses headers.
 * @param where - what a sentence names; the values themselves are secrets
 * @throws FirnError `invalid_request`
 */
export function parseHeaders(where: string, texts: readonly string[]): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const text of texts) {
    if (text.trim() === "") continue;
    const [, name, value] = HEADER.exec(decode(text)) ?? [];
    if (name === undefined || value === undefined)
      throw usageError(`Cannot use ${where}: expected NAME=VALUE, such as x-scope-orgid=acme`);
    headers[name.toLowerCase()] = value;
  }
  return headers;
}

/** A value with a percent sign of its own is taken as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
