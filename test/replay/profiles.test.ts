/** Profiles in the answers: each request by itself, converted where the format wants it. */
import { expect, test } from "vitest";
import type { Signal } from "../../src/signal.ts";
import { freshKey, LIMITS } from "../reader/archive-sample.ts";
import { foreignKey, profilesDocument, profilesMessage, profilesObject } from "../reader/archive-forms.ts";
import { gzip, request } from "../reader/otlp-sample.ts";
import { bytesObject, openSyntheticStore, type SyntheticStore } from "../reader/synthetic-store.ts";
import { NOW, replay, takeMessages, toText } from "./replay-kit.ts";

const JSON_GZIP = { marshaler: "otlp_json", compression: "gzip" } as const;
const PROTO_ZSTD = { marshaler: "otlp_proto", compression: "zstd" } as const;

function openProfilesStore(): SyntheticStore {
  return openSyntheticStore({
    [foreignKey("profiles", JSON_GZIP, 1)]: profilesObject("n-1", JSON_GZIP),
    [foreignKey("profiles", JSON_GZIP, 2)]: profilesObject('n-2 "x', JSON_GZIP, 2),
    [foreignKey("profiles", PROTO_ZSTD, 3)]: profilesObject("n-3", PROTO_ZSTD),
    [freshKey("2026-05-01T14:09:00Z")]: gzip(request("traces", ["n-span"])),
  });
}

test("replayResponse() gives profiles a line each, whatever their encoding", async () => {
  const asked: Signal[] = [];
  const watermark = (signal: Signal): Promise<typeof NOW> => {
    asked.push(signal);
    return Promise.resolve(NOW);
  };

  const text = toText(await replay(openProfilesStore(), "signal=profiles", { watermark }));

  const [first, second, third = "", mark = "", ...rest] = text.split("\n");
  expect(first).toBe(profilesDocument("n-1"));
  expect(second).toBe(profilesDocument('n-2 "x'));
  expect(JSON.parse(third)).toMatchObject(JSON.parse(profilesDocument("n-3")) as object);
  expect(mark.startsWith('{"resourceProfiles":[],"firn":{"items":3,')).toBe(true);
  expect(JSON.parse(mark)).toMatchObject({ firn: { complete: true, bytes: text.length - mark.length - 1 } });
  expect(rest).toEqual([""]);
  expect(asked).toEqual(["profiles"]);
});

test("replayResponse() gives profiles a message each, whatever their encoding", async () => {
  const messages = takeMessages(await replay(openProfilesStore(), "signal=profiles&format=proto-delimited"));

  expect(messages.slice(0, -1)).toEqual([profilesMessage("n-1"), profilesMessage('n-2 "x'), profilesMessage("n-3")]);
});

test("replayResponse() gives a profile longer than max_line_bytes a line of its own", async () => {
  const name = "n".repeat(5000);
  const store = openSyntheticStore({ [foreignKey("profiles", JSON_GZIP)]: profilesObject(name, JSON_GZIP) });

  const text = toText(await replay(store, "signal=profiles&max_line_bytes=1000"));

  expect(text.split("\n")[0]).toBe(profilesDocument(name));
  expect(JSON.parse(text.split("\n")[1] ?? "")).toMatchObject({ firn: { items: 1 } });
});

test("replayResponse() counts a profile that cannot be converted as unreadable", async () => {
  const store = openProfilesStore();
  const key = foreignKey("profiles", { marshaler: "otlp_proto", compression: "none" }, 2);
  store.objects.set(key, bytesObject(new Uint8Array([0x0a, 0x02, 0x0a, 0x7f])));

  const lines = toText(await replay(store, "signal=profiles&on_error=skip"))
    .trim()
    .split("\n");

  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ firn: { items: 3, unreadable: 1, complete: false } });
  await expect(replay(store, "signal=profiles")).rejects.toThrow(`Cannot read object "${key}"`);
  expect(takeMessages(await replay(store, "signal=profiles&format=proto-delimited"))).toHaveLength(5);
});

test("replayResponse() pages through profiles by next", async () => {
  const minutes = ["09", "10", "11", "30"];
  const store = openSyntheticStore(
    Object.fromEntries(
      minutes.map((each) => [
        foreignKey("profiles", JSON_GZIP).replace("minute=09", `minute=${each}`),
        profilesObject(`n-${each}`, JSON_GZIP),
      ]),
    ),
  );
  const deps = { limits: { ...LIMITS, maxStoreCalls: 3 } };

  const first = toText(await replay(store, "signal=profiles", deps))
    .trim()
    .split("\n");
  const { next } = (JSON.parse(first.at(-1) ?? "") as { firn: { next: string } }).firn;
  const rest = toText(await replay(store, `signal=profiles&cursor=${next}`, deps));

  expect(next).toMatch(/^v1\.profiles\.\d+$/);
  expect([...first.slice(0, -1), ...rest.trim().split("\n").slice(0, -1)]).toEqual(
    minutes.map((each) => profilesDocument(`n-${each}`)),
  );
});
