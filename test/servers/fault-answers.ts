/** The answers that a faulty S3 server gives: made up, or made of a true one. Pure but for the clock, an argument. */
import type { FaultKind, S3Call } from "./fault-plan.ts";

/** An HTTP answer, whole. */
export interface Answer {
  readonly status: number;
  /** Name, value, name, value …, as they came. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** How far ahead the clock of a faulty server is: more than the 15 minutes that S3 lets pass. */
export const CLOCK_SHIFT_MILLIS = 3_600_000;
/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html */
export const MAX_SKEW_MILLIS = 900_000;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const ERRORS: Partial<Readonly<Record<FaultKind, { readonly status: number; readonly code: string }>>> = {
  "error-500": { status: 500, code: "InternalError" },
  "applied-then-500": { status: 500, code: "InternalError" },
  "slow-down": { status: 503, code: "SlowDown" },
  "early-error": { status: 503, code: "SlowDown" },
  forbidden: { status: 403, code: "AccessDenied" },
  "expired-token": { status: 400, code: "ExpiredToken" },
  "clock-skew": { status: 403, code: "RequestTimeTooSkewed" },
  "shifted-clock": { status: 403, code: "RequestTimeTooSkewed" },
  "error-in-200": { status: 200, code: "InternalError" },
  "not-found": { status: 404, code: "NoSuchKey" },
  "precondition-failed": { status: 412, code: "PreconditionFailed" },
  conflict: { status: 409, code: "ConditionalRequestConflict" },
};
const EXTRA_HEADERS: Partial<Readonly<Record<FaultKind, readonly string[]>>> = { "slow-down": ["Retry-After", "1"] };

/** The answer of a kind that gives one without asking the server; `null` for any other kind. */
export function makeAnswer(kind: FaultKind, now: number): Answer | null {
  const date = ["Date", new Date(isSkewed(kind) ? now + CLOCK_SHIFT_MILLIS : now).toUTCString()];
  if (kind === "too-many-requests") return withBody({ status: 429, headers: date, body: Buffer.alloc(0) });
  if (kind === "empty-200") return withBody({ status: 200, headers: date, body: Buffer.alloc(0) });
  if (kind === "bad-gateway") {
    const body = Buffer.from("<html><head><title>502 Bad Gateway</title></head></html>\n");
    return withBody({ status: 502, headers: [...date, "Content-Type", "text/html"], body });
  }
  const error = ERRORS[kind];
  if (error === undefined) return null;
  const text = `<Error><Code>${error.code}</Code><Message>Made up</Message><RequestId>0</RequestId></Error>`;
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`);
  const headers = [...date, "Content-Type", "application/xml", ...(EXTRA_HEADERS[kind] ?? [])];
  return withBody({ status: error.status, headers, body });
}

function isSkewed(kind: FaultKind): boolean {
  return kind === "clock-skew" || kind === "shifted-clock";
}

/** What an answer becomes on its way; kinds that change something else leave it. @param earlier - page of before */
export function alterAnswer(kind: FaultKind, answer: Answer, earlier: Answer | null): Answer {
  switch (kind) {
    case "wrong-etag":
      return { ...answer, headers: setHeader(answer.headers, "ETag", '"0123456789abcdef0123456789abcdef"') };
    case "missing-etag":
      return { ...answer, headers: setHeader(answer.headers, "ETag", null) };
    case "flipped-byte-down":
      return withBody({ ...answer, body: flipByte(answer.body) });
    case "partial-list":
      return withText(answer, dropHalf);
    case "stale-list":
      return earlier ?? withText(answer, (xml) => setTag(xml.replaceAll(CONTENTS, ""), "KeyCount", "0"));
    case "cut-list":
      return withText(answer, (xml) => setTag(dropTag(xml, "NextContinuationToken"), "IsTruncated", "true"));
    case "repeated-token":
      return withText(answer, (xml) => {
        const more = setTag(dropTag(xml, "NextContinuationToken"), "IsTruncated", "true");
        return more.replace("</ListBucketResult>", "<NextContinuationToken>again</NextContinuationToken>$&");
      });
    default:
      return answer;
  }
}

/** Changes the lowest bit of the byte in the middle. */
export function flipByte(bytes: Buffer): Buffer {
  const flipped = Buffer.from(bytes);
  const middle = Math.floor(flipped.length / 2);
  if (flipped.length > 0) flipped[middle] = (flipped[middle] ?? 0) ^ 1;
  return flipped;
}

/** The bytes of an answer on the wire, after which the connection ends. */
export function toWire(answer: Answer, call: S3Call): { readonly head: Buffer; readonly body: Buffer } {
  const lines = toPairs(answer.headers).map(([name, value]) => `${name}: ${value}`);
  const start = [`HTTP/1.1 ${answer.status} Status`, "Connection: close"];
  const head = Buffer.from(`${[...start, ...lines].join("\r\n")}\r\n\r\n`, "latin1");
  return { head, body: call === "head" ? Buffer.alloc(0) : answer.body };
}

/** Replaces a header, or drops it. */
export function setHeader(headers: readonly string[], name: string, value: string | null): readonly string[] {
  const kept = toPairs(headers).filter(([found]) => found.toLowerCase() !== name.toLowerCase());
  return [...kept, ...(value === null ? [] : [[name, value]])].flat();
}

/** Names and values, two by two. */
export function toPairs(headers: readonly string[]): readonly (readonly [string, string])[] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < headers.length; i += 2) pairs.push([headers[i] ?? "", headers[i + 1] ?? ""]);
  return pairs;
}

const CONTENTS = /<Contents>.*?<\/Contents>/gs;

function dropHalf(xml: string): string {
  const entries = xml.match(CONTENTS) ?? [];
  const kept = entries.slice(0, Math.floor(entries.length / 2));
  let index = 0;
  const shorter = xml.replaceAll(CONTENTS, (entry) => (index++ < kept.length ? entry : ""));
  const whole = setTag(dropTag(shorter, "NextContinuationToken"), "IsTruncated", "false");
  return setTag(whole, "KeyCount", String(kept.length));
}

function setTag(xml: string, name: string, text: string): string {
  return xml.replace(new RegExp(`<${name}>[^<]*</${name}>`), `<${name}>${text}</${name}>`);
}

function dropTag(xml: string, name: string): string {
  return xml.replace(new RegExp(`<${name}>[^<]*</${name}>`), "");
}

function withText(answer: Answer, change: (text: string) => string): Answer {
  return withBody({ ...answer, body: Buffer.from(change(answer.body.toString("utf8"))) });
}

function withBody(answer: Answer): Answer {
  return { ...answer, headers: setHeader(answer.headers, "Content-Length", String(answer.body.length)) };
}
