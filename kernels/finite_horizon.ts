/**
 * Exact dynamic programming over a finite MDP with a last step (Puterman 1994,
 * chapter 4): the best action at each step in each state, and what any policy,
 * also one mixed with uniform noise, is worth.
 *
 * Step `t` counts from 0, `horizon` steps are played unless an outcome ends the
 * episode. What belongs to step `t` and state `s` stands at `t * states + s`;
 * outcome `k` of action `a` in state `s` stands at `(s * actions + a) *
 * branches + k`.
 *
 * @module
 */
import { followPolicy } from "./policy_chain.ts";

/** The arrays of a finite MDP that are read here. */
export interface FiniteMdp {
  readonly states: number;
  readonly actions: number;
  readonly branches: number;
  readonly next: Int32Array;
  readonly probability: Float64Array;
  readonly reward: Float64Array;
  readonly terminal: Uint8Array;
  readonly success: Uint8Array;
  readonly starts: Int32Array;
  /** Probability of each start; equally likely if absent. */
  readonly startProbability?: Float64Array;
}

/** What is best, and its worth. */
export interface Plan {
  readonly horizon: number;
  readonly states: number;
  /** Best action at each step in each state, of length `horizon * states`. */
  readonly actions: Int32Array;
  /**
   * Expected return from each step and state on, of length
   * `(horizon + 1) * states`; its last row is 0.
   */
  readonly values: Float64Array;
}

/** What a policy is worth, averaged over the starts. */
export interface Worth {
  readonly return: number;
  /** Probability that some step of the episode solves the task. */
  readonly success: number;
  /** Mean length of the episode, in steps. */
  readonly length: number;
}

/** What a step costs when returns tie: enough to prefer the earlier end. */
const STEP_COST = 1e-9;
/** Gains below this are rounding: the lower action keeps its place. */
const TIE = 1e-10;

/** Where each outcome goes on; beyond the states if it ends the episode. */
function continuations(mdp: FiniteMdp): Int32Array {
  const { states, next, terminal } = mdp;
  if (!terminal.includes(1)) return next;
  const to = new Int32Array(next.length);
  for (let i = 0; i < to.length; i++) to[i] = terminal[i] ? states : next[i]!;
  return to;
}

/** Mean reward of each action in each state. */
function meanRewards(mdp: FiniteMdp): Float64Array {
  const { branches, probability, reward } = mdp;
  if (branches === 1) return reward;
  const mean = new Float64Array(mdp.states * mdp.actions);
  for (let i = 0, k = 0; i < mean.length; i++) {
    let sum = 0;
    for (let b = 0; b < branches; b++, k++) sum += probability[k]! * reward[k]!;
    mean[i] = sum;
  }
  return mean;
}

/**
 * Best actions for one who knows the MDP. Between actions of equal return the
 * one that ends the episode sooner is best, then the one of lower index.
 *
 * @example Two states in a row; the second pays 1 and ends
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const mdp = {
 *   states: 2,
 *   actions: 2, // 0 stays, 1 goes on
 *   branches: 1,
 *   next: Int32Array.of(0, 1, 1, 1),
 *   probability: Float64Array.of(1, 1, 1, 1),
 *   reward: Float64Array.of(0, 0, 0, 1),
 *   terminal: Uint8Array.of(0, 0, 0, 1),
 *   success: Uint8Array.of(0, 0, 0, 1),
 *   starts: Int32Array.of(0),
 * };
 * const { actions, values } = plan(mdp, 2);
 * deepEqual([...actions], [1, 1, 0, 1]);
 * deepEqual([...values], [1, 1, 0, 1, 0, 0]);
 * ```
 */
export function plan(mdp: FiniteMdp, horizon: number): Plan {
  const { states } = mdp;
  const actions = new Int32Array(horizon * states);
  const values = new Float64Array((horizon + 1) * states);
  const to = continuations(mdp);
  const mean = meanRewards(mdp);
  // Where nothing ends, each step would cost the same.
  const cost = mdp.terminal.includes(1) ? STEP_COST : 0;
  const back = mdp.branches === 1 ? backUpCertain : backUp;
  let later = new Float64Array(states + 1);
  let now = new Float64Array(states + 1);
  for (let t = horizon - 1; t >= 0; t--) {
    const row = t * states;
    const settled = back(mdp, to, mean, cost, later, now, actions, values, row);
    if (settled && t < horizon - 1) {
      // A row is a function of the next one, so all before are the same too.
      repeatUp(actions, states, row);
      repeatUp(values, states, row);
      break;
    }
    [later, now] = [now, later];
  }
  return { horizon, states, actions, values };
}

/** Copies the row that starts at `row` to all rows before it. */
function repeatUp(
  rows: Int32Array | Float64Array,
  width: number,
  row: number,
): void {
  for (let at = 0; at < row; at += width) {
    rows.copyWithin(at, row, row + width);
  }
}

/** One step back in time; whether nothing changed. */
type BackUp = (
  mdp: FiniteMdp,
  to: Int32Array,
  mean: Float64Array,
  cost: number,
  later: Float64Array,
  now: Float64Array,
  actions: Int32Array,
  values: Float64Array,
  row: number,
) => boolean;

