import { describe, expect, it } from "vitest";
import { toFrame } from "../../src/durable-objects/batch-frame.ts";
import { inflateStream } from "../../src/compression/inflate-stream.ts";
import { SIGNALS, type Signal } from "../../src/signal.ts";

const identityOf = (signal: Signal): { tenant: string; signal: Signal; shard: number } => ({
  tenant: "",
  signal,
  shard: 0,
});

async function inflate(bytes: Uint8Array, compression: "gzip" | "zstd" | "none"): Promise<string> {
  let text = "";
  for await (const piece of inflateStream(new Blob([bytes]).stream(), compression)) {
    text += new TextDecoder().decode(piece);
  }
  return text;
}

describe("toFrame()", () => {
  it.each(SIGNALS)("lets protobuf members of %s concatenate as they are", (signal) => {
    expect(toFrame(identityOf(signal), { marshaler: "otlp_proto", compression: "gzip" })).toBeNull();
  });

  it.each(["none", "gzip", "zstd"] as const)("makes one document in %s of elements", async (compression) => {
    const frame = toFrame(identityOf("metrics"), { marshaler: "otlp_json", compression });

    expect(frame).not.toBeNull();
    if (frame === null) return;
    expect(await inflate(frame.head, compression)).toBe('{"resourceMetrics":[');
    expect(await inflate(frame.separator, compression)).toBe(",");
    expect(await inflate(frame.tail, compression)).toBe("]}\n");
  });

  it("adds nothing to a profile, which is a document by itself", () => {
    expect(toFrame(identityOf("profiles"), { marshaler: "otlp_json", compression: "gzip" })).toBeNull();
  });

  it("makes the same tails for ever: a sealed batch is sent again with the digest that it was sealed with", () => {
    const tails = (["none", "gzip", "zstd"] as const).map((compression) =>
      toFrame(identityOf("traces"), { marshaler: "otlp_json", compression })?.tail.toHex(),
    );

    expect(tails).toEqual([
      "5d7d0a",
      "1f8b08000000000000ff010300fcff5d7d0a548a61e103000000",
      "28b52ffd20031900005d7d0a",
    ]);
  });
});
