/**
 * The names under which Langfuse's self-hosting guide sets storage (langfuse.md 8), accepted as aliases: a deployment
 * moves over by copying its variables. Only here does one setting have two names.
 */
import { FirnError } from "../errors.ts";
import type { SettingSource } from "./setting-reader.ts";
import type { StorageGroupName } from "./storage-config.ts";

/** Langfuse's prefix of a group's names → the group. */
const GROUPS: readonly (readonly [prefix: string, group: StorageGroupName])[] = [
  ["LANGFUSE_S3_EVENT_UPLOAD_", "ARCHIVE"],
  ["LANGFUSE_S3_MEDIA_UPLOAD_", "MEDIA"],
  ["LANGFUSE_S3_BATCH_EXPORT_", "EXPORT"],
];
/** Suffixes with the same meaning in both. */
const SUFFIXES: readonly string[] = [
  "BUCKET",
  "PREFIX",
  "REGION",
  "ENDPOINT",
  "ACCESS_KEY_ID",
  "SECRET_ACCESS_KEY",
  "FORCE_PATH_STYLE",
  "SSE",
  "SSE_KMS_KEY_ID",
];
const USE_AZURE = "LANGFUSE_USE_AZURE_BLOB";
const SKIP_CONTAINER_CHECK = "LANGFUSE_AZURE_SKIP_CONTAINER_CHECK";
/** What Langfuse can and Firn cannot; said, and not obeyed. */
const UNSUPPORTED =
  /^LANGFUSE_(USE_GOOGLE_CLOUD_STORAGE|GOOGLE_CLOUD_STORAGE_\w+|USE_OCI_\w+|OCI_\w+|S3_CORE_DATA_\w+)$/;

/** Settings under Firn's names, and what is to be said of the others. */
export interface TranslatedSettings extends SettingSource {
  readonly warnings: readonly string[];
}

/**
 * Translates aliases.
 * @throws FirnError `misconfigured` when both names of one setting are set to different values
 */
export function translateLangfuseNames(settings: Readonly<Record<string, unknown>>): TranslatedSettings {
  const values = new Map(Object.entries(settings));
  const aliases = new Map<string, string>();
  const alias = (from: string, to: string, value: unknown): void => {
    const own = values.get(to);
    if (own !== undefined && own !== "" && own !== value) {
      const message = `Cannot use the setting ${from}: ${to} is the same setting with another value, set one of them`;
      throw new FirnError("misconfigured", message, { field: from });
    }
    values.set(to, value);
    aliases.set(to, from);
  };
  for (const [name, value] of Object.entries(settings)) {
    const to = toFirnName(name);
    if (to !== null && value !== "") alias(name, to, value);
  }
  const isAzure = isTrue(settings[USE_AZURE], USE_AZURE);
  for (const [prefix, group] of GROUPS) {
    assertPrefixForm(settings[`${prefix}PREFIX`], `${prefix}PREFIX`);
    const store = `${group}_STORE`;
    const hasOwn = ["BUCKET", "ENDPOINT", "ACCESS_KEY_ID"].some((suffix) => aliases.has(`${group}_${suffix}`));
    if (!hasOwn || (values.get(store) ?? "") !== "") continue;
    const speaksS3 = aliases.has(`${group}_ENDPOINT`) || aliases.has(`${group}_ACCESS_KEY_ID`);
    if (isAzure || speaksS3) values.set(store, isAzure ? "azure" : "s3");
  }
  return { values, aliases, warnings: Object.keys(settings).filter(isUnsupported).map(toWarning) };
}

function toFirnName(name: string): string | null {
  if (name === SKIP_CONTAINER_CHECK) return "AZURE_SKIP_CONTAINER_CHECK";
  for (const [prefix, group] of GROUPS) {
    const suffix = name.slice(prefix.length);
    if (name.startsWith(prefix) && SUFFIXES.includes(suffix)) return `${group}_${suffix}`;
  }
  return null;
}

/** Langfuse refuses to start without the slash, since it joins prefix and key as they are. */
function assertPrefixForm(value: unknown, name: string): void {
  if (typeof value !== "string" || value === "" || value.endsWith("/")) return;
  const message = `Cannot use the setting ${name}: found "${value}", expected a slash at its end`;
  throw new FirnError("misconfigured", message, { field: name });
}

function isTrue(value: unknown, name: string): boolean {
  if (value === undefined || value === "" || value === "false" || value === false) return false;
  if (value === "true" || value === true) return true;
  const found = typeof value === "string" ? `"${value}"` : typeof value;
  const message = `Cannot use the setting ${name}: found ${found}, expected "true" or "false"`;
  throw new FirnError("misconfigured", message, { field: name });
}

function isUnsupported(name: string): boolean {
  return UNSUPPORTED.test(name);
}

function toWarning(name: string): string {
  return `${name} is not used: Google Cloud Storage and OCI work through the S3 settings, with HMAC and customer keys`;
}
