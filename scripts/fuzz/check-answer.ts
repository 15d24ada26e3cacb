/** What any answer must be, whatever was sent (otlp-http 4): {@link openAnswerChecks}. */
import { readExportResponse, readStatus, type Encoding } from "./answers.ts";
import type { Answer } from "./connection.ts";
import type { Mutant } from "./mutants.ts";

/** Judges answers. */
export interface AnswerChecks {
  /** @returns what is wrong with an answer, or `null` */
  judge(mutant: Mutant, answer: Answer): string | null;
  /** Error messages that were met, digits and paths masked. */
  readonly messages: ReadonlySet<string>;
}

/** Statuses that a body can lead to; anything else must be expected by the mutant. */
const POSSIBLE: readonly number[] = [200, 400, 413, 415];
const CODES: Readonly<Record<number, number>> = { 400: 3, 404: 5, 405: 12, 413: 8, 415: 3, 503: 14 };
const MAX_BODY_BYTES = 8192;
/** Shorter words are met everywhere by chance. */
const WORD = /[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]{4,}/g;

/**
 * Opens the checks.
 * @param vocabulary - source of the server: words of an error message that it does not hold must come from the request
 */
export function openAnswerChecks(vocabulary: string): AnswerChecks {
  const known = new Set(vocabulary.match(WORD));
  const messages = new Set<string>();
  return {
    messages,
    judge: (mutant, answer) => {
      try {
        return judgeStatus(mutant, answer) ?? judgeBody(mutant, answer, { known, messages });
      } catch (error) {
        return `its body cannot be read: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
  };
}

function judgeStatus({ expected }: Mutant, { status, headers }: Answer): string | null {
  if (status === 503) {
    const seconds = headers.get("retry-after") ?? "";
    return /^[1-9]\d?$/.test(seconds) && Number(seconds) <= 60 ? null : `503 with Retry-After "${seconds}"`;
  }
  if ((expected ?? POSSIBLE).includes(status)) return null;
  return `status ${status}, expected ${(expected ?? POSSIBLE).join(" or ")}`;
}

interface Words {
  readonly known: ReadonlySet<string>;
  readonly messages: Set<string>;
}

function judgeBody(mutant: Mutant, { status, headers, body }: Answer, { known, messages }: Words): string | null {
  const mediaType = mutant.contentType?.split(";", 1)[0]?.trim().toLowerCase();
  const encoding: Encoding = mediaType === "application/x-protobuf" ? "protobuf" : "json";
  const contentType = headers.get("content-type");
  if (contentType !== (encoding === "json" ? "application/json" : "application/x-protobuf"))
    return `content type "${contentType}" for a request of type "${mediaType}"`;
  if (status === 200) {
    const partial = readExportResponse(mutant.signal, encoding, body);
    return partial === null ? null : findEcho(partial.errorMessage, mutant, { known, messages });
  }
  if (body.length > MAX_BODY_BYTES) return `${body.length} bytes of Status`;
  const { code, message, violations } = readStatus(encoding, body);
  if (code !== CODES[status]) return `code ${code} with status ${status}`;
  if (message === "") return "an empty message";
  const isDetailed = violations.length > 0 && violations.every(({ field, description }) => field && description);
  if (status === 400 && !isDetailed) return "a 400 without details that name a field";
  const texts = [message, ...violations.flatMap(({ field, description }) => [field, description])];
  return texts.map((text) => findEcho(text, mutant, { known, messages })).find((echo) => echo !== null) ?? null;
}

/** A word that the server does not know and the body holds was copied from it. */
function findEcho(text: string, { body, contentEncoding, path }: Mutant, { known, messages }: Words): string | null {
  const masked = text.replaceAll(path, "<path>").replaceAll(/\d+/g, "0");
  if (messages.has(masked)) return null;
  const sent = Buffer.from(body).toString("utf8");
  const echo = masked.match(WORD)?.find((word) => !known.has(word) && sent.includes(word));
  if (echo !== undefined) return `the message repeats "${echo}" of the body: ${text}`;
  if (contentEncoding === null) messages.add(masked);
  return null;
}
