/**
 * How far trials at play are, on a terminal: they take minutes, and no row is
 * written before all of a batch are over.
 *
 * @module
 */
import { duration, say } from "../progress.ts";
import type { Reached } from "./player.ts";

const INTERVAL_MS = 500;

/** What there is to be played in all. */
export interface Whole {
  readonly trials: number;
  /** Of each trial; infinite where nobody knows. */
  readonly episodes: number;
}

/** Shows how far play is. */
export interface Ticker {
  /** A step of `trials` at once is done. */
  readonly tick: (reached: Reached, trials: number) => void;
  /** A batch is over: what follows counts anew. */
  readonly add: (reached: Reached) => void;
  /** Takes the line away. */
  readonly finish: () => void;
}

const SILENT: Ticker = { tick: () => {}, add: () => {}, finish: () => {} };

/**
 * What is said after `seconds`, with `done` over and `trials` at play. A batch is
 * over when the slowest of it is, so that is what the time left goes by.
 *
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 *
 * const done = { trials: 12, episodes: 600, slowest: 10 };
 * equal(
 *   reachedLine(done, { trials: 100, episodes: 30 }, 100, 60),
 *   "12 of 100 trials, 600 of 3000 episodes, about 2 min 0 s left",
 * );
 * ```
 */
export function reachedLine(
  { trials: over, episodes, slowest }: Reached,
  all: Whole,
  trials: number,
  seconds: number,
  before = 0,
): string {
  const trialsOver = `${over} of ${all.trials} trials`;
  if (all.episodes === Infinity) return `${trialsOver}, ${episodes} episodes`;
  const share = (before + trials * slowest / all.episodes) / all.trials;
  const left = share > 0
    ? `, about ${duration(seconds * (1 - share) / share)} left`
    : "";
  const most = all.trials * all.episodes;
  return `${trialsOver}, ${episodes} of ${most} episodes${left}`;
}

export function ticker(all: Whole): Ticker {
  if (!Deno.stderr.isTerminal()) return SILENT;
  const started = performance.now();
  let [trialsBefore, episodesBefore, shown] = [0, 0, started];
  return {
    tick: ({ trials, episodes, slowest }, batch) => {
      const now = performance.now();
      if (now - shown < INTERVAL_MS) return;
      shown = now;
      const done = {
        trials: trialsBefore + trials,
        episodes: episodesBefore + episodes,
        slowest,
      };
      const seconds = (now - started) / 1000;
      const line = reachedLine(done, all, batch, seconds, trialsBefore);
      say(`\r\x1b[K${line}`);
    },
    add: ({ trials, episodes }) => {
      trialsBefore += trials;
      episodesBefore += episodes;
    },
    finish: () => say("\r\x1b[K"),
  };
}
