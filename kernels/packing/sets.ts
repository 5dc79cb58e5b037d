/**
 * Sets of episodes: which of a trial's episodes are shown together, and in which
 * order.
 *
 * @module
 */
import { shuffle } from "../random/distributions.ts";
import { type Generator, uniform } from "../random/generator.ts";

/** Orders of a set. */
export const ORDERS = ["played", "shuffled", "improving"] as const;
export type Order = typeof ORDERS[number];

/**
 * Draws `size` of the indices below `weights.length` without replacement, each
 * draw by the weights of what is left (Efraimidis and Spirakis 2006, algorithm A):
 * those of the largest u^(1/w), u uniform. Ascending; all where there are no more.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { generator } from "../random/generator.ts";
 * import { rootKey } from "../random/key.ts";
 *
 * const drawn = drawWeighted(generator(rootKey(1)), [1, 0, 1], 2);
 * deepEqual([...drawn], [0, 2]);
 * ```
 */
export function drawWeighted(
  random: Generator,
  weights: ArrayLike<number>,
  size: number,
): Int32Array {
  const n = weights.length;
  const keys = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    // The logarithm keeps the order, and small weights apart.
    keys[i] = Math.log(1 - uniform(random)) / weights[i]!;
  }
  const order = Int32Array.from({ length: n }, (_, i) => i);
  order.sort((a, b) => keys[b]! - keys[a]! || a - b);
  return order.slice(0, size).sort();
}

/** Puts indices of episodes in order; `returns` are of all episodes. */
export function arrange(
  random: Generator,
  indices: Int32Array,
  order: Order,
  returns: ArrayLike<number>,
): void {
  if (order === "shuffled") shuffle(random, indices);
  if (order === "improving") {
    indices.sort((a, b) => returns[a]! - returns[b]! || a - b);
  }
}
