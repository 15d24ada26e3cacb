/**
 * The connection string that Azure's portal shows for a storage account → account, endpoint of its blobs, credential.
 * Pure; no message repeats a value, since the values are the secret.
 * https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string
 */
import type { AzureCredential } from "./storage-config.ts";

/** What a connection string says about blobs. */
export interface AzureConnection {
  readonly account: string;
  /** URL of the blob service, without a slash at its end. */
  readonly endpoint: string;
  readonly credential: AzureCredential;
}

/** The account of every emulator; its key is public and opens nothing else. */
const EMULATOR = {
  account: "devstoreaccount1",
  key: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
  endpoint: "http://127.0.0.1:10000/devstoreaccount1",
} as const;
const PUBLIC_SUFFIX = "core.windows.net";
/** Of a storage account. */
export const ACCOUNT_NAME: RegExp = /^[a-z0-9]{3,24}$/;

type Settings = ReadonlyMap<string, string>;

/**
 * Parses a connection string: `DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…;EndpointSuffix=…`, one with
 * `BlobEndpoint` and `SharedAccessSignature`, or `UseDevelopmentStorage=true`. Names are taken in any case; what
 * concerns queues, tables and files is left alone.
 * @throws TypeError with a sentence about what is wrong, never with a value.
 */
export function parseConnectionString(text: string): AzureConnection {
  const settings = parseSettings(text);
  if (settings.get("usedevelopmentstorage")?.toLowerCase() === "true") {
    const { account, key, endpoint } = EMULATOR;
    return { account, endpoint, credential: { kind: "key", key: Uint8Array.fromBase64(key) } };
  }
  const blobEndpoint = settings.get("blobendpoint");
  const given = blobEndpoint === undefined ? undefined : parseEndpoint(blobEndpoint);
  const account = settings.get("accountname") ?? (given === undefined ? undefined : accountOf(given));
  if (account === undefined) throw wrong("AccountName is missing");
  if (!ACCOUNT_NAME.test(account))
    throw wrong("AccountName is not one, expected 3 to 24 lower-case letters and digits");
  return {
    account,
    endpoint: given === undefined ? formatEndpoint(account, settings) : given.href.replace(/\/+$/, ""),
    credential: parseCredential(settings),
  };
}

function parseSettings(text: string): Settings {
  const settings = new Map<string, string>();
  for (const [index, part] of text.split(";").entries()) {
    const setting = part.trim();
    if (setting === "") continue;
    // Keys and signatures hold "=" themselves: only the first one separates.
    const at = setting.indexOf("=");
    if (at < 1) throw wrong(`its part ${index + 1} is not "name=value"`);
    const name = setting.slice(0, at).trim().toLowerCase();
    if (settings.has(name)) throw wrong(`its part ${index + 1} gives a name a second time`);
    settings.set(name, setting.slice(at + 1).trim());
  }
  if (settings.size === 0) throw wrong("it is empty");
  return settings;
}

function parseEndpoint(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw wrong("BlobEndpoint is not an http or https URL");
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    throw wrong("BlobEndpoint holds more than host and path; a signature belongs into SharedAccessSignature");
  return url;
}

/** `https://<account>.blob.…`, or the first segment of the path where there is one, as emulators have it. */
function accountOf(endpoint: URL): string | undefined {
  const [, segment = ""] = endpoint.pathname.split("/");
  if (segment !== "") return segment;
  return /^([^.]+)\.blob\./.exec(endpoint.hostname)?.[1];
}

function formatEndpoint(account: string, settings: Settings): string {
  const protocol = settings.get("defaultendpointsprotocol")?.toLowerCase() ?? "https";
  if (protocol !== "https" && protocol !== "http") throw wrong("DefaultEndpointsProtocol is neither https nor http");
  const suffix = settings.get("endpointsuffix") ?? PUBLIC_SUFFIX;
  const url = URL.parse(`${protocol}://${account}.blob.${suffix}`);
  if (url === null || url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "")
    throw wrong("EndpointSuffix is not a domain");
  return url.origin;
}

function parseCredential(settings: Settings): AzureCredential {
  const key = settings.get("accountkey");
  const signature = settings.get("sharedaccesssignature");
  if (key !== undefined && signature !== undefined) throw wrong("it has both AccountKey and SharedAccessSignature");
  if (key !== undefined) return { kind: "key", key: parseKey(key) };
  if (signature === undefined) throw wrong("it has neither AccountKey nor SharedAccessSignature");
  const token = signature.replace(/^\?/, "");
  // A space would cut it in two, for the platform and for whoever takes URLs out of its messages.
  if (/[^\x21-\x7e]/.test(token)) throw wrong("SharedAccessSignature holds a space or another character that none has");
  if (!/(?:^|&)sig=[^&]/.test(token)) throw wrong('SharedAccessSignature has no "sig"');
  return { kind: "sas", token };
}

function parseKey(text: string): Uint8Array {
  try {
    const key = Uint8Array.fromBase64(text);
    if (key.length > 0) return key;
  } catch (error) {
    // The platform's message would repeat what it was given.
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  throw wrong("AccountKey is not base64");
}

function wrong(found: string): TypeError {
  return new TypeError(`Cannot read the Azure connection string: ${found}`);
}
