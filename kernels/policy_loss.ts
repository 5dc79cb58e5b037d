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
 * One number of rows of `length` tokens each, flat, of which those with mask 1
 * take part: the mean of all tokens (`token-mean`); or over sequences the mean of
 * their own means (`seq-mean-token-mean`), of their sums (`seq-mean-token-sum`),
 * or of their sums over `length`, padding and all (`seq-mean-token-sum-norm`,
 * Liu and others 2025, Dr. GRPO, as LaMer has it; verl adds these up and divides
 * by `length` alone). A sequence that the mask leaves out is none; the loss of no
 * sequence at all is 0.
 *
 * @example Two tokens and one token, each row of length two
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const losses = Float64Array.of(1, 3, 5, 99);
 * const mask = [1, 1, 1, 0];
 * const all = AGGREGATIONS.map((way) => aggregateLoss(losses, mask, 2, way));
 * deepEqual(all, [3, 3.5, 4.5, 2.25]);
 * ```
 */
export function aggregateLoss(
  losses: Float64Array,
  mask: ArrayLike<number>,
  length: number,
  aggregation: Aggregation,
): number {
  let [sum, tokens, means, sequences] = [0, 0, 0, 0];
  for (let from = 0; from < losses.length; from += length) {
    let [own, count] = [0, 0];
    for (let i = from; i < from + length; i++) {
      if (mask[i] === 0) continue;
      own += losses[i]!;
      count++;
    }
    if (count === 0) continue;
    sum += own;
    tokens += count;
    means += own / count;
    sequences++;
  }
  if (sequences === 0) return 0;
  if (aggregation === "token-mean") return sum / tokens;
  if (aggregation === "seq-mean-token-mean") return means / sequences;
  const mean = sum / sequences;
  return aggregation === "seq-mean-token-sum" ? mean : mean / length;
}
