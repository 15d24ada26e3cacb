import { describe, expect, it } from "vitest";
import { parseConnectionString } from "../../src/config/azure-connection.ts";

const KEY = "c2VjcmV0IGJ5dGVzIG9mIGEga2V5Pz8/";
const KEY_BYTES = new TextEncoder().encode("secret bytes of a key???");
const SAS = "sv=2024-11-04&ss=b&srt=co&sp=rwdl&se=2030-01-01T00:00:00Z&sig=c2VjcmV0c2ln%3D";

describe("parseConnectionString()", () => {
  it("reads what the portal shows", () => {
    const text = `DefaultEndpointsProtocol=https;AccountName=firn;AccountKey=${KEY};EndpointSuffix=core.windows.net;`;

    expect(parseConnectionString(text)).toEqual({
      account: "firn",
      endpoint: "https://firn.blob.core.windows.net",
      credential: { kind: "key", key: KEY_BYTES },
    });
  });

  it("takes names in any case, spaces, an empty end and settings of other services", () => {
    const text = ` accountname=firn ; ACCOUNTKEY=${KEY};QueueEndpoint=https://firn.queue.core.windows.net;\n`;

    expect(parseConnectionString(text)).toMatchObject({
      account: "firn",
      endpoint: "https://firn.blob.core.windows.net",
    });
  });

  it("reads another cloud and plain http", () => {
    const text = `DefaultEndpointsProtocol=http;AccountName=firn;AccountKey=${KEY};EndpointSuffix=chinacloudapi.cn`;

    expect(parseConnectionString(text).endpoint).toBe("http://firn.blob.chinacloudapi.cn");
  });

  it.each([`?${SAS}`, SAS])("reads a shared access signature, with its question mark or without", (signature) => {
    const text = `BlobEndpoint=https://firn.blob.core.windows.net/;SharedAccessSignature=${signature}`;

    expect(parseConnectionString(text)).toEqual({
      account: "firn",
      endpoint: "https://firn.blob.core.windows.net",
      credential: { kind: "sas", token: SAS },
    });
  });

  it("reads an endpoint with the account in its path", () => {
    const text = `AccountKey=${KEY};BlobEndpoint=http://azurite:10000/devstoreaccount1`;

    expect(parseConnectionString(text)).toMatchObject({
      account: "devstoreaccount1",
      endpoint: "http://azurite:10000/devstoreaccount1",
    });
  });

  it("reads the emulator's short form", () => {
    const { account, endpoint, credential } = parseConnectionString("UseDevelopmentStorage=true");

    expect({ account, endpoint }).toEqual({
      account: "devstoreaccount1",
      endpoint: "http://127.0.0.1:10000/devstoreaccount1",
    });
    expect(credential).toMatchObject({ kind: "key", key: { length: 64 } });
  });

  it.each([
    ["", "it is empty"],
    ["AccountName", 'its part 1 is not "name=value"'],
    [`AccountName=firn;=${KEY}`, 'its part 2 is not "name=value"'],
    [`AccountName=firn;AccountKey=${KEY};accountKey=${KEY}`, "its part 3 gives a name a second time"],
    [`AccountKey=${KEY}`, "AccountName is missing"],
    [`AccountKey=${KEY};BlobEndpoint=https://storage.example.com`, "AccountName is missing"],
    [`AccountName=${KEY};AccountKey=${KEY}`, "AccountName is not one"],
    ["AccountName=firn", "neither AccountKey nor SharedAccessSignature"],
    [`AccountName=firn;AccountKey=${KEY};SharedAccessSignature=${SAS}`, "both AccountKey and SharedAccessSignature"],
    [`AccountName=firn;AccountKey=${KEY}!`, "AccountKey is not base64"],
    ["AccountName=firn;AccountKey=", "AccountKey is not base64"],
    [`AccountName=firn;SharedAccessSignature=sv=1&sp=${KEY}`, 'SharedAccessSignature has no "sig"'],
    [`AccountName=firn;SharedAccessSignature=${SAS} ${KEY}`, "SharedAccessSignature holds a space"],
    [`AccountName=firn;AccountKey=${KEY};DefaultEndpointsProtocol=${KEY}`, "neither https nor http"],
    [`AccountName=firn;AccountKey=${KEY};EndpointSuffix=a/b?${KEY}`, "EndpointSuffix is not a domain"],
    [`AccountName=firn;AccountKey=${KEY};BlobEndpoint=ftp://host/${KEY}`, "BlobEndpoint is not an http or https URL"],
    [`BlobEndpoint=https://firn.blob.core.windows.net/?${SAS}`, "BlobEndpoint holds more than host and path"],
  ])("refuses %j", (text, found) => {
    let message = "";
    try {
      parseConnectionString(text);
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError);
      message = String(error);
    }

    expect(message).toContain(`Cannot read the Azure connection string: `);
    expect(message).toContain(found);
    expect(message).not.toContain(KEY);
    expect(message).not.toContain("c2VjcmV0c2ln");
  });
});
