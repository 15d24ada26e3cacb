import * as fc from "fast-check";
import { expect, test } from "vitest";
import { chooseFormat } from "../../src/replay/accept.ts";
import { CONTENT_TYPE, FORMATS, formatsOf } from "../../src/replay/format.ts";

/** Headers that these programs send, as of 2026. */
const FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const CHROME =
  "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8," +
  "application/signed-exchange;v=b3;q=0.7";
const JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2";

test.each([
  [null, "jsonl"],
  ["", "jsonl"],
  [" , ,", "jsonl"],
  ["*/*", "jsonl"],
  ["application/*", "jsonl"],
  ["*", "jsonl"],
  ["application/x-ndjson", "jsonl"],
  ["application/json", "json"],
  ["application/x-protobuf", "proto"],
  ["application/octet-stream", "proto-delimited"],
  ["Application/JSON ; Charset=UTF-8", "json"],
  ['application/json;profile="a, b; q=0"', "json"],
  ["application/json;q=0.5, application/x-protobuf;q=0.8", "proto"],
  ["application/json;q=0.5,application/x-protobuf", "proto"],
  ["application/x-protobuf;q=0.999, application/json;q=1.000", "json"],
  ["*/*;q=1, application/x-ndjson;q=0", "json"],
  ["application/*;q=0.2, application/json;q=0.1, */*;q=0.9", "jsonl"],
  ["application/json, text/plain, */*", "json"],
  ["*/*, application/json", "json"],
  ["text/plain, application/*;q=0.5, application/octet-stream;q=0.6", "proto-delimited"],
  ["application/x-protobuf, application/json", "proto"],
  ["application/json, application/x-protobuf", "json"],
  ["image/png, */*;q=0.001", "jsonl"],
  ["application/json;q=nonsense", "json"],
  ["nonsense", "jsonl"],
  [FIREFOX, "jsonl"],
  [CHROME, "jsonl"],
  [JAVA, "jsonl"],
] as const)("chooseFormat() answers Accept: %s with %s", (accept, format) => {
  expect(chooseFormat(accept, FORMATS)).toBe(format);
});

test.each(["image/png", "text/*", "application/json;q=0", "*/*;q=0", "application/xml, text/html;q=0.9"])(
  "chooseFormat() refuses Accept: %s and lists what there is",
  (accept) => {
    let thrown: unknown = null;
    try {
      chooseFormat(accept, FORMATS);
    } catch (error) {
      thrown = error;
    }

    expect(thrown).toMatchObject({
      kind: "not_acceptable",
      message:
        "Cannot answer in a media type that the header Accept names, expected one of " +
        "application/x-ndjson, application/json, application/x-protobuf, application/octet-stream",
    });
  },
);

test.each([FIREFOX, CHROME, JAVA, "*/*", "application/*"])("chooseFormat() gives profiles as lines to %s", (accept) => {
  expect(chooseFormat(accept, formatsOf("profiles"))).toBe("jsonl");
});

test("chooseFormat() gives a format that has the highest weight of all, by any weights", () => {
  const weights = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: FORMATS.length, maxLength: FORMATS.length });

  fc.assert(
    fc.property(weights, fc.integer({ min: 0, max: 1000 }), (each, any) => {
      const named = FORMATS.slice(1).map((format, index) => `${CONTENT_TYPE[format]};q=${(each[index] ?? 0) / 1000}`);
      const accept = [`*/*;q=${any / 1000}`, ...named].join(", ");
      const best = Math.max(any, ...each.slice(0, named.length));
      fc.pre(best > 0);

      const chosen = chooseFormat(accept, FORMATS);

      const weight = chosen === "jsonl" ? any : each[FORMATS.indexOf(chosen) - 1];
      expect(weight).toBe(best);
    }),
  );
});

test("chooseFormat() answers or refuses any text, and never fails otherwise", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'apl/icton*;q=0.1," \\x-jsond'.split("")) }), (accept) => {
      try {
        expect(FORMATS).toContain(chooseFormat(accept, FORMATS));
      } catch (error) {
        expect(error).toMatchObject({ kind: "not_acceptable" });
      }
    }),
    { numRuns: 2000 },
  );
});

test("chooseFormat() takes linear time for a header of any shape", () => {
  for (const part of ['"', ",", ";", " ", "a/b;q=", '"\\', "*/*;", 'a/b;x="', '\\"']) {
    // A media range in front, or nothing behind it would be looked at; 128 KB of headers are what a platform takes.
    const accept = `a/b;"${part.repeat(128_000 / part.length)}`;
    const startedAt = performance.now();
    try {
      chooseFormat(accept, FORMATS);
    } catch {
      // Refused is as good as answered here.
    }
    expect(performance.now() - startedAt, part).toBeLessThan(1000);
  }
});