const backUpCertain: BackUp = (
  { states, actions: A },
  to,
  mean,
  cost,
  later,
  now,
  actions,
  values,
  row,
) => {
  let settled = true;
  for (let s = 0, i = 0; s < states; s++) {
    let best = mean[i]! + later[to[i]!]!;
    let bar = best + TIE;
    let chosen = i++;
    for (const end = i + A - 1; i < end; i++) {
      const worth = mean[i]! + later[to[i]!]!;
      if (worth > bar) {
        best = worth;
        bar = worth + TIE;
        chosen = i;
      }
    }
    best -= cost;
    const goes = to[chosen]!;
    const after = goes < states ? values[row + states + goes]! : 0;
    const value = mean[chosen]! + after;
    if (best !== later[s] || value !== values[row + states + s]) {
      settled = false;
    }
    now[s] = best;
    values[row + s] = value;
    actions[row + s] = chosen - s * A;
  }
  return settled;
};

const backUp: BackUp = (
  { states, actions: A, branches, probability },
  to,
  mean,
  cost,
  later,
  now,
  actions,
  values,
  row,
) => {
  let settled = true;
  for (let s = 0, i = 0, k = 0; s < states; s++) {
    let best = -Infinity;
    let chosen = 0;
    for (let a = 0; a < A; a++, i++) {
      let worth = mean[i]!;
      for (const end = k + branches; k < end; k++) {
        worth += probability[k]! * later[to[k]!]!;
      }
      if (worth > best + TIE) {
        best = worth;
        chosen = a;
      }
    }
    best -= cost;
    let value = mean[s * A + chosen]!;
    const first = (s * A + chosen) * branches;
    for (let j = first; j < first + branches; j++) {
      const goes = to[j]!;
      if (goes < states) {
        value += probability[j]! * values[row + states + goes]!;
      }
    }
    if (best !== later[s] || value !== values[row + states + s]) {
      settled = false;
    }
    now[s] = best;
    values[row + s] = value;
    actions[row + s] = chosen;
  }
  return settled;
};

/**
 * The return of action `action` at step `t` in `state`, and of the plan's best
 * actions afterwards.
 */
export function actionValue(
  mdp: FiniteMdp,
  { states, values }: Plan,
  t: number,
  state: number,
  action: number,
): number {
  const { branches, probability, reward, terminal, next } = mdp;
  const first = (state * mdp.actions + action) * branches;
  let worth = 0;
  for (let k = first; k < first + branches; k++) {
    const after = terminal[k] ? 0 : values[(t + 1) * states + next[k]!]!;
    worth += probability[k]! * (reward[k]! + after);
  }
  return worth;
}

/**
 * The exact worth of playing `actions` (rows as in {@linkcode Plan}, or one row
 * of length `states` for all steps), where each action is, with probability
 * `epsilon`, replaced by a uniform one. With `epsilon` 1 `actions` play no part.
 *
 * @example Always going on, and going on half the time
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const mdp = {
 *   states: 1,
 *   actions: 2,
 *   branches: 1,
 *   next: Int32Array.of(0, 0),
 *   probability: Float64Array.of(1, 1),
 *   reward: Float64Array.of(0, 1),
 *   terminal: Uint8Array.of(0, 1),
 *   success: Uint8Array.of(0, 1),
 *   starts: Int32Array.of(0),
 * };
 * const on = Int32Array.of(1);
 * deepEqual(evaluate(mdp, 2, on), { return: 1, success: 1, length: 1 });
 * deepEqual(evaluate(mdp, 2, on, 1), { return: .75, success: .75, length: 1.5 });
 * ```
 */
export function evaluate(
  mdp: FiniteMdp,
  horizon: number,
  actions: Int32Array,
  epsilon: number = 0,
): Worth {
  const { states, starts, startProbability } = mdp;
  const later = actions.length === states
    ? followPolicy(mdp, horizon, actions, epsilon)
    : followPlan(mdp, horizon, actions, epsilon);
  const sums = [0, 0, 0];
  let total = 0;
  for (let i = 0; i < starts.length; i++) {
    const share = startProbability?.[i] ?? 1;
    total += share;
    for (let j = 0; j < 3; j++) {
      sums[j] = sums[j]! + share * later[3 * starts[i]! + j]!;
    }
  }
  const [paid, solved, length] = sums.map((sum) => sum / total);
  return { return: paid!, success: solved!, length: length! };
}

/** Return, success and length from each state, interleaved, by rows of actions. */
function followPlan(
  mdp: FiniteMdp,
  horizon: number,
  actions: Int32Array,
  epsilon: number,
): Float64Array {
  const { states } = mdp;
  let later = new Float64Array(3 * states);
  let now = new Float64Array(3 * states);
  for (let t = horizon - 1; t >= 0; t--) {
    now.fill(0);
    for (let s = 0; s < states; s++) {
      mixActions(mdp, s, actions[t * states + s]!, epsilon, later, now);
    }
    [later, now] = [now, later];
  }
  return later;
}

/** Adds to state `s` of `now` what its actions, each with its share, lead to. */
function mixActions(
  mdp: FiniteMdp,
  s: number,
  preferred: number,
  epsilon: number,
  later: Float64Array,
  now: Float64Array,
): void {
  const { actions: A, branches, next, probability, reward } = mdp;
  const { terminal, success } = mdp;
  const at = 3 * s;
  for (let a = 0; a < A; a++) {
    const share = epsilon / A + (a === preferred ? 1 - epsilon : 0);
    if (share === 0) continue;
    const first = (s * A + a) * branches;
    for (let k = first; k < first + branches; k++) {
      const p = share * probability[k]!;
      const goes = 3 * next[k]!;
      const alive = terminal[k] ? 0 : 1;
      now[at] = now[at]! + p * (reward[k]! + alive * later[goes]!);
      const solves = success[k] ? 1 : alive * later[goes + 1]!;
      now[at + 1] = now[at + 1]! + p * solves;
      now[at + 2] = now[at + 2]! + p * (1 + alive * later[goes + 2]!);
    }
  }
}
