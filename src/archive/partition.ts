/**
 * Partition formats: the time path of a key in the strftime of the Collector's awss3exporter, always in UTC.
 *
 * A format names one hour at least, and the date stands before the hour, so that the path cut after the hour is the
 * place of that hour's compacted objects and a prefix of everything stored in it. See DESIGN.md section 5 and
 * collector-s3 1.1. Knows nothing about prefixes, tenants and file names: those are `key.ts`.
 */
import { FirnError, unreachable } from "../errors.ts";
import { PARTITION_FORMAT_MAX_CHARS } from "../limits.ts";
import { millis, type Millis } from "../units.ts";

/** A piece of a path: text as it stands, or a directive without its `%`. */
export type PartitionPart =
  { readonly kind: "literal"; readonly text: string } | { readonly kind: "directive"; readonly directive: Directive };

type Directive = "Y" | "y" | "m" | "d" | "j" | "H" | "M";

/** A path with directives, and the pattern of the texts that it can become. */
export interface PartitionPath {
  readonly parts: readonly PartitionPart[];
  readonly pattern: RegExp;
  /** The pattern of its first segment alone. */
  readonly firstSegment: RegExp;
}

/** A parsed format; {@link parsePartitionFormat} makes it and nothing else does. */
export interface PartitionFormat {
  /** The format as it was given. */
  readonly text: string;
  /** What one partition holds. */
  readonly granularity: "minute" | "hour";
  /** Whether partitions sort as text in the order of time. */
  readonly isTimeOrdered: boolean;
  /** The path of a fresh object. */
  readonly freshPath: PartitionPath;
  /** The same cut after the hour: the path of an hour object. */
  readonly hourPath: PartitionPath;
  /** What follows the hour path in every key of the hour: `/`, or nothing where the minute adjoins the hour. */
  readonly afterHourPath: "/" | "";
}

/** First path segment that belongs to Firn itself, never to telemetry (DESIGN.md section 5). */
export const RESERVED_SEGMENT = "_firn";

const DIGITS: Readonly<Record<Directive, number>> = { Y: 4, y: 2, m: 2, d: 2, j: 3, H: 2, M: 2 };
const DAY_MILLIS = 86_400_000;

/**
 * Parses `ARCHIVE_PARTITION_FORMAT`.
 * @throws FirnError `misconfigured` with a sentence that names the setting.
 */
export function parsePartitionFormat(text: string): PartitionFormat {
  if (text.length > PARTITION_FORMAT_MAX_CHARS) {
    throw refusal(`it has ${text.length} characters, expected at most ${PARTITION_FORMAT_MAX_CHARS}`);
  }
  const parts = splitDirectives(text);
  refuseBadSegments(text);
  const hourAt = parts.findIndex((part) => isDirective(part, "H"));
  if (hourAt < 0) throw refusal('it has no "%H", expected at least the hour');
  const beforeHour = parts.slice(0, hourAt);
  if (!namesOneDay(beforeHour)) {
    throw refusal('the date does not stand before "%H", expected "%Y" with "%m" and "%d", or "%Y" with "%j"');
  }
  if (beforeHour.some((part) => isDirective(part, "M"))) {
    throw refusal('"%M" stands before "%H", expected it after the hour');
  }
  return {
    text,
    granularity: parts.some((part) => isDirective(part, "M")) ? "minute" : "hour",
    isTimeOrdered: isTimeOrdered(parts),
    freshPath: toPath(parts),
    ...cutAfterHour(parts, hourAt),
  };
}

/** Formats the path of a fresh object that was sealed at this instant. */
export function formatPartition(format: PartitionFormat, time: Millis): string {
  return formatPath(format.freshPath, time);
}

/** Formats the path of the hour objects of the hour around this instant, such as `year=2026/…/hour=14`. */
export function formatHourPath(format: PartitionFormat, time: Millis): string {
  return formatPath(format.hourPath, time);
}

/** Formats the listing prefix of everything of the hour around this instant, fresh and compacted: `…/hour=14/`. */
export function hourPrefixOf(format: PartitionFormat, time: Millis): string {
  return formatHourPath(format, time) + format.afterHourPath;
}

/**
 * Parses the path of a partition, of a fresh object or of an hour object: the inverse of {@link formatPartition} and
 * {@link formatHourPath}.
 * @returns the first instant of the minute or hour that the path names; `null` for any other text.
 */
export function parsePartition(format: PartitionFormat, path: string): Millis | null {
  return parsePath(format.freshPath, path) ?? parsePath(format.hourPath, path);
}

/** Says whether a path segment can be the first one of a partition. */
export function isFirstSegment(format: PartitionFormat, segment: string): boolean {
  return format.freshPath.firstSegment.test(segment) || format.hourPath.firstSegment.test(segment);
}

function splitDirectives(text: string): PartitionPart[] {
  const parts: PartitionPart[] = [];
  let literal = "";
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index);
    if (char !== "%") {
      literal += char;
      continue;
    }
    index++;
    const directive = text.charAt(index);
    if (directive === "%") {
      literal += "%";
      continue;
    }
    if (!isDirectiveName(directive)) throw refusal(`unknown directive "%${directive}"`);
    if (literal !== "") parts.push({ kind: "literal", text: literal });
    parts.push({ kind: "directive", directive });
    literal = "";
  }
  if (literal !== "") parts.push({ kind: "literal", text: literal });
  return parts;
}

