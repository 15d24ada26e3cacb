import { describe, expect, it } from "vitest";
import { askShards, walkShards } from "../../src/admin/fan-out.ts";
import type { ShardIdentity } from "../../src/buffer/contract.ts";
import { SHARD_FAN_OUT } from "../../src/limits.ts";
import { makeShards, openFakeShards, openLostDirectory } from "./fake-shards.ts";

describe("walkShards()", () => {
  it("follows the Directory's pages to the last", async () => {
    const shards = makeShards(8);

    const walked: ShardIdentity[] = [];
    for await (const identity of walkShards(openFakeShards({ shards }), { tenant: "acme" })) walked.push(identity);

    expect(walked).toEqual(shards);
  });

  it("fails as unavailable when the Directory can't be reached", async () => {
    const walk = walkShards(openLostDirectory(), {});

    await expect(walk.next()).rejects.toMatchObject({ name: "FirnError", kind: "unavailable" });
  });
});

describe("askShards()", () => {
  it("asks the others when a shard fails, and answers in the order of the walk", async () => {
    const shards = makeShards(7);
    const access = openFakeShards({
      shards,
      answer: ({ shard }) => (shard === 2 ? {} : { watermark: async () => shard }),
    });

    const answers = await askShards(access, {}, (shard) => shard.watermark());

    expect(answers.map(({ identity }) => identity)).toEqual(shards);
    expect(answers.map(({ kind }) => kind === "answer")).toEqual([true, true, false, true, true, true, true]);
    expect(answers[6]).toMatchObject({ value: 6 });
  });

  it("takes a stub that can't be made for a shard that fails", async () => {
    const access = openFakeShards({
      shards: makeShards(1),
      answer: () => {
        throw new Error("no such namespace");
      },
    });

    expect(await askShards(access, {}, (shard) => shard.wake())).toMatchObject([{ kind: "failed" }]);
  });

  it("has never more than SHARD_FAN_OUT questions under way, and that many", async () => {
    let running = 0;
    let most = 0;
    const access = openFakeShards({
      shards: makeShards(4 * SHARD_FAN_OUT),
      pageSize: 100,
      answer: ({ shard }) => ({
        watermark: async () => {
          most = Math.max(most, (running += 1));
          // Later ones end first, so that the order of ends isn't that of starts.
          for (let turn = 0; turn < 100 - shard; turn += 1) await Promise.resolve();
          running -= 1;
          return 0;
        },
      }),
    });

    await askShards(access, {}, (shard) => shard.watermark());

    expect([most, running]).toEqual([SHARD_FAN_OUT, 0]);
  });
});
