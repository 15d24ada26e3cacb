/** A store that answers in rounds: what it is asked waits until nothing more is asked for without an answer. */
import type { ObjectStore } from "../../src/object-store/contract.ts";
import type { SyntheticStore } from "./synthetic-store.ts";

/** A store whose calls wait. */
export interface RoundStore {
  readonly store: ObjectStore;
  /** Calls that wait. */
  readonly waiting: () => readonly string[];
  /** Waits until all that can be asked was asked, then answers all of it, or the calls with this text in them. */
  answer(only?: string): Promise<void>;
  /** Answers rounds until something has come, and says which calls each of them had. */
  answerUntil(coming: Promise<unknown>): Promise<readonly (readonly string[])[]>;
}

/** Turns of the event loop in which whatever does not wait for the store gets on: digests, streams. */
const TURNS = 12;

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setTimeout(resolve));
}

/** Wraps a store. */
export function openRoundStore(bare: SyntheticStore): RoundStore {
  let waiting: { readonly call: string; readonly release: () => void }[] = [];
  const wait = (call: string): Promise<void> =>
    new Promise((resolve) => {
      waiting.push({ call, release: resolve });
    });
  async function answer(only = ""): Promise<void> {
    await settle();
    const now = waiting.filter(({ call }) => call.includes(only));
    waiting = waiting.filter((each) => !now.includes(each));
    for (const { release } of now) release();
    await settle();
  }
  return {
    store: {
      ...bare,
      get: async (key, options) => {
        await wait(`get ${key}`);
        return bare.get(key, options);
      },
      list: async (asked) => {
        await wait(`list ${asked.prefix}`);
        return bare.list(asked);
      },
    },
    waiting: () => waiting.map(({ call }) => call),
    answer,
    answerUntil: async (coming) => {
      const rounds: (readonly string[])[] = [];
      const over = coming.then(
        () => true,
        () => true,
      );
      const isOver = async (): Promise<boolean> => {
        await settle();
        return Promise.race([over, Promise.resolve(false)]);
      };
      while (!(await isOver())) {
        if (waiting.length === 0) throw new Error("nothing comes, and nothing is asked for");
        rounds.push(waiting.map(({ call }) => call));
        await answer();
      }
      return rounds;
    },
  };
}
