import { describe, expect, it } from "vitest";
import { parseBlobPage } from "../../../src/object-store/azure/list-xml.ts";

function documentOf(blobs: string, end = "<NextMarker />"): string {
  const attributes = 'ServiceEndpoint="https://firn.blob.core.windows.net/" ContainerName="c"';
  const inside = `<Prefix>a</Prefix><Blobs>${blobs}</Blobs>${end}`;
  const root = `<EnumerationResults ${attributes}>${inside}</EnumerationResults>`;
  return `\uFEFF<?xml version="1.0" encoding="utf-8"?>${root}`;
}

function blobOf(name: string, properties = "<Content-Length>5</Content-Length><Etag>0x8D</Etag>"): string {
  return `<Blob>${name}<Properties>${properties}<BlobType>BlockBlob</BlobType></Properties><OrMetadata /></Blob>`;
}

describe("parseBlobPage()", () => {
  it("reads blobs, prefixes and the marker", () => {
    const blobs = blobOf("<Name>a&amp;b</Name>") + blobOf("<Name>007</Name>");

    expect(
      parseBlobPage(
        documentOf(`${blobs}<BlobPrefix><Name>a/</Name></BlobPrefix>`, "<NextMarker>2!72!MDA-</NextMarker>"),
      ),
    ).toEqual({
      objects: [
        { key: "a&b", length: 5, etag: "0x8D", sha256Hex: null },
        { key: "007", length: 5, etag: "0x8D", sha256Hex: null },
      ],
      prefixes: ["a/"],
      nextMarker: "2!72!MDA-",
      hasDirectory: false,
    });
  });

  it("reads an empty page, with a marker or without", () => {
    const empty = { objects: [], prefixes: [], hasDirectory: false };

    expect(parseBlobPage(documentOf(""))).toEqual({ ...empty, nextMarker: null });
    expect(parseBlobPage(documentOf("", "<NextMarker>m</NextMarker>"))).toEqual({ ...empty, nextMarker: "m" });
  });

  it("decodes names that say that they are encoded, and no others", () => {
    const page = parseBlobPage(
      documentOf(
        blobOf('<Name Encoded="true">a%EF%BF%BE%2520&amp;</Name>') +
          blobOf("<Name>b%20</Name>") +
          '<BlobPrefix><Name Encoded="true">c%EF%BF%BF/</Name></BlobPrefix>',
      ),
    );

    expect(page?.objects.map(({ key }) => key)).toEqual(["a\uFFFE%20&", "b%20"]);
    expect(page?.prefixes).toEqual(["c\uFFFF/"]);
  });

  it("takes the quotes off an ETag", () => {
    const properties = '<Content-Length>5</Content-Length><Etag>"0x8D"</Etag>';

    expect(parseBlobPage(documentOf(blobOf("<Name>a</Name>", properties)))?.objects[0]?.etag).toBe("0x8D");
  });

  it("says which blobs must be rehydrated before they are read", () => {
    const tiers = ["Hot", "Archive", "Cold"].map((tier) =>
      blobOf("<Name>a</Name>", `<Content-Length>5</Content-Length><AccessTier>${tier}</AccessTier>`),
    );

    const page = parseBlobPage(documentOf(tiers.join("")));

    expect(page?.objects.map(({ frozenClass }) => frozenClass)).toEqual([undefined, "Archive", undefined]);
  });

  it("sees directories", () => {
    const properties = "<Content-Length>0</Content-Length><ResourceType>directory</ResourceType>";

    expect(parseBlobPage(documentOf(blobOf("<Name>a</Name>", properties)))?.hasDirectory).toBe(true);
  });

  it.each([
    ["", "an empty answer"],
    ["<html><body>Sign in</body></html>", "a page"],
    [documentOf(blobOf("<Name>a</Name>")).slice(0, -40), "an answer that was cut off"],
    [documentOf("", ""), "an answer without a marker"],
    ["<EnumerationResults><NextMarker /></EnumerationResults>", "an answer without a list"],
    [documentOf(blobOf("")), "a blob without a name"],
    [documentOf(blobOf("<Name>a</Name>", "")), "a blob without a length"],
    [documentOf(blobOf("<Name>a</Name>", "<Content-Length>-5</Content-Length>")), "a negative length"],
    [documentOf(blobOf('<Name Encoded="true">%FF</Name>')), "a name of no text"],
    ["<Error><Code>ServerBusy</Code></Error>", "an error"],
  ])("takes %j for no page: %s", (text) => {
    expect(parseBlobPage(text)).toBeNull();
  });
});
