/** Layout and form of the archive: what awss3exporter's users know as prefixes, partition and marshaler. */
import { parsePartitionFormat, type PartitionFormat } from "../archive/partition.ts";
import type { SettingReader } from "./setting-reader.ts";
import { readPrefix } from "./prefix.ts";

/** How keys are written, and bodies. */
export interface ArchiveLayoutConfig {
  readonly basePrefix: string;
  readonly prefix: string;
  readonly filePrefix: string;
  readonly partition: PartitionFormat;
  readonly marshaler: "otlp_proto" | "otlp_json";
  readonly compression: "gzip" | "zstd" | "none";
}

/** awss3exporter's default (collector-s3 1.1). */
const DEFAULT_PARTITION = "year=%Y/month=%m/day=%d/hour=%H/minute=%M";
const FILE_PREFIX = /^[A-Za-z0-9._-]*$/;
const TIMEZONE = "ARCHIVE_PARTITION_TIMEZONE";

/** Reads the layout. @throws FirnError `misconfigured` */
export function readArchiveLayout(read: SettingReader): ArchiveLayoutConfig {
  assertUtc(read);
  return {
    basePrefix: readPrefix(read, "ARCHIVE_BASE_PREFIX"),
    prefix: readPrefix(read, "ARCHIVE_PREFIX"),
    filePrefix: readFilePrefix(read),
    partition: parsePartitionFormat(read.text("ARCHIVE_PARTITION_FORMAT", DEFAULT_PARTITION)),
    marshaler: read.oneOf("ARCHIVE_MARSHALER", ["otlp_proto", "otlp_json"]),
    compression: read.oneOf("ARCHIVE_COMPRESSION", ["gzip", "zstd", "none"]),
  };
}

/** The Collector takes a zone, and its own by default; a path that repeats an hour every autumn is no partition. */
function assertUtc(read: SettingReader): void {
  const zone = read.text(TIMEZONE, "UTC");
  if (zone === "UTC") return;
  throw read.wrong(TIMEZONE, `found "${zone}", expected "UTC": partitions are always in UTC, so set it on the reader`);
}

function readFilePrefix(read: SettingReader): string {
  const value = read.text("ARCHIVE_FILE_PREFIX", "");
  if (!FILE_PREFIX.test(value)) {
    throw read.wrong("ARCHIVE_FILE_PREFIX", `found "${value}", expected letters, digits and "._-" only`);
  }
  return value;
}
