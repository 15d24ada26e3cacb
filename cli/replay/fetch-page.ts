/** One page of a replay, appended to a spool: {@link fetchPage}. What its failures mean is the caller's business. */
import { FirnError } from "../../src/errors.ts";
import type { Mark } from "../../src/replay/mark.ts";
import { describeCause, describeRefusal, toHeaders, type FirnAddress } from "../ask.ts";
import { isPassing } from "../back-off.ts";
import { bracketBytes, openPageFrame, type ReplayShape } from "./framing.ts";
import { findMark, MARK_MAX_BYTES } from "./page-mark.ts";
import type { Spool } from "./spool.ts";

/** What is asked for. */
export interface PageRequest {
  readonly address: FirnAddress;
  /** Parameters of the page, its cursor among them. */
  readonly query: URLSearchParams;
  readonly shape: ReplayShape;
}

/** What came. Only after `page` does the spool hold nothing but whole pages. */
export type PageOutcome =
  | { readonly kind: "page"; readonly mark: Mark }
  /** The server asked to wait, or cannot be reached. */
  | { readonly kind: "busy"; readonly why: string; readonly retryAfter: string | null }
  /** The page began and did not come to its end. */
  | { readonly kind: "broken"; readonly why: string }
  /** The cursor leads to a place that compaction has taken away. */
  | { readonly kind: "gone"; readonly why: string };

/**
 * Fetches a page behind what the spool holds, and cuts off its mark.
 * @throws FirnError `invalid_request` for parameters that the server refuses, Error for what waiting does not mend
 */
export async function fetchPage({ address, query, shape }: PageRequest, spool: Spool): Promise<PageOutcome> {
  const url = `${address.url}/replay?${query.toString()}`;
  let response: Response;
  try {
    response = await fetch(url, { headers: toHeaders(address, "*/*") });
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return { kind: "busy", why: `cannot reach ${address.url}: ${describeCause(cause)}`, retryAfter: null };
  }
  if (response.status !== 200) return await readRefusal(response, address);
  const type = response.headers.get("content-type") ?? "";
  // A wrong port, or the login page of a proxy: to ask again gives the same page.
  if (type.startsWith("text/html"))
    throw new Error(`Cannot replay: ${address.url} answers with a web page ("${type}"), expected the URL of a Firn`);
  return await readPage(response, shape, spool);
}

async function readRefusal(response: Response, address: FirnAddress): Promise<PageOutcome> {
  const { status } = response;
  const text = await response.text().catch(() => "");
  const why = `the server answers ${describeRefusal(status, text, address)}`;
  if (status === 410) return { kind: "gone", why };
  if (isPassing(status)) return { kind: "busy", why, retryAfter: response.headers.get("retry-after") };
  const message = `Cannot replay: ${why}`;
  throw status === 400 || status === 406 ? new FirnError("invalid_request", message) : new Error(message);
}

async function readPage(response: Response, shape: ReplayShape, spool: Spool): Promise<PageOutcome> {
  const start = spool.length;
  const frame = openPageFrame(shape, start);
  let receivedBytes = 0;
  try {
    for await (const piece of response.body ?? []) {
      receivedBytes += piece.length;
      await spool.append(frame.take(piece));
    }
  } catch (error) {
    if (isOfDisk(error)) throw error;
    const why = describeCause(error instanceof Error ? (error.cause ?? error) : error);
    return { kind: "broken", why: `the connection broke after ${receivedBytes} bytes: ${why}` };
  }
  const tailStart = Math.max(start, spool.length - MARK_MAX_BYTES);
  const tail = await spool.readFrom(tailStart);
  const found = findMark(tail, shape.format);
  if (found === null) return { kind: "broken", why: `the answer ended after ${receivedBytes} bytes without its mark` };
  const bytesBefore = receivedBytes - (tail.length - found.start);
  if (found.mark.bytes !== bytesBefore) {
    const why = `the mark speaks of ${found.mark.bytes} bytes, but ${bytesBefore} bytes came`;
    return { kind: "broken", why };
  }
  await spool.truncate(tailStart + found.start - bracketBytes(shape));
  return { kind: "page", mark: found.mark };
}

/** Errors of this machine's files have a system call's name; those of the connection stand below `TypeError`. */
function isOfDisk(error: unknown): boolean {
  return error instanceof Error && !(error instanceof TypeError) && "syscall" in error;
}
