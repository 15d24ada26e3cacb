import { describe, expect, it } from "vitest";
import { awsServiceUrl, encodeSegment, findAddress, objectUrl } from "../../../src/object-store/s3/address.ts";

const AWS = { bucket: "b", region: "eu-west-1", endpoint: null, isPathStyle: false };
const ENDPOINT = "http://127.0.0.1:9000/s3";

describe("findAddress()", () => {
  it.each([
    ["AWS", AWS, "https://b.s3.eu-west-1.amazonaws.com"],
    ["AWS in path style", { ...AWS, isPathStyle: true }, "https://s3.eu-west-1.amazonaws.com/b"],
    ["AWS with a dot in the name", { ...AWS, bucket: "a.b" }, "https://s3.eu-west-1.amazonaws.com/a.b"],
    ["AWS in China", { ...AWS, region: "cn-north-1" }, "https://b.s3.cn-north-1.amazonaws.com.cn"],
    ["AWS GovCloud", { ...AWS, region: "us-gov-west-1" }, "https://b.s3.us-gov-west-1.amazonaws.com"],
    ["an endpoint in path style", { ...AWS, endpoint: ENDPOINT, isPathStyle: true }, `${ENDPOINT}/b`],
    [
      "an endpoint with the bucket in its host",
      { ...AWS, endpoint: "http://store.example:9000/s3" },
      "http://b.store.example:9000/s3",
    ],
  ])("finds %s", (_what, settings, bucket) => {
    expect(findAddress(settings).bucket).toBe(bucket);
  });

  it("refuses a bucket with capitals in a host, where it would be another bucket", () => {
    const refusal = 'Cannot open the store: no host is named "https://Logs.store.example", expected path style';

    expect(() => findAddress({ ...AWS, bucket: "Logs", endpoint: "https://store.example" })).toThrow(refusal);
    expect(() => findAddress({ ...AWS, bucket: "Logs" })).toThrow("expected path style");
  });

  it("refuses a bucket before an address of numbers", () => {
    expect(() => findAddress({ ...AWS, endpoint: ENDPOINT })).toThrow(
      'Cannot open the store: no host is named "http://b.127.0.0.1:9000/s3", expected path style with this endpoint',
    );
  });
});

describe("awsServiceUrl()", () => {
  it("names STS of the region's partition", () => {
    expect(awsServiceUrl("sts", "cn-north-1")).toBe("https://sts.cn-north-1.amazonaws.com.cn");
    expect(awsServiceUrl("sts", "eusc-de-east-1")).toBe("https://sts.eusc-de-east-1.amazonaws.eu");
  });
});

describe("objectUrl()", () => {
  const address = findAddress({ ...AWS, endpoint: ENDPOINT, isPathStyle: true });

  it.each([
    ["a/b", "a/b"],
    ["year=2026/it's (a) *!", "year%3D2026/it%27s%20%28a%29%20%2A%21"],
    ["a+b%2F", "a%2Bb%252F"],
    ["/a//b/", "/a//b/"],
    [".../..a/é", ".../..a/%C3%A9"],
  ])("encodes %j so that the platform leaves it alone", (key, path) => {
    const url = objectUrl(address, key);

    expect(url).toBe(`${ENDPOINT}/b/${path}`);
    expect(new URL(url).href).toBe(url);
  });

  it.each(["", ".", "..", "a/./b", "a/../b", "a/.."])("refuses key %j", (key) => {
    expect(() => objectUrl(address, key)).toThrow(RangeError);
  });

  it("puts parameters behind, an empty one too", () => {
    expect(objectUrl(address, "a", { uploads: "", prefix: "a b+c" })).toBe(`${ENDPOINT}/b/a?uploads=&prefix=a%20b%2Bc`);
  });
});

describe("encodeSegment()", () => {
  it("refuses half a surrogate pair", () => {
    expect(() => encodeSegment("a\uD83D")).toThrow(RangeError);
  });
});
