/**
 * Discounted finite MDPs solved exactly: policies are evaluated by a direct
 * linear solve and improved until nothing can be gained (Howard 1960; Puterman
 * 1994, section 6.4).
 *
 * @module
 */
import { type BandedMdp, rowTimes } from "./banded.ts";
import {
  factorise,
  type LinearScratch,
  linearScratch,
  substitute,
} from "./elimination.ts";

/**
 * Gains below this, relative to the value, are rounding: the lower action keeps
 * its place, so that equal problems have equal policies on any machine.
 */
export const TIE = 1e-11;
/** Far more rounds than any policy was seen to take. */
const ROUNDS = 1000;

/** Writes I - γ P_π, of the rows that `row` names for each state. */
function assemble(
  mdp: BandedMdp,
  discount: number,
  policy: Int32Array,
  scratch: LinearScratch,
): void {
  const { states, actions, from, to, offset, probability } = mdp;
  const { size, matrix, first, end } = scratch;
  for (let s = 0; s < states; s++) {
    const row = s * actions + policy[s]!;
    const empty = from[row]! >= to[row]!;
    const low = empty ? s : Math.min(s, from[row]!);
    const high = empty ? s + 1 : Math.max(s + 1, to[row]!);
    first[s] = low;
    end[s] = high;
    const own = s * size;
    matrix.fill(0, own + low, own + high);
    const last = to[row]!;
    for (let j = from[row]!, k = offset[row]!; j < last; j++, k++) {
      matrix[own + j] = -discount * probability[k]!;
    }
    matrix[own + s] = 1 + matrix[own + s]!;
  }
}

/** Writes I - γ P for the policy that takes every action equally often. */
function assembleUniform(
  mdp: BandedMdp,
  discount: number,
  { size, matrix, first, end }: LinearScratch,
): void {
  const { states, actions, from, to, offset, probability } = mdp;
  const share = -discount / actions;
  for (let s = 0; s < states; s++) {
    let [low, high] = [s, s + 1];
    for (let row = s * actions; row < (s + 1) * actions; row++) {
      if (from[row]! >= to[row]!) continue;
      low = Math.min(low, from[row]!);
      high = Math.max(high, to[row]!);
    }
    first[s] = low;
    end[s] = high;
    const own = s * size;
    matrix.fill(0, own + low, own + high);
    matrix[own + s] = 1;
    for (let row = s * actions; row < (s + 1) * actions; row++) {
      const last = to[row]!;
      for (let j = from[row]!, k = offset[row]!; j < last; j++, k++) {
        matrix[own + j] = matrix[own + j]! + share * probability[k]!;
      }
    }
  }
}

/**
 * The values of a deterministic policy, V = (I - γ P_π)^-1 r_π, into `values`.
 *
 * @example A loop that pays 1 a step is worth 1 / (1 - γ)
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { linearScratch } from "./elimination.ts";
 *
 * const mdp = {
 *   states: 1,
 *   actions: 1,
 *   from: Int32Array.of(0),
 *   to: Int32Array.of(1),
 *   offset: Int32Array.of(0),
 *   probability: Float64Array.of(1),
 *   reward: Float64Array.of(1),
 * };
 * const values = new Float64Array(1);
 * evaluatePolicy(mdp, 0.5, Int32Array.of(0), values, linearScratch(1));
 * deepEqual([...values], [2]);
 * ```
 */
export function evaluatePolicy(
  mdp: BandedMdp,
  discount: number,
  policy: Int32Array,
  values: Float64Array,
  scratch: LinearScratch,
): void {
  const { states, actions, reward } = mdp;
  assemble(mdp, discount, policy, scratch);
  factorise(scratch, states);
  for (let s = 0; s < states; s++) {
    values[s] = reward[s * actions + policy[s]!]!;
  }
  substitute(scratch, states, values);
}

/** The values of the policy that takes every action equally often. */
export function evaluateUniform(
  mdp: BandedMdp,
  discount: number,
  values: Float64Array,
  scratch: LinearScratch,
): void {
  const { states, actions, reward } = mdp;
  assembleUniform(mdp, discount, scratch);
  factorise(scratch, states);
  for (let s = 0, row = 0; s < states; s++) {
    let sum = 0;
    for (let a = 0; a < actions; a++) sum += reward[row++]!;
    values[s] = sum / actions;
  }
  substitute(scratch, states, values);
}

