import { describe, expect, it } from "vitest";
import { childOf, childrenOf, parseXml, textOf } from "../../../src/object-store/http/xml.ts";

describe("parseXml()", () => {
  it("keeps text as it stands and decodes entities once", () => {
    const document = parseXml(
      '<?xml version="1.0"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n' +
        "<Prefix/><Contents><Key> 001&amp;lt;&lt;&gt;&apos;&quot;&#233;&#xE9;&#xd; </Key><ETag>&#34;x&#34;</ETag>" +
        "</Contents></ListBucketResult>",
    );

    expect(document?.name).toBe("ListBucketResult");
    const [object] = childrenOf(document!.root, "Contents");
    expect(textOf(object!, "Key")).toBe(" 001&lt;<>'\"éé\r ");
    expect(textOf(object!, "ETag")).toBe('"x"');
    expect(textOf(document!.root, "Prefix")).toBe("");
    expect(textOf(document!.root, "NextContinuationToken")).toBeNull();
  });

  it("reads an error that begins with a byte order mark, and one in a list", () => {
    expect(textOf(parseXml("\uFEFF<Error><Code>NoSuchKey</Code></Error>")!.root, "Code")).toBe("NoSuchKey");
    expect(childrenOf(parseXml("<DeleteResult><Error><Key>a</Key></Error></DeleteResult>")!.root, "Error")).toEqual([
      { Key: "a" },
    ]);
  });

  it("drops prefixes of name spaces", () => {
    expect(parseXml('<ns0:Blobs xmlns:ns0="x"><ns0:Name>a</ns0:Name></ns0:Blobs>')).toEqual({
      name: "Blobs",
      root: { Name: "a" },
    });
  });

  it("reads a thousand objects, each with entities", () => {
    const object = "<Contents><Key>a&amp;b</Key><ETag>&quot;x&quot;</ETag></Contents>";

    const document = parseXml(`<ListBucketResult>${object.repeat(1000)}</ListBucketResult>`);

    expect(childrenOf(document!.root, "Contents").map((child) => textOf(child, "Key"))).toEqual(
      Array.from({ length: 1000 }, () => "a&b"),
    );
  });

  it.each([
    "",
    "text",
    "{}",
    "<a>",
    "<a></b>",
    "<a/><b/>",
    "<html><body><br>Bad gateway</body></html>",
    "<__proto__>x</__proto__>",
    "<a>x</a>more",
  ])("refuses %j", (text) => {
    expect(parseXml(text)).toBeNull();
  });

  it("expands nothing that a document defines", () => {
    expect(parseXml('<!DOCTYPE a [<!ENTITY x "yyy">]><a><b>&x;</b></a>')?.root).toEqual({ b: "&x;" });
    expect(parseXml("<a><b>&#x110000;&nbsp;</b></a>")?.root).toEqual({ b: "&#x110000;&nbsp;" });
  });
});

describe("childOf()", () => {
  it("finds an element, an empty one and none", () => {
    const { root } = parseXml("<a><b><c>1</c></b><d/></a>")!;

    expect(childOf(root, "b")).toEqual({ c: "1" });
    expect(childOf(root, "d")).toEqual({});
    expect(childOf(root, "e")).toBeNull();
  });
});
