import { describe, expect, it } from "vitest";
import {
  formatBlockId,
  formatBlockList,
  formatUploadId,
  parseUploadId,
} from "../../../src/object-store/azure/blocks.ts";

const NONCE = "01234567-89ab-4cde-8f01-23456789abcd";
const MD5_HEX = "00112233445566778899aabbccddeeff";

describe("formatUploadId()", () => {
  it.each(["application/gzip", "text/plain; charset=utf-8", ""])("keeps the content type %j", (contentType) => {
    const upload = { nonce: NONCE, contentType };

    expect(parseUploadId(formatUploadId(upload))).toEqual(upload);
  });
});

describe("parseUploadId()", () => {
  it.each(["", NONCE, "VXBsb2FkIElE", `${NONCE.slice(1)} application/gzip`, `x${NONCE} text/plain`])(
    "takes %j for none of this store",
    (uploadId) => {
      expect(parseUploadId(uploadId)).toBeNull();
    },
  );
});

describe("formatBlockId()", () => {
  it("is the base64 of nonce, number and MD5", () => {
    const id = formatBlockId({ nonce: NONCE, number: 258, md5Hex: MD5_HEX });

    expect(Uint8Array.fromBase64(id ?? "").toHex()).toBe(`0123456789ab4cde8f0123456789abcd0102${MD5_HEX}`);
  });

  it("has one length for all numbers, below Azure's 64 bytes", () => {
    const ids = [1, 255, 256, 10_000].map((number) => formatBlockId({ nonce: NONCE, number, md5Hex: MD5_HEX }));

    expect(new Set(ids.map((id) => id?.length))).toEqual(new Set([48]));
    expect(new Set(ids).size).toBe(4);
  });

  it.each(["", '"quoted"', `${MD5_HEX}-1`, MD5_HEX.toUpperCase()])("takes %j for no part of this store", (md5Hex) => {
    expect(formatBlockId({ nonce: NONCE, number: 1, md5Hex })).toBeNull();
  });
});

describe("formatBlockList()", () => {
  it("names uncommitted blocks in their order", () => {
    expect(formatBlockList(["AAAA", "BBBB"])).toBe(
      '<?xml version="1.0" encoding="utf-8"?><BlockList><Uncommitted>AAAA</Uncommitted>' +
        "<Uncommitted>BBBB</Uncommitted></BlockList>",
    );
  });
});
