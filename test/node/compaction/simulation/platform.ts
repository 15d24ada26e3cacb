/**
 * Makes Node take the steps of workerd in the same order each time: digests that need no thread, ids that are counted,
 * log lines that are counted instead of written. Undone at the end of a run.
 */
import { createHash, hash } from "node:crypto";

/** The platform while a simulation has it. */
export interface Platform {
  /** How often each event was logged since the start. */
  readonly events: ReadonlyMap<string, number>;
  /** Begins anew to count ids: before each schedule. */
  reset(): void;
  /** Lets everything run that waits for nothing from outside. */
  settle(): Promise<void>;
  restore(): void;
}

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** Takes the platform over. */
export function takePlatform(): Platform {
  const events = new Map<string, number>();
  let ids = 0;
  const undo = [
    replace(Uint8Array.prototype, "toHex", function toHex(this: Uint8Array): string {
      return Buffer.from(this.buffer, this.byteOffset, this.byteLength).toString("hex");
    }),
    replace(crypto.subtle, "digest", async (_algorithm: string, data: Uint8Array) => {
      return new Uint8Array(hash("sha256", data, "buffer")).buffer;
    }),
    replace(crypto, "DigestStream", function DigestStream() {
      const state = createHash("sha256");
      const { promise, resolve, reject } = Promise.withResolvers<ArrayBuffer>();
      const stream = new WritableStream<Uint8Array>({
        write: (chunk) => void state.update(chunk),
        close: () => resolve(new Uint8Array(state.digest()).buffer),
        abort: reject,
      });
      return Object.assign(stream, { digest: promise });
    }),
    replace(crypto, "randomUUID", () => `00000000-0000-4000-8000-${String((ids += 1)).padStart(12, "0")}`),
    ...LEVELS.map((level) =>
      replace(console, level, (line: unknown) => {
        const event = /"event":"([^"]+)"/.exec(String(line))?.[1] ?? "other";
        events.set(event, (events.get(event) ?? 0) + 1);
      }),
    ),
  ];
  return {
    events,
    reset: () => {
      ids = 0;
    },
    settle: () => new Promise((resolve) => setImmediate(resolve)),
    restore: () => {
      for (const each of undo) each();
    },
  };
}

function replace(owner: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { value, configurable: true, writable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, before);
  };
}
