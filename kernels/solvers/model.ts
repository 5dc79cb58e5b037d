/**
 * A model of a finite MDP that is learnt from what happens, and planned on by
 * one sweep at a time: the model-based learner of OmniRL (Wang and others 2025,
 * arXiv 2502.02869, tag exp1).
 *
 * Counts of each (s, a, s') begin at 0.01, so that P̂ is their share in the row;
 * R̂ is the mean of what (s, a, s') paid, 0 where it was never seen. A state that
 * ended an episode is worth 0. Only what was seen is stored: the rest of a row
 * is the same for all states, and enters a sweep through the sum of their
 * values. This changes nothing but rounding.
 *
 * @module
 */

/** What each (s, a, s') is thought to have been seen before it was. */
const PRIOR = 0.01;

/** See the module's own words; row `s * actions + a`. */
export interface Model {
  readonly states: number;
  readonly actions: number;
  /** First entry of each row's list, or -1. */
  readonly head: Int32Array;
  /** Times that each row was taken. */
  readonly taken: Float64Array;
  /** 1 for each state that has ended an episode. */
  readonly over: Uint8Array;
  /** Entries: outcomes seen, each in the list of its row. */
  size: number;
  follows: Int32Array;
  next: Int32Array;
  count: Float64Array;
  paid: Float64Array;
  /** Σ R̂ and Σ R̂² over all entries. */
  sum: number;
  squares: number;
}

/** What is planned on a model; several may share one. */
export interface ModelPlan {
  readonly q: Float64Array;
  /** max_a Q(s, a). */
  readonly values: Float64Array;
}

/** A plan of nothing yet: all values are 0. */
export function emptyPlan(states: number, actions: number): ModelPlan {
  return {
    q: new Float64Array(states * actions),
    values: new Float64Array(states),
  };
}

/** A model of nothing yet. */
export function emptyModel(states: number, actions: number): Model {
  const rows = states * actions;
  return {
    states,
    actions,
    head: new Int32Array(rows).fill(-1),
    taken: new Float64Array(rows),
    over: new Uint8Array(states),
    size: 0,
    follows: new Int32Array(64),
    next: new Int32Array(64),
    count: new Float64Array(64),
    paid: new Float64Array(64),
    sum: 0,
    squares: 0,
  };
}

function grow(model: Model): void {
  const longer = (array: Float64Array) => {
    const larger = new Float64Array(2 * array.length);
    larger.set(array);
    return larger;
  };
  model.count = longer(model.count);
  model.paid = longer(model.paid);
  for (const name of ["follows", "next"] as const) {
    const larger = new Int32Array(2 * model[name].length);
    larger.set(model[name]);
    model[name] = larger;
  }
}

/** The entry of an outcome of `row`, made if it was never seen. */
function entryOf(model: Model, row: number, next: number): number {
  for (let e = model.head[row]!; e >= 0; e = model.follows[e]!) {
    if (model.next[e] === next) return e;
  }
  if (model.size === model.next.length) grow(model);
  const e = model.size++;
  model.follows[e] = model.head[row]!;
  model.head[row] = e;
  model.next[e] = next;
  model.count[e] = model.paid[e] = 0;
  return e;
}

/** Takes note of one step; `terminated` if `next` ended the episode. */
export function learnStep(
  model: Model,
  state: number,
  action: number,
  reward: number,
  next: number,
  terminated: boolean,
): void {
  const row = state * model.actions + action;
  const e = entryOf(model, row, next);
  const before = model.paid[e]!;
  const count = model.count[e]! + 1;
  const after = before + (reward - before) / count;
  model.count[e] = count;
  model.paid[e] = after;
  model.taken[row] = model.taken[row]! + 1;
  model.sum += after - before;
  model.squares += after * after - before * before;
  if (terminated) model.over[next] = 1;
}

/** The deviation of R̂ over all (s, a, s'), seen or not. */
export function rewardDeviation(model: Model): number {
  const all = model.states * model.states * model.actions;
  const mean = model.sum / all;
  return Math.sqrt(Math.max(0, model.squares / all - mean * mean));
}

/**
 * b(s, a) = c / (1 - γ) max(std R̂, 0.01) / sqrt(n(s, a)), less its root, which
 * {@linkcode visitsOf} is for.
 */
export function bonusScale(
  model: Model,
  coefficient: number,
  discount: number,
): number {
  return coefficient / (1 - discount) * Math.max(rewardDeviation(model), 0.01);
}

/** n(s, a): what a row was taken, with what was thought before. */
export function visitsOf(model: Model, row: number): number {
  return model.taken[row]! + PRIOR * model.states;
}

/** Σ_j P̂(j | row) (R̂ + γ V(j)), where `total` is Σ_j V(j). */
function backUp(
  { head, follows, next, count, paid }: Model,
  values: Float64Array,
  row: number,
  discount: number,
  total: number,
  visits: number,
): number {
  let sum = PRIOR * discount * total;
  for (let e = head[row]!; e >= 0; e = follows[e]!) {
    const n = count[e]!;
    sum += n * discount * values[next[e]!]! + (n + PRIOR) * paid[e]!;
  }
  return sum / visits;
}

/**
 * One sweep over all states and actions, in place (Gauss-Seidel): Q(s, a)
 * becomes Σ_j P̂ (R̂ + γ max_b Q(j, b)) with what the sweep has found so far.
 *
 * @example A step that pays 1 and ends, and one that does nothing
 * ```ts
 * import { ok } from "node:assert/strict";
 *
 * const model = emptyModel(2, 2);
 * const plan = emptyPlan(2, 2);
 * for (let i = 0; i < 1000; i++) {
 *   learnStep(model, 0, 0, 1, 1, true);
 *   learnStep(model, 0, 1, 0, 0, false);
 * }
 * sweepModel(model, plan, 0.5);
 * ok(plan.q[0]! > 0.999 && plan.q[1]! < plan.q[0]!);
 * ```
 */
export function sweepModel(
  model: Model,
  { q, values }: ModelPlan,
  discount: number,
): void {
  const { states, actions, over } = model;
  let total = 0;
  for (let s = 0; s < states; s++) {
    if (over[s]) {
      values[s] = 0;
      q.fill(0, s * actions, (s + 1) * actions);
    }
    total += values[s]!;
  }
  for (let s = 0, row = 0; s < states; s++) {
    if (over[s]) {
      row += actions;
      continue;
    }
    for (let a = 0; a < actions; a++, row++) {
      q[row] = backUp(
        model,
        values,
        row,
        discount,
        total,
        visitsOf(model, row),
      );
      // Only what changes the largest changes what other states see.
      let best = q[s * actions]!;
      for (let b = s * actions + 1; b < (s + 1) * actions; b++) {
        if (q[b]! > best) best = q[b]!;
      }
      total += best - values[s]!;
      values[s] = best;
    }
  }
}
