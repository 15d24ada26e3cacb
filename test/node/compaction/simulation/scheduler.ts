/**
 * Who runs next. Everything that goes outside waits here, before its effect and before its answer, until the schedule
 * takes it up; so any two of them can change places, and any can be the last thing that its caller did.
 */

/** An instance of a Compactor, or a reader. */
export interface Life {
  readonly name: string;
  /** `zombie`: replaced, without storage, and going on until it notices; `dead`: nothing of it happens any more. */
  state: "alive" | "zombie" | "dead";
}

/** Something that waits. */
export interface Waiting {
  readonly life: Life;
  readonly label: string;
  /** What is on its way to the store and may arrive after its sender died; `null` when it has arrived. */
  readonly effect: (() => Promise<unknown>) | null;
  go(): void;
  fail(error: Error): void;
}

/** The waiting ones. */
export interface Scheduler {
  readonly waiting: Waiting[];
  /** Nobody waits any more: the storm is over. */
  isCalm: boolean;
  wait(life: Life, label: string, effect: Waiting["effect"]): Promise<void>;
  /** Takes one out. */
  take(index: number): Waiting | undefined;
  /** Ends an instance. @returns what it had on its way */
  kill(life: Life): readonly Waiting[];
}

/** Opens a scheduler. */
export function openScheduler(): Scheduler {
  const waiting: Waiting[] = [];
  const scheduler: Scheduler = {
    waiting,
    isCalm: false,
    wait: (life, label, effect) => {
      if (life.state === "dead") return Promise.reject(killed());
      if (scheduler.isCalm) return Promise.resolve();
      return new Promise((resolve, reject) => waiting.push({ life, label, effect, go: resolve, fail: reject }));
    },
    take: (index) => waiting.splice(index, 1)[0],
    kill: (life) => {
      life.state = "dead";
      const its = waiting.filter((each) => each.life === life);
      for (const each of its) {
        waiting.splice(waiting.indexOf(each), 1);
        each.fail(killed());
      }
      return its;
    },
  };
  return scheduler;
}

function killed(): Error {
  return new Error("killed");
}
