/**
 * What no `.proto` file of this release knows is archived all the same: requests with unknown fields of every wire type
 * on every level come back byte for byte (otlp-http 6), whatever the coding, and also when a bad item was cut out.
 */
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startFirn, type FirnServer } from "../../../bench/workerd-server.ts";
import { flushAll, formatReplayUrl, toWindow } from "../../../scripts/firn-client.ts";
import { parseWire, writeTag, writeTree, type WireNode } from "../../../scripts/fuzz/wire-tree.ts";
import { SIGNALS, type JsonObject, type Signal } from "../../../scripts/otlp-items.ts";
import { encodeProtobuf, requestType } from "../../../scripts/otlp-protobuf.ts";
import { makeTelemetry } from "./senders.ts";

const CODINGS = {
  identity: (body: Uint8Array) => body,
  gzip: gzipSync,
  deflate: deflateSync,
  zstd: zstdCompressSync,
} as const;
/** Far above OTLP's own; `replay` writes its mark under this number. */
const MARK_NUMBER = 100_000;

/** One unknown field of each wire type, a group with fields in it among them. */
const UNKNOWN: readonly WireNode[] = [
  { number: 2000, wireType: 0, value: Uint8Array.of(0x96, 0x01) },
  { number: 2001, wireType: 1, value: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
  { number: 2002, wireType: 2, value: Uint8Array.of(0xff, 0x00, 0xfe) },
  { number: 2003, wireType: 3, value: Buffer.concat([writeTag(1, 0), [7], writeTag(2003, 4)].map(toBytes)) },
  { number: 2004, wireType: 5, value: Uint8Array.of(9, 9, 9, 9) },
].map((node) => ({ ...node, children: null, isText: false }));

function toBytes(part: Uint8Array | readonly number[]): Uint8Array {
  return Uint8Array.from(part);
}

/** Writes a request with unknown fields before, between and behind the fields of every message in it. */
function encodeWithUnknown(signal: Signal, telemetry: JsonObject): Uint8Array {
  const add = (nodes: readonly WireNode[]): readonly WireNode[] => [
    ...UNKNOWN.slice(0, 2),
    ...nodes.flatMap((node, index) => [
      node.children === null ? node : { ...node, children: add(node.children) },
      ...UNKNOWN.slice(index % UNKNOWN.length, (index % UNKNOWN.length) + 1),
    ]),
    ...UNKNOWN.slice(2),
  ];
  return Uint8Array.from(writeTree(add(parseWire(requestType(signal), encodeProtobuf(signal, telemetry)))));
}

/** Cuts a request into its top-level fields, in hex. */
function listFields(signal: Signal, request: Uint8Array): readonly string[] {
  return parseWire(requestType(signal), request)
    .filter(({ number }) => number !== MARK_NUMBER)
    .map((node) => Buffer.from(writeTree([{ ...node, children: null }])).toString("hex"));
}

describe("unknown fields", () => {
  const began = Date.now();
  const sent: Record<Signal, string[]> = { traces: [], metrics: [], logs: [] };
  let firn: FirnServer;

  beforeAll(async () => {
    firn = await startFirn();
    for (const signal of SIGNALS) {
      for (const [coding, encode] of Object.entries(CODINGS)) {
        const request = encodeWithUnknown(signal, makeTelemetry(`${signal} ${coding}`)[signal]);
        sent[signal].push(...listFields(signal, request));
        expect(await send(signal, encode(request), coding)).toBe("");
      }
    }
  });

  afterAll(async () => {
    await firn.stop();
  });

  async function send(signal: Signal, body: Uint8Array, coding: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${firn.port}/v1/${signal}`, {
      method: "POST",
      headers: { "content-type": "application/x-protobuf", "content-encoding": coding },
      body: Uint8Array.from(body),
    });
    expect(response.status).toBe(200);
    return await response.text();
  }

  async function replayProto(signal: Signal): Promise<Uint8Array> {
    const url = `http://127.0.0.1:${firn.port}`;
    await flushAll(url);
    const response = await fetch(formatReplayUrl(url, signal, toWindow(began, Date.now()), "proto"));
    expect(response.status).toBe(200);
    return new Uint8Array(await response.arrayBuffer());
  }

  test.each(SIGNALS)(
    "of every wire type on every level survive protobuf → archive → protobuf in %s",
    async (signal) => {
      const returned = listFields(signal, await replayProto(signal));

      expect(sent[signal].length).toBeGreaterThan(Object.keys(CODINGS).length * UNKNOWN.length);
      expect(returned.toSorted()).toEqual(sent[signal].toSorted());
    },
  );

  test("stay where a bad span is cut out", async () => {
    const good = JSON.stringify(makeTelemetry("a good span").traces);
    const bad = JSON.stringify(makeTelemetry("a bad span").traces).replace(
      /"spanId":"\w+","name"/,
      '"spanId":"00","name"',
    );
    const bodies = [good, bad].map((text) => encodeWithUnknown("traces", JSON.parse(text) as JsonObject));
    const request = Buffer.concat(bodies);

    const answer = await send("traces", request, "identity");
    const returned = listFields("traces", await replayProto("traces"));

    const kept = writeTree(dropBadSpans(parseWire(requestType("traces"), request)));
    expect(answer).toContain("1 of 2 spans rejected");
    expect(kept.length).toBeLessThan(request.length);
    expect(returned).toEqual(expect.arrayContaining([...listFields("traces", kept)]));
  });
});

/** Leaves out the span whose id is one byte. */
function dropBadSpans(nodes: readonly WireNode[]): readonly WireNode[] {
  return nodes
    .filter((node) => !isBadSpan(node))
    .map((node) => (node.children === null ? node : { ...node, children: dropBadSpans(node.children) }));
}

function isBadSpan({ children }: WireNode): boolean {
  return children?.some(({ number, wireType, value }) => number === 2 && wireType === 2 && value.length === 1) === true;
}
