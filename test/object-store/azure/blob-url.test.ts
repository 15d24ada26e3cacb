import { describe, expect, it } from "vitest";
import { formatBlobUrl } from "../../../src/object-store/azure/blob-url.ts";

const containerUrl = "http://127.0.0.1:10000/devstoreaccount1/telemetry";

describe("formatBlobUrl()", () => {
  it("names a container and a blob", () => {
    expect(formatBlobUrl({ containerUrl }).href).toBe(containerUrl);
    expect(formatBlobUrl({ containerUrl, key: "a/b=1/c.gz" }).href).toBe(`${containerUrl}/a/b%3D1/c.gz`);
  });

  it("encodes all that a URL, a signature or a server could take otherwise", () => {
    const key = "!'()*~ +%2F?#&é\u{1F600}";

    const url = formatBlobUrl({ containerUrl, key, query: { prefix: "a+b c'", marker: undefined } });

    expect(url.pathname.split("/").at(-1)).toBe("%21%27%28%29%2A~%20%2B%252F%3F%23%26%C3%A9%F0%9F%98%80");
    expect(url.search).toBe("?prefix=a%2Bb%20c%27");
    expect(url.searchParams.get("prefix")).toBe("a+b c'");
  });

  it("keeps empty segments", () => {
    expect(formatBlobUrl({ containerUrl, key: "/a//b/" }).href).toBe(`${containerUrl}//a//b/`);
  });

  it.each(["", ".", "..", "a/./b", "../a", "a/..", "a\\b", "a\u0001", "a\n", "a\u007f", "a\u0085", "a\uD83D"])(
    "refuses the key %j, which Azure would not keep",
    (key) => {
      expect(() => formatBlobUrl({ containerUrl, key })).toThrow(RangeError);
    },
  );

  it.each(["a.", "...", "a/.b", "..a", "a..b"])("takes the key %j", (key) => {
    expect(decodeURIComponent(formatBlobUrl({ containerUrl, key }).href)).toBe(`${containerUrl}/${key}`);
  });
});
