/**
 * Finite MDPs in bands: what an action in a state leads to is a run of
 * neighbouring states, and only that run is stored. Row `s * actions + a` holds
 * P(j | s, a) for `from <= j < to`, beginning at `offset`.
 *
 * A row that is empty, or sums to less than 1, ends the episode with the rest of
 * its probability; what has ended is worth 0.
 *
 * @module
 */

/** See the module's own words. */
export interface BandedMdp {
  readonly states: number;
  readonly actions: number;
  /** First state of each row, of length `states * actions`. */
  readonly from: Int32Array;
  /** State after the last of each row; `from` where the row is empty. */
  readonly to: Int32Array;
  /** Where each row stands in `probability`. */
  readonly offset: Int32Array;
  readonly probability: Float64Array;
  /** Mean reward of each action in each state. */
  readonly reward: Float64Array;
}

/** The arrays of a finite MDP in outcomes, as in `finite_horizon.ts`. */
export interface OutcomeMdp {
  readonly states: number;
  readonly actions: number;
  readonly branches: number;
  readonly next: Int32Array;
  readonly probability: Float64Array;
  readonly reward: Float64Array;
  readonly terminal: Uint8Array;
}

/** Finds the band of each row; gives the number of entries in all bands. */
function measure(
  mdp: OutcomeMdp,
  from: Int32Array,
  to: Int32Array,
  offset: Int32Array,
): number {
  const { branches, next, probability, terminal } = mdp;
  let size = 0;
  for (let row = 0, k = 0; row < from.length; row++) {
    let low = mdp.states;
    let high = 0;
    for (let b = 0; b < branches; b++, k++) {
      if (terminal[k] || probability[k] === 0) continue;
      low = Math.min(low, next[k]!);
      high = Math.max(high, next[k]! + 1);
    }
    from[row] = Math.min(low, high);
    to[row] = high;
    offset[row] = size;
    size += Math.max(0, high - low);
  }
  return size;
}

/**
 * The bands of a finite MDP given in outcomes. Outcomes that end the episode
 * are paid and go nowhere.
 *
 * @example One state in a loop, left one time in four
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const mdp = bandedOf({
 *   states: 1,
 *   actions: 1,
 *   branches: 2,
 *   next: Int32Array.of(0, 0),
 *   probability: Float64Array.of(0.75, 0.25),
 *   reward: Float64Array.of(0, 8),
 *   terminal: Uint8Array.of(0, 1),
 * });
 * deepEqual([...mdp.probability, ...mdp.reward], [0.75, 2]);
 * ```
 */
export function bandedOf(mdp: OutcomeMdp): BandedMdp {
  const { states, actions, branches, next, terminal } = mdp;
  const rows = states * actions;
  const from = new Int32Array(rows);
  const to = new Int32Array(rows);
  const offset = new Int32Array(rows);
  const probability = new Float64Array(measure(mdp, from, to, offset));
  const reward = new Float64Array(rows);
  for (let row = 0, k = 0; row < rows; row++) {
    const base = offset[row]! - from[row]!;
    for (let b = 0; b < branches; b++, k++) {
      const p = mdp.probability[k]!;
      reward[row] = reward[row]! + p * mdp.reward[k]!;
      if (terminal[k] || p === 0) continue;
      const at = base + next[k]!;
      probability[at] = probability[at]! + p;
    }
  }
  return { states, actions, from, to, offset, probability, reward };
}

/** Σ_j P(j | row) x(j): one row of the transition matrix times a vector. */
export function rowTimes(
  { from, to, offset, probability }: BandedMdp,
  row: number,
  x: Float64Array,
): number {
  let sum = 0;
  const end = to[row]!;
  for (let j = from[row]!, k = offset[row]!; j < end; j++, k++) {
    sum += probability[k]! * x[j]!;
  }
  return sum;
}

/**
 * Q(s, a) = r(s, a) + γ Σ_j P(j | s, a) V(j), into `q` of length
 * `states * actions`.
 */
export function actionValues(
  mdp: BandedMdp,
  discount: number,
  values: Float64Array,
  q: Float64Array,
): void {
  const { reward } = mdp;
  const rows = mdp.states * mdp.actions;
  for (let row = 0; row < rows; row++) {
    q[row] = reward[row]! + discount * rowTimes(mdp, row, values);
  }
}
