import { describe, expect, it } from "vitest";
import { formatStringToSign, importAccountKey, signSharedKey } from "../../../src/object-store/azure/shared-key.ts";

interface Told {
  readonly method?: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentLength?: number;
  readonly account?: string;
}

function textOf({ method = "GET", url, headers = {}, contentLength = 0, account = "myaccount" }: Told): string {
  return formatStringToSign(account, { method, url: new URL(url), headers: new Headers(headers), contentLength });
}

describe("formatStringToSign()", () => {
  it("is Microsoft's for its example of container metadata", () => {
    const text = textOf({
      url: "http://myaccount.blob.core.windows.net/mycontainer?restype=container&comp=metadata&timeout=20",
      headers: { "x-ms-date": "Fri, 26 Jun 2015 23:39:12 GMT", "x-ms-version": "2015-02-21" },
    });

    expect(text).toBe(
      "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n" +
        "/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20",
    );
  });

  it.each([
    [
      "http://myaccount.blob.core.windows.net/mycontainer?restype=container&comp=metadata",
      "/myaccount/mycontainer\ncomp:metadata\nrestype:container",
    ],
    [
      "http://myaccount.blob.core.windows.net/mycontainer?restype=container&comp=list" +
        "&include=snapshots&include=metadata&include=uncommittedblobs",
      "/myaccount/mycontainer\ncomp:list\ninclude:metadata,snapshots,uncommittedblobs\nrestype:container",
    ],
    ["https://myaccount-secondary.blob.core.windows.net/mycontainer/myblob", "/myaccount/mycontainer/myblob"],
  ])("is Microsoft's resource of %s", (url, resource) => {
    expect(textOf({ url }).split("\n").slice(12).join("\n")).toBe(resource);
  });

  it("has the account twice where the path holds it", () => {
    const url = "http://127.0.0.1:10000/devstoreaccount1/c/b";

    expect(textOf({ url, account: "devstoreaccount1" }).endsWith("\n/devstoreaccount1/devstoreaccount1/c/b")).toBe(
      true,
    );
  });

  it("keeps the path encoded, decodes the query, and lowers its names", () => {
    const url = "https://a.blob.core.windows.net/c/a%20b%2B%27?Prefix=a%20b%26&comp=list";

    expect(textOf({ url, account: "a" }).endsWith("\n/a/c/a%20b%2B%27\ncomp:list\nprefix:a b&")).toBe(true);
  });

  it("puts each header in its place, and the x-ms- ones sorted behind them", () => {
    const headers = {
      "Content-Type": "type",
      "Content-MD5": "md5",
      "Content-Encoding": "coding",
      "Content-Language": "language",
      Date: "date",
      "If-Modified-Since": "since",
      "If-Match": "match",
      "If-None-Match": "*",
      "If-Unmodified-Since": "until",
      Range: "range",
      "x-ms-version": "2",
      "X-Ms-Blob-Type": "BlockBlob",
      "x-ms-meta-a": "  spaces  ",
      "x-other": "unsigned",
    };

    const text = textOf({ method: "PUT", url: "https://a.b/c", headers, contentLength: 11 });

    const standard = [
      "PUT",
      "coding",
      "language",
      "11",
      "md5",
      "type",
      "date",
      "since",
      "match",
      "*",
      "until",
      "range",
    ];
    const own = ["x-ms-blob-type:BlockBlob", "x-ms-meta-a:spaces", "x-ms-version:2"];
    expect(text.split("\n")).toEqual([...standard, ...own, "/myaccount/c"]);
  });

  it("leaves a length of 0 empty", () => {
    expect(textOf({ method: "PUT", url: "https://a.b/c" }).split("\n")[3]).toBe("");
  });
});

describe("signSharedKey()", () => {
  it("signs with HMAC-SHA256 and names the account", async () => {
    const key = await importAccountKey(new TextEncoder().encode("key"));
    const url = new URL("https://firn.blob.core.windows.net/c/b?comp=block");
    const headers = new Headers({ "x-ms-date": "Mon, 30 Nov 2026 12:00:00 GMT", "x-ms-version": "2025-11-05" });

    const signed = await signSharedKey("firn", key, { method: "PUT", url, headers, contentLength: 3 });

    expect(signed).toBe("SharedKey firn:uiXLHl3zp1SSlyLe8oy8/EaxZd+RZwLHrKsm/ZR68dI=");
  });
});
