import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";

const EVENTS = "LANGFUSE_S3_EVENT_UPLOAD_";

describe("readConfig() with Langfuse's names", () => {
  it("takes the MinIO example of the self-hosting guide unchanged", () => {
    const { storage, prefix } = readConfig({
      [`${EVENTS}BUCKET`]: "langfuse",
      [`${EVENTS}REGION`]: "us-east-1",
      [`${EVENTS}ENDPOINT`]: "http://minio:9000",
      [`${EVENTS}ACCESS_KEY_ID`]: "minio",
      [`${EVENTS}SECRET_ACCESS_KEY`]: "miniosecret",
      [`${EVENTS}FORCE_PATH_STYLE`]: "true",
      [`${EVENTS}PREFIX`]: "events/",
    }).archive;

    expect(prefix).toBe("events");
    expect(storage.write).toMatchObject({
      kind: "s3",
      bucket: "langfuse",
      region: "us-east-1",
      endpoint: "http://minio:9000",
      isPathStyle: true,
      credentials: { keys: { accessKeyId: "minio", secretAccessKey: "miniosecret" } },
    });
  });

  it("takes the Azure example: all three groups on one account", () => {
    const env = Object.fromEntries(
      ["EVENT_UPLOAD", "MEDIA_UPLOAD", "BATCH_EXPORT"].flatMap((group) => [
        [`LANGFUSE_S3_${group}_BUCKET`, "langfuse"],
        [`LANGFUSE_S3_${group}_ACCESS_KEY_ID`, "devstoreaccount1"],
        [`LANGFUSE_S3_${group}_SECRET_ACCESS_KEY`, btoa("key")],
        [`LANGFUSE_S3_${group}_ENDPOINT`, "http://azurite:10000/devstoreaccount1"],
      ]),
    );

    const config = readConfig({
      ...env,
      LANGFUSE_USE_AZURE_BLOB: "true",
      LANGFUSE_AZURE_SKIP_CONTAINER_CHECK: "true",
    });

    const groups = [config.archive.storage, config.media, config.tableExport];
    for (const group of groups) {
      expect(group?.write).toMatchObject({ kind: "azure", container: "langfuse", createsContainer: false });
    }
  });

  it("stays with the R2 binding where neither endpoint nor keys are set", () => {
    const { write } = readConfig({ [`${EVENTS}BUCKET`]: "events" }).archive.storage;

    expect(write).toMatchObject({ kind: "r2", bucket: "events" });
  });

  it("lets ARCHIVE_STORE decide where it is set", () => {
    const env = { [`${EVENTS}BUCKET`]: "events", ARCHIVE_STORE: "r2", LANGFUSE_USE_AZURE_BLOB: "true" };

    expect(readConfig(env).archive.storage.write.kind).toBe("r2");
  });

  it("names the variable that was set", () => {
    const env = {
      [`${EVENTS}BUCKET`]: "b",
      [`${EVENTS}ENDPOINT`]: "nowhere",
      [`${EVENTS}ACCESS_KEY_ID`]: "k",
      [`${EVENTS}SECRET_ACCESS_KEY`]: "s",
    };

    expect(() => readConfig(env)).toThrow(
      `Cannot use the setting ${EVENTS}ENDPOINT (ARCHIVE_ENDPOINT): expected a URL`,
    );
  });

  it("names the event bucket where no bucket is set", () => {
    const env = { [`${EVENTS}ACCESS_KEY_ID`]: "k", [`${EVENTS}SECRET_ACCESS_KEY`]: "s" };

    expect(() => readConfig(env)).toThrow("LANGFUSE_S3_EVENT_UPLOAD_BUCKET");
  });

  it.each<readonly [Record<string, string>, string]>([
    [{ [`${EVENTS}PREFIX`]: "events" }, `${EVENTS}PREFIX: found "events", expected a slash at its end`],
    [{ [`${EVENTS}BUCKET`]: "a", ARCHIVE_BUCKET: "b" }, "ARCHIVE_BUCKET is the same setting with another value"],
    [{ LANGFUSE_USE_AZURE_BLOB: "1" }, 'LANGFUSE_USE_AZURE_BLOB: found "1", expected "true" or "false"'],
  ])("refuses %j", (env, sentence) => {
    expect(() => readConfig(env)).toThrow(sentence);
  });
});
