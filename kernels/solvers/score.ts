/**
 * How good a return is, on a scale that all tasks share.
 *
 * @module
 */

/**
 * (R - R_random) / (R_oracle - R_random), of undiscounted returns of episodes
 * (Wang and others 2025, arXiv 2502.02869, algorithm "Evaluation"): 0 is uniform
 * play, 1 the best that can be expected.
 *
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 *
 * equal(normalisedScore(3, { random: 1, oracle: 5 }), 0.5);
 * ```
 */
export function normalisedScore(
  paid: number,
  { random, oracle }: { readonly random: number; readonly oracle: number },
): number {
  return (paid - random) / (oracle - random);
}
