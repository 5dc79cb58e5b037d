/**
 * What a trial gives away against a baseline.
 *
 * @module
 */

/** Regret of episodes n = 0 … N-1, in units of reward. */
export interface Regret {
  /** J - G[n]; below 0 where the episode did better. */
  readonly episode: Float64Array;
  /** Σ_{m <= n} (J - G[m]). */
  readonly cumulative: Float64Array;
}

/**
 * The regret of episodes with returns G[n] against J, what the baseline (the best
 * policy, mostly) is expected to return in one: T J - Σ G of ORBIT's objective is
 * the last of the cumulative ones.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const { episode, cumulative } = regret(Float64Array.of(0, 3, 4), 4);
 * deepEqual([[...episode], [...cumulative]], [[4, 1, 0], [4, 5, 5]]);
 * ```
 */
export function regret(returns: Float64Array, baseline: number): Regret {
  let sum = 0;
  const episode = returns.map((g) => baseline - g);
  return { episode, cumulative: episode.map((own) => sum += own) };
}
