/**
 * How often trials succeed: at each of their episodes, and in k tries.
 *
 * @module
 */

/** Which episodes of some trials succeeded, trial after trial. */
export interface Outcomes {
  /** 1 where an episode succeeded, flat. */
  readonly success: Uint8Array;
  /** Episodes up to the end of each trial. */
  readonly trialEnds: Int32Array;
  readonly trials: number;
}

/** Counts for episodes k = 0 … K-1; a rate is `won[k] / counted[k]`. */
export interface SuccessCounts {
  readonly won: Int32Array;
  /** Trials that are counted at episode k; may be 0. */
  readonly counted: Int32Array;
}

/**
 * Trials that succeeded in any of their episodes 0 … k, of all trials, for k = 0
 * … `episodes` - 1: `success_rate[k]` of LaMer, p@(k+1) in its paper. A trial that
 * has stopped stays what it was: solved, if it was. This is no pass@k of
 * independent tries ({@linkcode passAtK}): a trial learns from its episodes.
 *
 * @example The second trial stops when it has won
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const outcomes = {
 *   success: Uint8Array.of(0, 0, 1, 1, 0),
 *   trialEnds: Int32Array.of(3, 4, 5),
 *   trials: 3,
 * };
 * deepEqual([...cumulativeSuccess(outcomes, 3).won], [1, 1, 2]);
 * ```
 */
export function cumulativeSuccess(
  { success, trialEnds, trials }: Outcomes,
  episodes: number,
): SuccessCounts {
  const won = new Int32Array(episodes);
  for (let trial = 0; trial < trials; trial++) {
    const first = trial === 0 ? 0 : trialEnds[trial - 1]!;
    const at = success.subarray(first, trialEnds[trial]!).indexOf(1);
    if (at >= 0 && at < episodes) won[at] = won[at]! + 1;
  }
  for (let k = 1; k < episodes; k++) won[k] = won[k]! + won[k - 1]!;
  return { won, counted: new Int32Array(episodes).fill(trials) };
}

/**
 * Trials whose episode k itself succeeded, of those that have an episode k, for
 * k = 0 … `episodes` - 1: `episode_k/success_rate` of ORBIT. Where trials stop
 * on success, those that are left at late episodes are the worse ones.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const outcomes = {
 *   success: Uint8Array.of(1, 0, 1, 0),
 *   trialEnds: Int32Array.of(3, 4),
 *   trials: 2,
 * };
 * const { won, counted } = episodeSuccess(outcomes, 3);
 * deepEqual([[...won], [...counted]], [[1, 0, 1], [2, 1, 1]]);
 * ```
 */
export function episodeSuccess(
  { success, trialEnds, trials }: Outcomes,
  episodes: number,
): SuccessCounts {
  const [won, counted] = [new Int32Array(episodes), new Int32Array(episodes)];
  for (let trial = 0; trial < trials; trial++) {
    const first = trial === 0 ? 0 : trialEnds[trial - 1]!;
    const played = Math.min(episodes, trialEnds[trial]! - first);
    for (let k = 0; k < played; k++) {
      won[k] = won[k]! + success[first + k]!;
      counted[k] = counted[k]! + 1;
    }
  }
  return { won, counted };
}

/**
 * The chance that k of n tries, drawn without putting back, hold one at least of
 * the c that succeeded: 1 - C(n-c, k) / C(n, k), the unbiased estimate of pass@k
 * (Chen and others 2021, arXiv 2107.03374, equation 1). 0 <= c <= n and 1 <= k <= n
 * are integers, others a RangeError; takes min(c, k) steps and keeps its relative
 * precision for any n.
 *
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 *
 * equal(passAtK(4, 1, 1).toFixed(9), "0.250000000");
 * equal(passAtK(4, 3, 2), 1);
 * ```
 */
export function passAtK(n: number, c: number, k: number): number {
  const isCount = [n, c, k].every(Number.isSafeInteger);
  if (!isCount || c < 0 || c > n || k < 1 || k > n) {
    throw new RangeError(`Cannot draw ${k} of ${n} tries, ${c} successful`);
  }
  if (n - c < k) return 1;
  // C(n-c, k) / C(n, k) is the product of 1 - c / (n - i) over i < k, and the same
  // with c and k changed about.
  const [few, many] = [Math.min(c, k), Math.max(c, k)];
  let log = 0;
  for (let i = 0; i < few; i++) log += Math.log1p(-many / (n - i));
  return 0 - Math.expm1(log);
}
