/**
 * The `Accept` header → a format: {@link chooseFormat}, by RFC 9110 12.5.1. Parameters of media types mean nothing
 * here, a bare `*` is any type, since some clients send it, and what else is no media range is passed over.
 */
import { FirnError } from "../errors.ts";
import { CONTENT_TYPE, type Offer, type ReplayFormat } from "./format.ts";

/** One element of the header. */
interface MediaRange {
  /** In lower case; `*` for any. */
  readonly type: string;
  readonly subtype: string;
  /** 0 to 1; 0 is "not acceptable". */
  readonly weight: number;
}

/** What the header says of one format. */
interface Wish {
  readonly format: ReplayFormat;
  readonly weight: number;
  /** 2: its media type is named, 1: with a wildcard for the subtype, 0: by a wildcard alone. */
  readonly precision: number;
  /** Place in the header. */
  readonly place: number;
}

/** A list element: anything but commas, which quoted strings may hold. */
const ELEMENT = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/gs;
const RANGE = /^\s*(?:([!#$%&'*+.^_`|~\w-]+)\/([!#$%&'*+.^_`|~\w-]+)|\*)\s*(?:;|$)/;
const WEIGHT = /;\s*q\s*=\s*([01](?:\.\d*)?|\.\d+)\s*(?:;|$)/i;
/** One that is not closed goes to the end: looking for its other quote from each of its characters is quadratic. */
const QUOTED = /"(?:[^"\\]|\\.)*"?/gs;

/**
 * Chooses the format that a client wants most: the highest weight first, then what it names most precisely, then the
 * order in which it names them, then the order of what is offered.
 * @param accept - the header; absent, empty or without any media range it asks for nothing in particular
 * @throws FirnError `not_acceptable` that lists what is offered
 */
export function chooseFormat(accept: string | null, offered: Offer): ReplayFormat {
  const ranges = (accept?.match(ELEMENT) ?? []).flatMap(parseRange);
  if (ranges.length === 0) return offered[0];
  const [best] = offered
    .map((format) => toWish(format, ranges))
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight || b.precision - a.precision || a.place - b.place);
  if (best !== undefined) return best.format;
  const expected = offered.map((format) => CONTENT_TYPE[format]).join(", ");
  const message = `Cannot answer in a media type that the header Accept names, expected one of ${expected}`;
  throw new FirnError("not_acceptable", message, { field: "accept" });
}

function parseRange(element: string): MediaRange[] {
  const match = RANGE.exec(element);
  if (match === null) return [];
  const [type = "*", subtype = "*"] = match.slice(1).map((part) => part?.toLowerCase());
  if (type === "*" && subtype !== "*") return [];
  const weight = Number(WEIGHT.exec(element.replaceAll(QUOTED, '""'))?.[1] ?? 1);
  return [{ type, subtype, weight: Math.min(1, weight) }];
}

/** The most precise range that covers a format decides, whatever the others say; of equal ones the first. */
function toWish(format: ReplayFormat, ranges: readonly MediaRange[]): Wish {
  const [type, subtype] = CONTENT_TYPE[format].split("/");
  let wish: Wish = { format, weight: 0, precision: -1, place: -1 };
  for (const [place, range] of ranges.entries()) {
    const isCovered =
      (range.type === "*" || range.type === type) && (range.subtype === "*" || range.subtype === subtype);
    const precision = Number(range.type !== "*") + Number(range.subtype !== "*");
    if (isCovered && precision > wish.precision) wish = { format, weight: range.weight, precision, place };
  }
  return wish;
}
