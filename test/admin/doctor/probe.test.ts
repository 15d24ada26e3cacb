import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { StepName } from "../../../src/admin/doctor/document.ts";
import { planKeys } from "../../../src/admin/doctor/probe-plan.ts";
import type { ObjectStore, StoreCall } from "../../../src/object-store/contract.ts";
import { withFaults } from "../../../src/object-store/memory/faults.ts";
import { openMemoryStore } from "../../../src/object-store/memory/memory-store.ts";
import { openR2Store } from "../../../src/object-store/r2/r2-store.ts";
import { millis } from "../../../src/units.ts";
import { probe, refusing, shared } from "./stores.ts";

const ALL: readonly StepName[] = [
  "put",
  "head",
  "create_only",
  "digest",
  "multipart",
  "multipart_abort",
  "get",
  "range",
  "list",
  "delete",
];

describe("probeStore()", () => {
  it.each([
    ["the store in memory", () => openMemoryStore()],
    ["the R2 binding", () => openR2Store(env.ARCHIVE, "telemetry")],
  ])("finds nothing to complain about in %s, and leaves nothing behind", async (_name, open) => {
    const store = open();

    const { steps, leftovers } = await probe(shared(store), { id: crypto.randomUUID() });

    expect(steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(ALL.map((step) => `${step} ok`));
    expect(leftovers).toEqual([]);
    expect((await store.list({ prefix: "firn/_firn/doctor/" })).objects).toEqual([]);
  });

  it("tries each access with its own store", async () => {
    const store = openMemoryStore();
    const stores = {
      write: refusing(store, ["get", "list", "delete"]),
      read: refusing(store, ["put", "createMultipart", "delete"]),
      compact: refusing(store, []),
    };

    const { steps } = await probe(stores);

    expect(steps.filter(({ outcome }) => outcome !== "ok")).toEqual([]);
    expect(steps.map(({ access, step }) => `${access} ${step}`)).toEqual([
      "write put",
      "write head",
      "write create_only",
      "write digest",
      "write multipart",
      "write multipart_abort",
      "read get",
      "read range",
      "read list",
      "compact put",
      "compact multipart_abort",
      "compact get",
      "compact range",
      "compact list",
      "compact delete",
    ]);
    expect(store.objects.size).toBe(0);
  });

  it.each<[StoreCall, StepName, readonly string[]]>([
    ["put", "put", ["s3:PutObject", "s3:GetObject"]],
    ["head", "head", ["s3:GetObject"]],
    ["get", "get", ["s3:GetObject"]],
    ["list", "list", ["s3:ListBucket"]],
    ["delete", "delete", ["s3:DeleteObject"]],
    ["createMultipart", "multipart", ["s3:PutObject", "s3:GetObject"]],
    ["abortMultipart", "multipart_abort", ["s3:PutObject", "s3:AbortMultipartUpload"]],
  ])("names the permission when %s is refused", async (call, step, permissions) => {
    const { steps } = await probe(shared(refusing(openMemoryStore(), [call])));

    const failed = steps.find((each) => each.step === step);
    expect(failed).toMatchObject({ outcome: "failed", kind: "store_refused", permissions });
    expect(failed).toMatchObject({ message: `Cannot ${call} in S3: AccessDenied for …` });
  });

  it("goes on after a failure with what still makes sense, and says what it left out", async () => {
    const { steps } = await probe(shared(refusing(openMemoryStore(), ["put"])));

    const outcomes = steps.map(({ step, outcome }) => `${step} ${outcome}`);
    expect(outcomes).toEqual([
      "put failed",
      "head skipped",
      "create_only skipped",
      "digest skipped",
      "multipart ok",
      "multipart_abort ok",
      "get skipped",
      "range skipped",
      "list ok",
      "delete ok",
    ]);
    expect(steps[1]).toMatchObject({ reason: "write, put did not succeed" });
  });

  it("cleans up whatever call fails, before its effect or after it", async () => {
    const calls: readonly StoreCall[] = [
      "put",
      "head",
      "get",
      "list",
      "createMultipart",
      "putPart",
      "completeMultipart",
    ];
    for (const call of calls) {
      for (const nth of [1, 2]) {
        for (const moment of ["before", "after"] as const) {
          const memory = openMemoryStore();
          const store = withFaults(memory, [{ call, nth, moment }]);

          const { steps } = await probe(shared(store));

          // The second put is the one that must be refused anyway, and the third shows that the store is there.
          const isSeen = steps.some((step) => step.outcome === "failed");
          expect([call, nth, moment, memory.objects.size]).toEqual([call, nth, moment, 0]);
          expect(store.fired.length === 0 || isSeen).toBe(true);
        }
      }
    }
  });

  it("gives up every upload that it does not complete", async () => {
    for (const call of ["putPart", "completeMultipart"] as const) {
      for (const nth of [1, 2]) {
        const open = new Set<string>();
        const memory = openMemoryStore();
        const counted: ObjectStore = {
          ...memory,
          createMultipart: async (key, contentType) => {
            const upload = await memory.createMultipart(key, contentType);
            open.add(upload.uploadId);
            return upload;
          },
          completeMultipart: async (upload, parts) => {
            open.delete(upload.uploadId);
            return memory.completeMultipart(upload, parts);
          },
          abortMultipart: async (upload) => {
            open.delete(upload.uploadId);
            return memory.abortMultipart(upload);
          },
        };

        await probe(shared(withFaults(counted, [{ call, nth, moment: "before" }])));

        expect([call, nth, open.size]).toEqual([call, nth, 0]);
      }
    }
  });

  it("waits for no step longer than its limit", async () => {
    const store: ObjectStore = { ...openMemoryStore(), list: () => new Promise(() => undefined) };

    const { by } = await probe(shared(store), { stepTimeout: millis(20) });

    expect(by("read", "list")).toMatchObject({
      outcome: "failed",
      kind: "timed_out",
      message: "no answer within 20 ms",
    });
    expect(by("compact", "delete")).toMatchObject({ outcome: "ok" });
  });

  it("starts no step after its time is over, and cleans up still", async () => {
    const memory = openMemoryStore();
    let time = 0;

    const { steps } = await probe(shared(memory), { now: () => (time += 10), probeMax: millis(25) });

    expect(steps[0]).toMatchObject({ step: "put", outcome: "ok" });
    expect(steps[1]).toMatchObject({ step: "head", outcome: "skipped", reason: "the time of the probe was over" });
    expect(steps.at(-1)).toMatchObject({ step: "delete", outcome: "ok" });
    expect(memory.objects.size).toBe(0);
  });

  it("deletes with a writer's rights where the compactor's fail", async () => {
    const memory = openMemoryStore();
    const stores = { write: memory, read: memory, compact: refusing(memory, ["delete"]) };

    const { by, leftovers } = await probe(stores);

    expect(by("compact", "delete")).toMatchObject({ outcome: "failed", permissions: ["s3:DeleteObject"] });
    expect([leftovers, memory.objects.size]).toEqual([[], 0]);
  });

  it("leaves nothing to be deleted where nothing was written", async () => {
    const { leftovers } = await probe(shared(refusing(openMemoryStore(), ["put", "createMultipart", "delete"])));

    expect(leftovers).toEqual([]);
  });

  it("names what it could not delete", async () => {
    const memory = openMemoryStore();

    const { leftovers } = await probe(shared(refusing(memory, ["delete"])));

    expect(leftovers.toSorted()).toEqual([...memory.objects.keys()].toSorted());
    expect(leftovers).toContain("firn/_firn/doctor/probe-1/object");
  });
});

describe("planKeys()", () => {
  it("stays below Firn's own prefix", () => {
    for (const prefix of ["", "a/b/"]) {
      for (const key of Object.values(planKeys(prefix, "x"))) {
        expect(key.startsWith(`${prefix}_firn/doctor/x/`)).toBe(true);
      }
    }
  });
});
