/**
 * How far trials at play are, on a terminal: they take minutes, and no row is
 * written before all of a batch are over.
 *
 * @module
 */
import { duration, say } from "../progress.ts";
import type { Reached } from "./player.ts";

const INTERVAL_MS = 500;

/** `trials` and `episodes` in all; those of the batches before count as well. */
export interface Ticker {
  readonly tick: (reached: Reached) => void;
  /** A batch is over: what follows counts anew. */
  readonly add: (reached: Reached) => void;
  /** Takes the line away. */
  readonly finish: () => void;
}

const SILENT: Ticker = { tick: () => {}, add: () => {}, finish: () => {} };

/** `12 of 100 trials, 410 of 3000 episodes, 8 s left` */
export function reachedLine(
  done: Reached,
  all: Reached,
  seconds: number,
): string {
  const share = done.episodes / all.episodes;
  const left = share > 0
    ? `, ${duration(seconds * (1 - share) / share)} left`
    : "";
  return `${done.trials} of ${all.trials} trials, ${done.episodes} of ${all.episodes} episodes${left}`;
}

/** Where episodes are not counted beforehand, `all.episodes` is infinite. */
export function ticker(all: Reached): Ticker {
  if (!Deno.stderr.isTerminal()) return SILENT;
  const started = performance.now();
  const before: Reached = { trials: 0, episodes: 0 };
  let shown = started;
  return {
    tick: ({ trials, episodes }) => {
      const now = performance.now();
      if (now - shown < INTERVAL_MS) return;
      shown = now;
      const done = {
        trials: before.trials + trials,
        episodes: before.episodes + episodes,
      };
      say(`\r\x1b[K${reachedLine(done, all, (now - started) / 1000)}`);
    },
    add: ({ trials, episodes }) => {
      before.trials += trials;
      before.episodes += episodes;
    },
    finish: () => say("\r\x1b[K"),
  };
}
