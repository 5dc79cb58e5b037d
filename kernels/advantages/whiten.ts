/**
 * Whitening, and the returns of REINFORCE++ (Hu 2025, arXiv 2501.03262).
 *
 * @module
 */

/** Added to a variance before its root divides. */
const EPSILON = 1e-8;

/** Weighted sums, in parts: of one batch or of several, one after the other. */
export interface WeightedMoments {
  weight: number;
  mean: number;
  squares: number;
}

export function weightedMoments(): WeightedMoments {
  return { weight: 0, mean: 0, squares: 0 };
}

/**
 * Adds values to moments, `weights[i]` times each, once if there are no weights
 * (West 1979, one pass).
 */
export function addMoments(
  moments: WeightedMoments,
  values: Float64Array,
  length: number,
  weights?: ArrayLike<number>,
): void {
  let { weight, mean, squares } = moments;
  for (let i = 0; i < length; i++) {
    const w = weights === undefined ? 1 : weights[i]!;
    if (w === 0) continue;
    weight += w;
    const off = values[i]! - mean;
    mean += off * w / weight;
    squares += w * off * (values[i]! - mean);
  }
  moments.weight = weight;
  moments.mean = mean;
  moments.squares = squares;
}

/**
 * Values less their mean, over the root of their variance and 1e-8; weights are
 * counts (tokens), so the variance is over (their sum - 1). In place.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const values = Float64Array.of(1, 3);
 * const moments = weightedMoments();
 * addMoments(moments, values, 2);
 * whiten(values, 2, moments);
 * deepEqual([...values].map((x) => +x.toFixed(6)), [-0.707107, 0.707107]);
 * ```
 */
export function whiten(
  values: Float64Array,
  length: number,
  { weight, mean, squares }: WeightedMoments,
): void {
  const variance = weight > 1 ? squares / (weight - 1) : 0;
  const scale = 1 / Math.sqrt(variance + EPSILON);
  for (let i = 0; i < length; i++) values[i] = (values[i]! - mean) * scale;
}

/**
 * The returns of tokens, R[k] = r[k] + γ R[k+1], where what comes from behind a
 * token that the mask leaves out is lost: (R of what follows) is multiplied by the
 * mask after each token. Flat, one sequence.
 */
export function tokenReturns(
  rewards: Float64Array,
  mask: ArrayLike<number>,
  gamma: number,
  returns: Float64Array,
): void {
  let running = 0;
  for (let k = rewards.length - 1; k >= 0; k--) {
    running = rewards[k]! + gamma * running;
    returns[k] = running;
    running *= mask[k]!;
  }
}
