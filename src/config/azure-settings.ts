/** The settings of a container of Azure Blob Storage. Values of secrets never enter a sentence. */
import { toErrorMessage } from "../errors.ts";
import { ACCOUNT_NAME, parseConnectionString, type AzureConnection } from "./azure-connection.ts";
import { formatChoices, type SettingReader } from "./setting-reader.ts";
import type { AzureCredential, AzureStorageConfig, StorageGroupName } from "./storage-config.ts";
import { readEndpoint, readSecret, readTags } from "./storage-values.ts";

/** https://learn.microsoft.com/azure/storage/blobs/access-tiers-overview */
const TIERS: readonly string[] = ["Hot", "Cool", "Cold", "Archive"];
/** 3 to 63 lower-case letters, digits and single hyphens, or the root container. */
const CONTAINER = /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$|^\$root$/;

/** Reads everything of an Azure store but its container. @throws FirnError `misconfigured` */
export function readAzureStorage(read: SettingReader, name: StorageGroupName, container: string): AzureStorageConfig {
  if (!CONTAINER.test(container)) {
    const expected = "expected the name of a container: 3 to 63 lower-case letters, digits and single hyphens";
    throw read.wrong(`${name}_BUCKET`, `found "${container}", ${expected}`);
  }
  return {
    kind: "azure",
    container,
    ...readConnection(read, name),
    accessTier: readTier(read, `${name}_STORAGE_CLASS`),
    tags: readTags(read, `${name}_TAGS`),
    createsContainer: !read.flag("AZURE_SKIP_CONTAINER_CHECK", false),
  };
}

/** A connection string says everything; without one account, credential and endpoint are settings of their own. */
function readConnection(read: SettingReader, name: StorageGroupName): AzureConnection {
  const setting = `${name}_CONNECTION_STRING`;
  const text = read.optional(setting);
  if (text === null) return readParts(read, name);
  for (const suffix of ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SAS_TOKEN"]) {
    if (read.isSet(`${name}_${suffix}`))
      throw read.wrong(setting, `${name}_${suffix} is set too, expected one of them`);
  }
  try {
    const connection = parseConnectionString(text);
    const endpoint = readEndpoint(read, `${name}_ENDPOINT`);
    return endpoint === null ? connection : { ...connection, endpoint };
  } catch (error) {
    if (error instanceof TypeError) throw read.wrong(setting, toErrorMessage(error));
    throw error;
  }
}

function readParts(read: SettingReader, name: StorageGroupName): AzureConnection {
  const setting = `${name}_ACCESS_KEY_ID`;
  const account = read.optional(setting);
  if (account === null) {
    throw read.wrong(setting, `it is not set, expected the name of the storage account, or ${name}_CONNECTION_STRING`);
  }
  if (!ACCOUNT_NAME.test(account)) {
    // Not what was found: it may be the key, in the wrong place.
    throw read.wrong(setting, "expected the name of a storage account: 3 to 24 lower-case letters and digits");
  }
  const endpoint = readEndpoint(read, `${name}_ENDPOINT`) ?? `https://${account}.blob.core.windows.net`;
  return { account, endpoint, credential: readCredential(read, name) };
}

function readCredential(read: SettingReader, name: StorageGroupName): AzureCredential {
  const [keySetting, sasSetting] = [`${name}_SECRET_ACCESS_KEY`, `${name}_SAS_TOKEN`] as const;
  const key = readSecret(read, keySetting);
  const token = readSecret(read, sasSetting);
  if (key !== null && token !== null) throw read.wrong(sasSetting, `${keySetting} is set too, expected one of them`);
  if (token !== null) {
    if (/(^|[?&])sig=/.test(token)) return { kind: "sas", token: token.replace(/^\?/, "") };
    throw read.wrong(sasSetting, 'it has no "sig", expected a shared access signature such as "sv=…&sig=…"');
  }
  if (key === null) throw read.wrong(keySetting, `it is not set, expected the account key, or ${sasSetting}`);
  try {
    return { kind: "key", key: Uint8Array.fromBase64(key) };
  } catch {
    throw read.wrong(keySetting, "it is not base64, expected the account key as Azure shows it");
  }
}

function readTier(read: SettingReader, setting: string): string | null {
  const value = read.optional(setting);
  if (value === null || TIERS.includes(value)) return value;
  throw read.wrong(setting, `found "${value}", expected ${formatChoices(TIERS)}`);
}
