/**
 * The clipped loss of PPO with a second clip for bad advantages, and the ways to
 * add it up over sequences.
 *
 * @module
 */

export interface ClipOptions {
  /** ε of the lower and of the upper bound of the ratio: 1 - low, 1 + high. */
  readonly low: number;
  readonly high: number;
  /** Bound c > 1 of the loss, in |A|, where A < 0 (Ye and others 2020). */
  readonly dual: number;
}

/**
 * The loss of one token: max(-A q, -A clip(q, 1 - low, 1 + high)), where A < 0 at
 * most -A c, with q = exp(new - old log-probability) (Schulman and others 2017,
 * arXiv 1707.06347, equation 7; Ye and others 2020, arXiv 1912.09729, equation 5).
 *
 * @example A ratio beyond the clip earns nothing more
 * ```ts
 * import { equal } from "node:assert/strict";
 *
 * const options = { low: 0.2, high: 0.28, dual: 3 };
 * equal(tokenLoss(-1, -0.6, 1, options), -1.28);
 * ```
 */
export function tokenLoss(
  oldLogProb: number,
  newLogProb: number,
  advantage: number,
  { low, high, dual }: ClipOptions,
): number {
  const ratio = Math.exp(newLogProb - oldLogProb);
  const clipped = Math.min(Math.max(ratio, 1 - low), 1 + high);
  const loss = Math.max(-advantage * ratio, -advantage * clipped);
  return advantage < 0 ? Math.min(loss, -advantage * dual) : loss;
}

/** How the losses of tokens become one number. */
export const AGGREGATIONS = [
  "token-mean",
  "seq-mean-token-mean",
  "seq-mean-token-sum",
  "seq-mean-token-sum-norm",
] as const;
export type Aggregation = typeof AGGREGATIONS[number];

/**
 * One number of `sequences` rows of `length` tokens each, flat, of which the mask
 * takes part: the mean of all tokens (`token-mean`); or the mean over sequences of
 * their own means (`seq-mean-token-mean`) or sums (`seq-mean-token-sum`); or the
 * sum of all over `length`, padding and all (`seq-mean-token-sum-norm`, Dr. GRPO).
 */
export function aggregateLoss(
  losses: Float64Array,
  mask: ArrayLike<number>,
  length: number,
  aggregation: Aggregation,
): number {
  const sequences = losses.length / length;
  let [sum, tokens, means] = [0, 0, 0];
  for (let s = 0; s < sequences; s++) {
    let [own, count] = [0, 0];
    for (let i = s * length; i < (s + 1) * length; i++) {
      own += losses[i]! * mask[i]!;
      count += mask[i]!;
    }
    sum += own;
    tokens += count;
    means += own / count;
  }
  if (aggregation === "token-mean") return sum / tokens;
  if (aggregation === "seq-mean-token-mean") return means / sequences;
  return aggregation === "seq-mean-token-sum" ? sum / sequences : sum / length;
}
