/** `npm run token`: draws a token and prints it with its digest, the only form in which Firn is told of it. */
import { createHash, randomBytes } from "node:crypto";

/** Entropy of a token: as much as its digest can hold. */
export const TOKEN_BYTES = 32;

/** A token and its SHA-256 in lowercase hex. */
export interface TokenPair {
  readonly token: string;
  readonly sha256Hex: string;
}

/** Makes a token from random bytes. */
export function formatToken(random: Uint8Array): TokenPair {
  const token = `firn_${Buffer.from(random).toString("base64url")}`;
  return { token, sha256Hex: createHash("sha256").update(token).digest("hex") };
}

if (process.argv[1] === import.meta.filename) {
  const { token, sha256Hex } = formatToken(randomBytes(TOKEN_BYTES));
  console.log(
    [
      `Token   ${token}`,
      `SHA-256 ${sha256Hex}`,
      "",
      "Give the token to clients (Authorization: Bearer <token>) and only its digest to Firn:",
      "",
      `  echo ${sha256Hex} | wrangler secret put INGEST_TOKEN_SHA256`,
      "",
      "READ_TOKEN_SHA256 and ADMIN_TOKEN_SHA256 take the other scopes; a comma list holds several digests.",
      "The token is shown only here; Firn cannot tell it again.",
    ].join("\n"),
  );
}
