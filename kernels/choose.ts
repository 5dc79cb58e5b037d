/**
 * Actions out of logits.
 *
 * @module
 */
import { type Generator, uniform } from "./random/generator.ts";

/**
 * Draws an action from softmax(logits / temperature); at temperature 0 the first of
 * the largest. `count` logits from `at` on.
 *
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { generator } from "./random/generator.ts";
 * import { rootKey } from "./random/key.ts";
 *
 * const random = generator(rootKey(1));
 * equal(chooseAction(Float32Array.of(0, 2, 1), 0, 3, 0, random), 1);
 * ```
 */
export function chooseAction(
  logits: Float32Array,
  at: number,
  count: number,
  temperature: number,
  random: Generator,
): number {
  let best = 0;
  for (let a = 1; a < count; a++) {
    if (logits[at + a]! > logits[at + best]!) best = a;
  }
  if (temperature === 0) return best;
  let total = 0;
  const top = logits[at + best]!;
  for (let a = 0; a < count; a++) {
    total += Math.exp((logits[at + a]! - top) / temperature);
  }
  let left = uniform(random) * total;
  for (let a = 0; a < count - 1; a++) {
    left -= Math.exp((logits[at + a]! - top) / temperature);
    if (left < 0) return a;
  }
  return count - 1;
}
