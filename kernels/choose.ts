/**
 * Actions out of logits, or out of Q-values.
 *
 * @module
 */
import { type Generator, uniform } from "./random/generator.ts";

/**
 * Draws an action from softmax(logits / temperature); at temperature 0 the first of
 * the largest. `count` logits from `at` on. Of Q-values this is Boltzmann's policy
 * (Sutton and Barto 2018, section 2.8), and at temperature 0 the greedy one.
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

/**
 * ln of the probability with which {@linkcode chooseAction} takes `action`: 0 at
 * temperature 0, where nothing is left to chance.
 *
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 *
 * const logits = Float32Array.of(Math.log(1), Math.log(3));
 * equal(logProbability(logits, 0, 2, 1, 1).toFixed(6), Math.log(0.75).toFixed(6));
 * equal(logProbability(logits, 0, 2, 0, 1), 0);
 * ```
 */
export function logProbability(
  logits: Float32Array,
  at: number,
  count: number,
  temperature: number,
  action: number,
): number {
  if (temperature === 0) return 0;
  let top = -Infinity;
  for (let a = 0; a < count; a++) top = Math.max(top, logits[at + a]!);
  let total = 0;
  for (let a = 0; a < count; a++) {
    total += Math.exp((logits[at + a]! - top) / temperature);
  }
  return (logits[at + action]! - top) / temperature - Math.log(total);
}

/** Levels of a warm-up: 0.0, 0.1, … 0.9. */
const LEVELS = 10;

/**
 * Probability that the model acts at a step of episode `episode` (from 0), and not
 * a uniformly random action, where the first `warmUp` episodes are forced
 * exploration: 0.0, 0.1, … 0.9 in ten equal parts of them, then 1 (Rentschler and
 * Roberts 2025, arXiv 2501.14176, section 4: `warmUp` 20 of 30 episodes).
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * deepEqual([0, 1, 2, 19, 20].map((e) => modelShare(e, 20)), [0, 0, 0.1, 0.9, 1]);
 * ```
 */
export function modelShare(episode: number, warmUp: number): number {
  if (episode >= warmUp) return 1;
  return Math.floor(LEVELS * episode / warmUp) / LEVELS;
}
