import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFileSpool, openPipeSpool, type Spool } from "../../../cli/replay/spool.ts";
import { splitLines, splitMessages } from "../../../cli/send/split.ts";

type Step =
  | { readonly kind: "append"; readonly bytes: Uint8Array }
  | { readonly kind: "truncate" | "read"; readonly share: number }
  | { readonly kind: "release" };

const STEPS = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("append" as const), bytes: fc.uint8Array({ maxLength: 40 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom("truncate" as const, "read" as const),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("release" as const) }) },
  ),
  { maxLength: 30 },
);

/** Runs steps beside a model that is an array, and compares whatever is read. */
async function follow(spool: Spool, steps: readonly Step[]): Promise<Buffer> {
  let model: Buffer = Buffer.alloc(0);
  let released = 0;
  for (const step of steps) {
    if (step.kind === "append") {
      await spool.append(step.bytes);
      model = Buffer.concat([model, step.bytes]);
    } else if (step.kind === "release") {
      await spool.release();
      released = model.length;
    } else {
      const position = released + Math.floor((model.length - released) * step.share);
      if (step.kind === "read") expect(Buffer.from(await spool.readFrom(position))).toEqual(model.subarray(position));
      else {
        await spool.truncate(position);
        model = model.subarray(0, position);
      }
    }
    expect(spool.length).toBe(model.length);
  }
  await spool.release();
  await spool.close();
  return model;
}

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "firn-spool-"));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe("openPipeSpool()", () => {
  test("prints what an array would hold, however little fits into memory", async () => {
    await fc.assert(
      fc.asyncProperty(STEPS, fc.integer({ min: 1, max: 64 }), async (steps, memoryBytes) => {
        const printed: Buffer[] = [];
        const pipe = new Writable({
          write: (piece: Buffer, _encoding, done) => {
            printed.push(Buffer.from(piece));
            setImmediate(done);
          },
        });

        const model = await follow(openPipeSpool(pipe, memoryBytes), steps);

        expect(Buffer.concat(printed)).toEqual(model);
      }),
    );
  });
});

describe("openFileSpool()", () => {
  test("writes what an array would hold, and goes on at any length of it", async () => {
    const path = join(directory, "spool");
    await fc.assert(
      fc.asyncProperty(STEPS, STEPS, async (first, second) => {
        const begun = await follow(await openFileSpool(path, 0), first);
        const kept = Math.floor(begun.length / 2);
        const spool = await openFileSpool(path, kept);
        const rest = await spool.readFrom(0);
        await spool.close();

        const again = await follow(await openFileSpool(path, 0), second);

        expect(Buffer.from(rest)).toEqual(begun.subarray(0, kept));
        expect(await readFile(path)).toEqual(again);
      }),
      { numRuns: 30 },
    );
  });
});

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(
  parts: AsyncIterable<{ readonly number: number; readonly bytes: Uint8Array }>,
): Promise<object[]> {
  const all: object[] = [];
  for await (const { number, bytes } of parts) all.push([number, Buffer.from(bytes).toString("latin1")]);
  return all;
}

describe("splitLines() and splitMessages()", () => {
  test("give the same wherever the pieces end", async () => {
    const texts = fc.array(fc.string({ unit: fc.constantFrom("a", "{", " ", "\r", "é"), maxLength: 9 }), {
      maxLength: 9,
    });
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 12 }), async (lines, size) => {
        const blank = /^[ \r]*$/;
        const numbered = lines.map((line, index) => [index + 1, Buffer.from(line).toString("latin1")]);
        const messages = lines.map((line) => Buffer.from(line));
        const framed = Buffer.concat(messages.flatMap((bytes) => [Buffer.of(0, 0, 0, bytes.length), bytes]));

        expect(await collect(splitLines(cut(Buffer.from(lines.join("\n")), size), 100))).toEqual(
          numbered.filter(([, line]) => !blank.test(String(line))),
        );
        expect(await collect(splitMessages(cut(framed, size), 100))).toEqual(numbered);
      }),
    );
  });
});