/** awss3exporter joins with Go's `path.Join`, which drops empty and dot segments; Firn refuses what it would drop. */
function refuseBadSegments(text: string): void {
  const segments = text.split("/");
  for (const segment of segments) {
    if (segment === "") throw refusal("it has a leading, trailing or double slash");
    if (segment === "." || segment === "..") throw refusal(`it has a segment "${segment}"`);
  }
  if (segments[0] === RESERVED_SEGMENT) throw refusal(`its first segment is "${RESERVED_SEGMENT}", which is reserved`);
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text) || !text.isWellFormed()) throw refusal("it has a control character");
}

/** Cuts at the end of the segment with the hour, or right after the hour where the minute stands in that segment. */
function cutAfterHour(
  parts: readonly PartitionPart[],
  hourAt: number,
): Pick<PartitionFormat, "hourPath" | "afterHourPath"> {
  const upToHour = parts.slice(0, hourAt + 1);
  const next = parts[hourAt + 1];
  if (next === undefined) return { hourPath: toPath(upToHour), afterHourPath: "/" };
  if (next.kind === "directive") return { hourPath: toPath(upToHour), afterHourPath: "" };
  const slashAt = next.text.indexOf("/");
  const isLast = hourAt + 2 === parts.length;
  if (slashAt < 0 && !isLast) return { hourPath: toPath(upToHour), afterHourPath: "" };
  const rest = slashAt < 0 ? next.text : next.text.slice(0, slashAt);
  return { hourPath: toPath([...upToHour, { kind: "literal", text: rest }]), afterHourPath: "/" };
}

function namesOneDay(parts: readonly PartitionPart[]): boolean {
  const has = (directive: Directive): boolean => parts.some((part) => isDirective(part, directive));
  return (has("Y") || has("y")) && (has("j") || (has("m") && has("d")));
}

/** Text order is time order when every directive is fixed by those before it or is the next finer unit of time. */
function isTimeOrdered(parts: readonly PartitionPart[]): boolean {
  const seen = new Set<Directive>();
  for (const part of parts) {
    if (part.kind === "literal") continue;
    const { directive } = part;
    if ((directive === "m" || directive === "j") && !seen.has("Y") && !seen.has("y")) return false;
    if (directive === "d" && !seen.has("m") && !seen.has("j")) return false;
    seen.add(directive);
  }
  return true;
}

function toPath(parts: readonly PartitionPart[]): PartitionPath {
  return { parts, pattern: patternOf(parts), firstSegment: patternOf(firstSegmentOf(parts)) };
}

function formatPath(path: PartitionPath, time: Millis): string {
  const date = new Date(time);
  return path.parts
    .map((part) => (part.kind === "literal" ? part.text : formatDirective(part.directive, date)))
    .join("");
}

function formatDirective(directive: Directive, date: Date): string {
  return String(valueOf(directive, date)).padStart(DIGITS[directive], "0");
}

function valueOf(directive: Directive, date: Date): number {
  switch (directive) {
    case "Y":
      return date.getUTCFullYear();
    case "y":
      return date.getUTCFullYear() % 100;
    case "m":
      return date.getUTCMonth() + 1;
    case "d":
      return date.getUTCDate();
    case "j":
      return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MILLIS) + 1;
    case "H":
      return date.getUTCHours();
    case "M":
      return date.getUTCMinutes();
    default:
      return unreachable(directive, "directive");
  }
}

/** Reads the digits, builds the instant, formats it again and compares: no other text has this meaning. */
function parsePath(path: PartitionPath, text: string): Millis | null {
  const match = path.pattern.exec(text);
  if (match === null) return null;
  const values = new Map<Directive, number>();
  path.parts
    .filter((part) => part.kind === "directive")
    .forEach((part, index) => values.set(part.directive, Number(match[index + 1])));
  const year = values.get("Y") ?? 2000 + (values.get("y") ?? 0);
  const dayOfYear = values.get("j");
  const month = dayOfYear === undefined ? (values.get("m") ?? 1) - 1 : 0;
  const day = dayOfYear ?? values.get("d") ?? 1;
  const time = millis(Date.UTC(year, month, day, values.get("H") ?? 0, values.get("M") ?? 0));
  return formatPath(path, time) === text ? time : null;
}

function patternOf(parts: readonly PartitionPart[]): RegExp {
  const source = parts.map((part) =>
    part.kind === "literal" ? RegExp.escape(part.text) : `([0-9]{${DIGITS[part.directive]}})`,
  );
  return new RegExp(`^${source.join("")}$`);
}

function firstSegmentOf(parts: readonly PartitionPart[]): readonly PartitionPart[] {
  const segment: PartitionPart[] = [];
  for (const part of parts) {
    const slashAt = part.kind === "literal" ? part.text.indexOf("/") : -1;
    if (part.kind === "literal" && slashAt >= 0) {
      return [...segment, { kind: "literal", text: part.text.slice(0, slashAt) }];
    }
    segment.push(part);
  }
  return segment;
}

function isDirective(part: PartitionPart, directive: Directive): boolean {
  return part.kind === "directive" && part.directive === directive;
}

function isDirectiveName(text: string): text is Directive {
  return Object.hasOwn(DIGITS, text);
}

function refusal(found: string): FirnError {
  return new FirnError("misconfigured", `Cannot parse ARCHIVE_PARTITION_FORMAT: ${found}`, {
    field: "ARCHIVE_PARTITION_FORMAT",
  });
}
