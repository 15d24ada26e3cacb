/**
 * Notices a wait that lasts too long, among many: one interval for all of them, since a timer for each piece of a
 * stream would cost more than the piece. Counts ticks rather than asking a clock, which Workers stop between I/O.
 */
import { millis, type Millis } from "./units.ts";

/** A watch; it ticks from its first wait to its end, which must come. */
export interface StallWatch {
  /** Begins a wait, in place of the one before. @param limit how long it may last, the watch's own if absent */
  wait(limit?: Millis): void;
  /** Nothing is waited for until the next wait. */
  rest(): void;
  /** Ends the watch; may be called repeatedly. */
  end(): void;
}

/** Ticks in the limit: a stall is noticed at most one of them late. */
const TICKS = 4;

/**
 * Opens a watch.
 * @param limit how long a wait may last, in milliseconds, and what the ticks are measured by
 * @param onStall is told once, of the first wait that lasted longer than its limit; the watch has ended then
 */
export function watchStalls(limit: Millis, onStall: (limit: Millis) => void): StallWatch {
  const tick = millis(Math.max(1, limit / TICKS));
  let timer: ReturnType<typeof setInterval> | null = null;
  let hasEnded = false;
  let waitsFor = limit;
  let ticksLeft = Infinity;

  function end(): void {
    hasEnded = true;
    if (timer !== null) clearInterval(timer);
  }

  function onTick(): void {
    ticksLeft -= 1;
    if (ticksLeft > 0) return;
    end();
    onStall(waitsFor);
  }

  return {
    end,
    rest: () => {
      ticksLeft = Infinity;
    },
    wait: (longest = limit) => {
      if (hasEnded) return;
      waitsFor = longest;
      // The tick under way may be almost over.
      ticksLeft = Math.ceil(longest / tick) + 1;
      timer ??= setInterval(onTick, tick);
    },
  };
}
