/**
 * The content coding of an answer (RFC 9110 12.5.3): {@link chooseCoding} by the header `Accept-Encoding`, {@link
 * toCodedStream} as one stream whose end is a trailer, so that an answer that breaks off fails to be decoded.
 */
import { openStreamCoder, type StreamCoder, type StreamCoding } from "../compression/stream-coder.ts";
import { FirnError } from "../errors.ts";

/** A coding of an answer; `identity` is none. */
export type Coding = StreamCoding | "identity";

/** The preferred one first among those that a client wants alike: gzip is what every hop on the way knows. */
const CODINGS: readonly StreamCoding[] = ["gzip", "zstd"];
const ELEMENT = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d*)?|\.\d+)\s*)?$/i;
/** Other names of codings (RFC 9110 8.4.1). */
const ALIASES: ReadonlyMap<string, string> = new Map([["x-gzip", "gzip"]]);

/**
 * Chooses the coding that a client wants most. One that it does not name is not used, however much it accepts, unless
 * it refuses plain bytes; what is no element is passed over.
 * @param accepted - the header; `null` when there is none
 * @throws FirnError `not_acceptable` when it refuses plain bytes and names no coding that is there
 */
export function chooseCoding(accepted: string | null): Coding {
  const weights = parseWeights(accepted ?? "");
  const rest = weights.get("*");
  const [best] = CODINGS.map((coding) => ({ coding, weight: weights.get(coding) ?? 0 }))
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight);
  const identity = weights.get("identity") ?? (rest === 0 ? 0 : null);
  if (best !== undefined && best.weight >= (identity ?? 0)) return best.coding;
  if (identity !== 0) return "identity";
  const [other] = CODINGS.filter((coding) => !weights.has(coding));
  if (rest !== undefined && rest > 0 && other !== undefined) return other;
  const message = `Cannot answer in a coding that the header Accept-Encoding names, expected ${CODINGS.join(" or ")}`;
  throw new FirnError("not_acceptable", message, { field: "accept-encoding" });
}

/** The first of several for one coding counts. */
function parseWeights(header: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const element of header.split(",")) {
    const [, name = "", weight = "1"] = ELEMENT.exec(element) ?? [];
    const coding = ALIASES.get(name.toLowerCase()) ?? name.toLowerCase();
    if (coding !== "" && !weights.has(coding)) weights.set(coding, Math.min(1, Number(weight)));
  }
  return weights;
}

/** Pieces of an answer, and what is left to do when nobody takes more of them. */
export type Pieces = AsyncGenerator<Uint8Array, void, void>;

/** Codes pieces, each at once. A failure of theirs goes on, and the stream then has no trailer. */
export async function* codePieces(pieces: Pieces, coder: StreamCoder): Pieces {
  try {
    for await (const piece of pieces) yield coder.write(piece);
    yield coder.end();
  } finally {
    coder.close();
  }
}

/** Opens the coder of a coding; `null` for plain bytes, and where the runtime cannot do otherwise. */
export function openCoder(coding: Coding): StreamCoder | null {
  return coding === "identity" ? null : openStreamCoder(coding);
}
