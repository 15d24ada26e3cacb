/** What is archived of a request, in every form of the archive. */
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MemberForm } from "../../src/buffer/contract.ts";
import { inflateBody } from "../../src/compression/request-body.ts";
import { makeItemMember } from "../../src/ingest/member.ts";
import { encodeJsonRequest } from "../../src/otlp/json/encode.ts";
import { JSON_SEPARATOR, JSON_TAIL, jsonHead } from "../../src/otlp/json/envelope.ts";
import { JSON_TYPE, makeLogs as makeJsonLogs } from "../app-kit.ts";
import { lengthField, traces, span } from "../otlp/wire-builder.ts";
import { code, makeLogs, openDeps, post, send } from "./ingest-kit.ts";

const COMPRESSIONS = ["gzip", "zstd", "none"] as const;
function inflate(member: Uint8Array | undefined, compression: MemberForm["compression"]): Uint8Array {
  if (member === undefined) throw new Error("Expected a member");
  return compression === "none" ? member : inflateBody(compression, member, 1e8).body;
}

async function store(request: Request, form: MemberForm, signal: "logs" | "traces" = "logs"): Promise<Uint8Array[]> {
  const { deps, appended } = openDeps(undefined, form);
  await send(request, deps, signal);
  for (const { head, member } of appended) {
    expect(head.form).toEqual(form);
    expect(head.memberBytes).toBe(member.byteLength);
  }
  return appended.map(({ member }) => member);
}

/** Reads elements as the one document that a shard makes of them. */
function readElements(elements: Uint8Array, signal: "logs" | "traces" = "logs"): unknown {
  return JSON.parse([jsonHead(signal), elements, JSON_TAIL].map((part) => new TextDecoder().decode(part)).join(""));
}

function readRequest(body: Uint8Array, signal: "logs" | "traces" = "logs"): unknown {
  return JSON.parse(new TextDecoder().decode(encodeJsonRequest(signal, body)));
}

describe("members of otlp_proto", () => {
  it.each(COMPRESSIONS)("hold the canonical protobuf of what came plain or as JSON, with %s", async (compression) => {
    const form: MemberForm = { marshaler: "otlp_proto", compression };
    for (const request of [post(makeLogs("same")), post(makeJsonLogs("same"), JSON_TYPE)]) {
      const [member] = await store(request, form);
      expect(readRequest(inflate(member, compression))).toMatchObject(readRequest(makeLogs("same")) as object);
    }
  });

  it.each(["gzip", "zstd"] as const)("are the client's own bytes when it sent clean %s", async (coding) => {
    const wire = await code(coding, makeLogs("kept"));
    const [member] = await store(post(wire, { "content-encoding": coding }), {
      marshaler: "otlp_proto",
      compression: coding,
    });

    expect(member).toEqual(wire);
  });

  it("are written anew when the client's coding is not the archive's compression", async () => {
    const raw = makeLogs("other");
    for (const compression of COMPRESSIONS) {
      for (const coding of ["gzip", "zstd", "deflate"] as const) {
        if (coding === compression) continue;
        const request = post(await code(coding, raw), { "content-encoding": coding });
        const [member] = await store(request, { marshaler: "otlp_proto", compression });
        expect(inflate(member, compression), `${coding} to ${compression}`).toEqual(raw);
      }
    }
  });

  it("are written anew when two codings were undone, or an item was cut out", async () => {
    const form: MemberForm = { marshaler: "otlp_proto", compression: "gzip" };
    const twice = post(gzipSync(gzipSync(makeLogs("twice"))), { "content-encoding": "gzip, gzip" });
    const cut = gzipSync(traces(span(), lengthField(2, lengthField(1, [1]))));

    const [member] = await store(twice, form);
    const [rest] = await store(post(cut, { "content-encoding": "gzip" }), form, "traces");

    expect(inflate(member, "gzip")).toEqual(makeLogs("twice"));
    expect(inflate(rest, "gzip")).toEqual(traces(span()));
  });
});

describe("members of otlp_json", () => {
  it.each(COMPRESSIONS)("hold the elements of the document, whatever the client sent, with %s", async (compression) => {
    const form: MemberForm = { marshaler: "otlp_json", compression };
    const raw = Uint8Array.from([...makeLogs("one"), ...makeLogs("two")]);
    const requests = [
      post(raw),
      post(gzipSync(raw), { "content-encoding": "gzip" }),
      post(JSON.stringify(readRequest(raw)), JSON_TYPE),
    ];
    for (const request of requests) {
      const [member] = await store(request, form);
      expect(readElements(inflate(member, compression))).toEqual(readRequest(raw));
    }
  });

  it.each(COMPRESSIONS)("of a large request are made in runs and mean the same, with %s", async (compression) => {
    const form: MemberForm = { marshaler: "otlp_json", compression };
    const containers = Array.from({ length: 300 }, (_, index) => makeLogs(`${index} ${"x".repeat(20_000)}`));
    const raw = new Uint8Array(await new Blob(containers).arrayBuffer());
    const [member] = await store(post(raw), form);

    expect(readElements(inflate(member, compression))).toEqual(readRequest(raw));
  });

  it("of a large request with an empty container every two bytes hold them all", async () => {
    const raw = new Uint8Array(2_000_000).map((_, index) => (index % 2 === 0 ? 0x0a : 0));
    const received = { body: raw, wire: raw, cleanCoding: null };
    const form: MemberForm = { marshaler: "otlp_json", compression: "gzip" };

    const { member } = makeItemMember({ signal: "logs", received, canonical: raw }, form);
    const elements = new TextDecoder().decode(inflate(member, "gzip"));

    expect(elements.split(/(?<=\}),/).length).toBe(1_000_000);
    expect(elements.slice(0, 34)).toBe('{"resource":{}},{"resource":{}},{"');
  });

  it.each(COMPRESSIONS)(
    "of records whose JSON no reader takes are protobuf, with %s",
    async (compression) => {
      const form: MemberForm = { marshaler: "otlp_json", compression };
      // Each of these bytes takes six in JSON: 31 and 34 MiB of it, where readers take 32.
      for (const [length, marshaler] of [
        [5_400_000, compression === "none" ? "otlp_proto" : "otlp_json"],
        [6_000_000, "otlp_proto"],
      ] as const) {
        const raw = makeLogs("\u0001".repeat(length));
        const { deps, appended } = openDeps(undefined, form);
        await send(post(raw), deps, "logs");

        expect(appended.map(({ head }) => head.form)).toEqual([{ marshaler, compression }]);
        const [member] = appended.map((append) => inflate(append.member, compression));
        if (marshaler === "otlp_proto") expect(member?.every((byte, index) => byte === raw[index])).toBe(true);
        else expect(readElements(member ?? raw)).toEqual(readRequest(raw));
      }
    },
    60_000,
  );

  it("join to one document, in whatever order they come", async () => {
    const form: MemberForm = { marshaler: "otlp_json", compression: "none" };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), async (texts) => {
        const bodies = texts.map((text) => makeLogs(text));
        const members = await Promise.all(bodies.map(async (body) => (await store(post(body), form))[0] ?? body));
        const joined = members.flatMap((member, index) => (index === 0 ? [member] : [JSON_SEPARATOR, member]));
        const document = new Uint8Array(await new Blob(joined).arrayBuffer());

        const whole = new Uint8Array(await new Blob(bodies).arrayBuffer());
        expect(readElements(document)).toEqual(readRequest(whole));
      }),
      { numRuns: 50 },
    );
  });
});
