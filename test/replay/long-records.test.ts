/** Records that are too long for JSON: kept in the archive, given in protobuf, left out of JSON only on demand. */
import { describe, expect, it } from "vitest";
import { replayResponse } from "../../src/replay/replay.ts";
import { freshKey } from "../reader/archive-sample.ts";
import { concat, gzip, request } from "../reader/otlp-sample.ts";
import { openSyntheticStore } from "../reader/synthetic-store.ts";
import { depsOf, WINDOW } from "./replay-kit.ts";

/** As JSON six times as long: 36 MB, where a record may have 32 MiB. */
const LONG = "\u0001".repeat(6_000_000);

function open(query: string): Promise<Response> {
  const store = openSyntheticStore({
    [freshKey("2026-05-01T14:09:00Z", { signal: "logs" })]: gzip(
      request("logs", ["n-1"]),
      request("logs", [LONG]),
      request("logs", ["n-2"]),
    ),
  });
  return replayResponse({ query: new URLSearchParams(`signal=logs&${query}&${WINDOW}`), accept: null }, depsOf(store));
}

describe("a record that is too long for JSON", () => {
  it.each(["jsonl", "json"])("is left out of %s with on_error=skip, and the mark says so", async (format) => {
    const text = await (await open(`format=${format}&on_error=skip`)).text();

    expect([text.includes("n-1"), text.includes("n-2"), text.includes("u0001")]).toEqual([true, true, false]);
    expect(text).toContain('"items":2');
    expect(text).toContain('"complete":false');
    expect(text).toContain('"unreadable":1');
  });

  it.each(["jsonl", "json"])("stops %s otherwise", async (format) => {
    await expect(open(`format=${format}`).then((response) => response.text())).rejects.toMatchObject({
      kind: "too_large",
    });
  });

  it("is given in protobuf", async () => {
    const body = new Uint8Array(await (await open("format=proto&mark=false")).arrayBuffer());
    const whole = concat([request("logs", ["n-1"]), request("logs", [LONG]), request("logs", ["n-2"])]);

    expect(body.length).toBe(whole.length);
  });
}, 60_000);
