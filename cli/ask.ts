/** Asks a Firn a question that it answers with one JSON document. */
import { FirnError, toErrorMessage } from "../src/errors.ts";

/** A Firn that can be asked. */
export interface FirnAddress {
  readonly url: string;
  readonly token: string | null;
}

/** A question. */
export interface Question {
  readonly method: "GET" | "POST";
  /** Path and query. */
  readonly path: string;
  /** What it is for, as in "Cannot <verb> the Firn at …". */
  readonly verb: string;
  /** A member that every answer has; `null`: its status is enough. */
  readonly member: string | null;
}

/** Works of Firn are bounded by themselves, and some for the way. */
const ANSWER_TIMEOUT_MILLIS = 1_200_000;
/** As much as is shown of an answer that is no Status. */
const SHOWN_CHARS = 500;

/** Headers of a request to a Firn. */
export function toHeaders({ token }: FirnAddress, accept: string): Record<string, string> {
  return { accept, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
}

/**
 * Asks a running Firn.
 * @throws FirnError `invalid_request` with its sentence when it answers 400, Error with a sentence for the user
 */
export async function askFirn(address: FirnAddress, question: Question): Promise<object> {
  const { url } = address;
  const { method, path, verb, member } = question;
  const response = await reach(`${url.replace(/\/+$/, "")}${path}`, {
    method,
    headers: toHeaders(address, "application/json"),
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MILLIS),
  });
  const text = await response.text();
  const answer = parseObject(text);
  if (answer !== null && (member === null ? response.ok : member in answer)) return answer;
  const message = `Cannot ${verb} ${url}: it answers ${describeRefusal(response.status, text, address)}`;
  throw response.status === 400 ? new FirnError("invalid_request", message) : new Error(message);
}

/** Sends a request. @throws Error that names the server and why it cannot be reached */
export async function reach(url: string, init: RequestInit): Promise<Response> {
  return await fetch(url, init).catch((error: unknown) => {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    throw new Error(`Cannot reach ${new URL(url).origin}: ${describeCause(cause)}`, { cause: error });
  });
}

/** A host with several addresses fails with one error for each, and no message of its own. */
export function describeCause(cause: unknown): string {
  const isMany = cause instanceof AggregateError && cause.message === "";
  return isMany ? cause.errors.map(toErrorMessage).join(", ") : toErrorMessage(cause);
}

/** What a Firn's refusal says, and where a token goes when none was given. */
export function describeRefusal(status: number, text: string, { token }: FirnAddress): string {
  const hint = status === 401 && token === null ? "; the token goes into FIRN_TOKEN or a --token_file" : "";
  return `${status}, ${describeAnswer(text)}${hint}`;
}

/** What an answer other than the wanted one says: the sentence of a Status, or the beginning of its text. */
export function describeAnswer(text: string): string {
  const sentence = findSentence(parseObject(text));
  if (sentence !== null) return sentence;
  return text.trim() === "" ? "without a word" : text.trim().slice(0, SHOWN_CHARS);
}

/** The object that a JSON text is; `null` for anything else: a proxy answers in HTML. */
export function parseObject(text: string): object | null {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" ? answer : null;
  } catch {
    return null;
  }
}

/** Of a Status, or of a work that failed after its answer had begun. */
function findSentence(answer: object | null): string | null {
  if (answer === null) return null;
  if ("message" in answer && typeof answer.message === "string") return answer.message;
  if (!("errors" in answer) || !Array.isArray(answer.errors)) return null;
  const first: unknown = answer.errors[0];
  const sentence = typeof first === "object" && first !== null && "message" in first ? first.message : first;
  return typeof sentence === "string" ? sentence : null;
}
