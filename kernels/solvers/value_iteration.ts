/**
 * Discounted finite MDPs solved by sweeps, for those too large to solve
 * directly, with a bound on the error that is proved and not hoped for.
 *
 * @module
 */
import { type BandedMdp, rowTimes } from "./banded.ts";

/** What sweeps came to. */
export interface Sweeps {
  readonly sweeps: number;
  /** The largest error that any value can have, less rounding. */
  readonly bound: number;
}

/** One sweep from `values` into `next`; gives the least and largest change. */
function sweep(
  mdp: BandedMdp,
  discount: number,
  values: Float64Array,
  next: Float64Array,
  change: Float64Array,
): void {
  const { states, actions, reward } = mdp;
  let [low, high] = [Infinity, -Infinity];
  for (let s = 0, row = 0; s < states; s++) {
    let best = -Infinity;
    for (let a = 0; a < actions; a++, row++) {
      const worth = reward[row]! + discount * rowTimes(mdp, row, values);
      if (worth > best) best = worth;
    }
    next[s] = best;
    const moved = best - values[s]!;
    if (moved < low) low = moved;
    if (moved > high) high = moved;
  }
  change[0] = low;
  change[1] = high;
}

/**
 * Best values at a discount below 1, to within `tolerance`, by value iteration
 * from `values` on and into them.
 *
 * With changes between `low` and `high` in a sweep, V* lies between
 * V + γ/(1-γ) min(low, 0) and V + γ/(1-γ) max(high, 0) (MacQueen 1966; with 0,
 * since episodes may end). Where no row ends an episode, the bounds hold without
 * the 0, V is put between them, and far fewer sweeps are needed.
 *
 * @example
 * ```ts
 * import { ok } from "node:assert/strict";
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
 * const { bound } = iterateValues(mdp, 0.99, values);
 * ok(bound <= 1e-10 && Math.abs(values[0]! - 100) <= 1e-10);
 * ```
 */
export function iterateValues(
  mdp: BandedMdp,
  discount: number,
  values: Float64Array,
  tolerance: number = 1e-10,
  limit: number = 100_000,
): Sweeps {
  const ends = losesProbability(mdp);
  const scale = discount / (1 - discount);
  const next = new Float64Array(mdp.states);
  const change = new Float64Array(2);
  let sweeps = 0;
  for (;;) {
    sweep(mdp, discount, values, next, change);
    values.set(next);
    sweeps++;
    const low = scale * (ends ? Math.min(0, change[0]!) : change[0]!);
    const high = scale * (ends ? Math.max(0, change[1]!) : change[1]!);
    const bound = ends ? Math.max(-low, high) : (high - low) / 2;
    if (bound > tolerance && sweeps < limit) continue;
    if (!ends) {
      for (let s = 0; s < mdp.states; s++) {
        values[s] = values[s]! + (low + high) / 2;
      }
    }
    return { sweeps, bound };
  }
}

/** Whether some row sums to less than 1 by more than rounding. */
function losesProbability(mdp: BandedMdp): boolean {
  const ones = new Float64Array(mdp.states).fill(1);
  const rows = mdp.states * mdp.actions;
  for (let row = 0; row < rows; row++) {
    if (rowTimes(mdp, row, ones) < 1 - 1e-12) return true;
  }
  return false;
}
