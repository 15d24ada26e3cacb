/**
 * Names of blocks and of uploads: pure. Azure knows no uploads, only blocks that lie under the name of a blob until a
 * list of them makes it: an upload is a nonce of Firn's own, and a block's name says whose and which it is.
 * https://learn.microsoft.com/rest/api/storageservices/put-block#uri-parameters
 */
import { joinBytes } from "../../bytes.ts";

/** What an upload's id says. The content type is in it since Azure takes that only at the end. */
export interface BlockUpload {
  /** A UUID: what the finished blob is known by. */
  readonly nonce: string;
  readonly contentType: string;
}

/** A block, as far as its name says it. */
export interface Block {
  readonly nonce: string;
  readonly number: number;
  /** MD5 of its bytes, 32 hex digits: a part that was replaced has another name than its successor. */
  readonly md5Hex: string;
}

const UPLOAD_ID = /^([\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}) (.*)$/;
const MD5_HEX = /^[\da-f]{32}$/;

/** Formats an id: the nonce, a space, the content type. */
export function formatUploadId({ nonce, contentType }: BlockUpload): string {
  return `${nonce} ${contentType}`;
}

/** Parses an id; `null` for one that is not of this store. */
export function parseUploadId(uploadId: string): BlockUpload | null {
  const [, nonce, contentType] = UPLOAD_ID.exec(uploadId) ?? [];
  return nonce === undefined || contentType === undefined ? null : { nonce, contentType };
}

/**
 * Formats a block's name, base64 of 34 bytes: all names under a blob have one length, at most 64 bytes.
 *
 * | offset | length | holds                 |
 * |--------|--------|-----------------------|
 * | 0      | 16     | the nonce             |
 * | 16     | 2      | the number, big endian |
 * | 18     | 16     | the MD5               |
 *
 * @returns `null` when the MD5 is not one, as in a part of another store
 */
export function formatBlockId({ nonce, number, md5Hex }: Block): string | null {
  if (!MD5_HEX.test(md5Hex)) return null;
  const place = new Uint8Array([number >> 8, number & 0xff]);
  return joinBytes([Uint8Array.fromHex(nonce.replaceAll("-", "")), place, Uint8Array.fromHex(md5Hex)]).toBase64();
}

/** Formats the body of Put Block List. Only blocks that no blob has yet: create-only in this, too. */
export function formatBlockList(blockIds: readonly string[]): string {
  const blocks = blockIds.map((id) => `<Uncommitted>${id}</Uncommitted>`).join("");
  return `<?xml version="1.0" encoding="utf-8"?><BlockList>${blocks}</BlockList>`;
}
