import { expect, it } from "vitest";
import type { AppendHead } from "../../src/buffer/contract.ts";
import { appendMember } from "../../src/ingest/shard-call.ts";
import { openDeps } from "./ingest-kit.ts";

const HEAD: AppendHead = {
  identity: { tenant: "", signal: "logs", shard: 0 },
  hash: new Uint8Array(16),
  form: { marshaler: "otlp_proto", compression: "none" },
  itemCount: 1,
  rejectedCount: 0,
  memberBytes: 3,
};

it("appendMember() sends the bytes of a view and not its whole buffer, which a call would copy", async () => {
  const { deps, appended } = openDeps();

  await appendMember(deps, HEAD, new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 4));

  expect(appended[0]?.member).toEqual(new Uint8Array([2, 3, 4]));
  expect(appended[0]?.member.buffer.byteLength).toBe(3);
});
