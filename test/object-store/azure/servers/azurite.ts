/** Azurite as the tests ask it: settings for a store, requests by hand, and a shared access signature. */
import { inject } from "vitest";
import type { AzureStorageConfig } from "../../../../src/config/storage-config.ts";
import { importAccountKey, signSharedKey } from "../../../../src/object-store/azure/shared-key.ts";

const { azurite } = inject("servers");
const KEY = Uint8Array.fromBase64(azurite.accountKey);
const SAS_VERSION = "2024-11-04";

/** Settings of the container that is there. */
export const AZURITE_CONFIG: AzureStorageConfig = {
  kind: "azure",
  container: azurite.container,
  account: azurite.account,
  endpoint: azurite.endpoint,
  credential: { kind: "key", key: KEY },
  accessTier: null,
  tags: [],
  createsContainer: false,
};

/** What another client asks: a blob or the container, with headers of its own. */
export interface RawRequest {
  readonly method: string;
  /** Behind the container, with its slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** Asks Azurite past the store. */
export async function askAzurite({ method, path, headers: given = {}, body }: RawRequest): Promise<Response> {
  const url = new URL(`${azurite.endpoint}/${azurite.container}${path}`);
  const headers = new Headers({ "x-ms-date": new Date().toUTCString(), "x-ms-version": "2025-11-05", ...given });
  const request = { method, url, headers, contentLength: body?.length ?? 0 };
  headers.set("authorization", await signSharedKey(azurite.account, await importAccountKey(KEY), request));
  return fetch(url, { method, headers, body: body ?? null, encodeResponseBody: "manual" });
}

/**
 * Makes a service SAS for the container: HMAC over 16 lines.
 * https://learn.microsoft.com/rest/api/storageservices/create-service-sas#version-2020-12-06-and-later
 */
export async function makeSas(permissions: string, expires: Date): Promise<string> {
  const end = `${expires.toISOString().slice(0, 19)}Z`;
  const resource = `/blob/${azurite.account}/${azurite.container}`;
  const lines = [permissions, "", end, resource, "", "", "", SAS_VERSION, "c", "", "", "", "", "", "", ""];
  const text = new TextEncoder().encode(lines.join("\n"));
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", await importAccountKey(KEY), text)).toBase64();
  return new URLSearchParams({ sv: SAS_VERSION, sr: "c", sp: permissions, se: end, sig: signature }).toString();
}