/** Makes `policy` greedy on `values` where that gains; whether it did. */
function improve(
  mdp: BandedMdp,
  discount: number,
  values: Float64Array,
  policy: Int32Array,
): boolean {
  const { states, actions, reward } = mdp;
  let improved = false;
  for (let s = 0; s < states; s++) {
    // Its own action gives back V(s), by the equation that V solves.
    let best = values[s]!;
    for (let a = 0, row = s * actions; a < actions; a++, row++) {
      const worth = reward[row]! + discount * rowTimes(mdp, row, values);
      if (worth <= best + TIE * (1 + Math.abs(best))) continue;
      best = worth;
      policy[s] = a;
      improved = true;
    }
  }
  return improved;
}

/** The lowest of the actions that are best on `values`, into `policy`. */
export function greedy(
  mdp: BandedMdp,
  discount: number,
  values: Float64Array,
  policy: Int32Array,
): void {
  const { states, actions, reward } = mdp;
  for (let s = 0; s < states; s++) {
    let best = -Infinity;
    for (let a = 0, row = s * actions; a < actions; a++, row++) {
      const worth = reward[row]! + discount * rowTimes(mdp, row, values);
      if (a > 0 && worth <= best + 10 * TIE * (1 + Math.abs(best))) continue;
      best = worth;
      policy[s] = a;
    }
  }
}

/**
 * Best values and actions at a discount below 1. `policy` is where the search
 * begins, such as the solution of a problem nearby, and afterwards the best;
 * gives the number of policies that were evaluated.
 *
 * Values are as exact as a direct solve: errors near 1e-15 / (1 - γ) of the
 * largest.
 *
 * @example Staying pays 1 for ever, leaving pays 3 once
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { linearScratch } from "./elimination.ts";
 *
 * const mdp = {
 *   states: 1,
 *   actions: 2,
 *   from: Int32Array.of(0, 0),
 *   to: Int32Array.of(1, 0),
 *   offset: Int32Array.of(0, 1),
 *   probability: Float64Array.of(1),
 *   reward: Float64Array.of(1, 3),
 * };
 * const [policy, values] = [new Int32Array(1), new Float64Array(1)];
 * iteratePolicy(mdp, 0.5, policy, values, linearScratch(1));
 * deepEqual([policy[0], values[0]], [1, 3]);
 * iteratePolicy(mdp, 0.75, policy, values, linearScratch(1));
 * deepEqual([policy[0], values[0]], [0, 4]);
 * ```
 */
export function iteratePolicy(
  mdp: BandedMdp,
  discount: number,
  policy: Int32Array,
  values: Float64Array,
  scratch: LinearScratch,
): number {
  let rounds = 0;
  do {
    evaluatePolicy(mdp, discount, policy, values, scratch);
    rounds++;
  } while (improve(mdp, discount, values, policy) && rounds < ROUNDS);
  return rounds;
}

/** The solution of one MDP at several discounts. */
export interface Solution {
  readonly discount: number;
  /** Best action in each state, the lowest of equals. */
  readonly policy: Int32Array;
  readonly values: Float64Array;
}

/**
 * One MDP at several discounts, in the order given: each search begins at the
 * solution before it, and all share one place to work in.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const mdp = {
 *   states: 1,
 *   actions: 1,
 *   from: Int32Array.of(0),
 *   to: Int32Array.of(1),
 *   offset: Int32Array.of(0),
 *   probability: Float64Array.of(1),
 *   reward: Float64Array.of(1),
 * };
 * const solved = solveDiscounts(mdp, [0, 0.5, 0.75]);
 * deepEqual(solved.map(({ values }) => values[0]), [1, 2, 4]);
 * ```
 */
export function solveDiscounts(
  mdp: BandedMdp,
  discounts: ReadonlyArray<number>,
  scratch: LinearScratch = linearScratch(mdp.states),
): ReadonlyArray<Solution> {
  const search = new Int32Array(mdp.states);
  return discounts.map((discount) => {
    const values = new Float64Array(mdp.states);
    iteratePolicy(mdp, discount, search, values, scratch);
    const policy = new Int32Array(mdp.states);
    greedy(mdp, discount, values, policy);
    return { discount, policy, values };
  });
}
