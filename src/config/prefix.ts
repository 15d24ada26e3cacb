/** A prefix of keys, as every storage group takes one. */
import type { SettingReader } from "./setting-reader.ts";

const PREFIX = /^[A-Za-z0-9._=-]+(\/[A-Za-z0-9._=-]+)*$/;

/**
 * Reads a prefix. Slashes at either end are dropped: exporters and receivers disagree about them (collector-s3 W3).
 * @returns segments joined by single slashes, or the empty text
 * @throws FirnError `misconfigured`
 */
export function readPrefix(read: SettingReader, name: string): string {
  const value = read.text(name, "").replace(/^\/+|\/+$/g, "");
  const segments = value.split("/");
  if (value === "") return "";
  if (!PREFIX.test(value) || segments.some((segment) => segment === "." || segment === "..")) {
    throw read.wrong(
      name,
      `found "${value}", expected segments of letters, digits and "._=-" joined by single slashes`,
    );
  }
  if (segments.includes("_firn")) throw read.wrong(name, `found "${value}", expected no segment "_firn"`);
  return value;
}
