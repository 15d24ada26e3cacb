/** The storage of a Durable Object is what a Compactor takes it for. */
import { describeCompactorStorage } from "../conformance/compactor-storage.ts";
import { withStorage } from "./compactor-kit.ts";

describeCompactorStorage("the storage of a Durable Object", (body) =>
  withStorage(async (storage) => {
    await body(storage);
    await storage.deleteAlarm();
  }),
);
