/**
 * Which tasks are worth learning: those where the best play gains much over
 * uniform play, and keeps moving.
 *
 * @module
 */
import { type BandedMdp, rowTimes } from "../../kernels/solvers/banded.ts";
import {
  evaluateUniform,
  iteratePolicy,
} from "../../kernels/solvers/policy_iteration.ts";
import type { Solving } from "./shaping.ts";
import type { Draft } from "./task.ts";

const LEAST_GAP = 2;
const LEAST_GINI = 0.7;
const LEAST_ENTROPY = 0.35;
/** Changes of a distribution that are rounding. */
const SETTLED = 1e-14;

/** γ_h = 2^(-1/n), with which what is n steps away counts one half. */
export function halfLife(n: number): number {
  return 2 ** (-1 / n);
}

/** Best value of a rank when play is uniform after the first action. */
function bestFirst(
  mdp: BandedMdp,
  discount: number,
  uniform: Float64Array,
  s: number,
): number {
  let best = -Infinity;
  for (let row = s * mdp.actions; row < (s + 1) * mdp.actions; row++) {
    const worth = mdp.reward[row]! + discount * rowTimes(mdp, row, uniform);
    if (worth > best) best = worth;
  }
  return best;
}

/**
 * (max_a Q*(s, a) - max_a Q_uniform(s, a)) (1 - γ) T: about what the best play
 * gains over uniform play in an episode from `s`, the least over the starts.
 * `solving` holds the best policy and its values afterwards.
 */
export function valueGap(
  mdp: BandedMdp,
  starts: ReadonlyArray<number>,
  discount: number,
  maxSteps: number,
  { policy, values, linear }: Solving,
  uniform: Float64Array,
): number {
  iteratePolicy(mdp, discount, policy, values, linear);
  evaluateUniform(mdp, discount, uniform, linear);
  const scale = (1 - discount) * maxSteps;
  let least = Infinity;
  for (const s of starts) {
    const gap = values[s]! - bestFirst(mdp, discount, uniform, s);
    least = Math.min(least, gap * scale);
  }
  return least;
}

/** One step of a policy's chain, in which an end is followed by a start. */
function stepChain(
  mdp: BandedMdp,
  policy: Int32Array,
  { ends, starts, startProbability }: Draft,
  now: Float64Array,
  next: Float64Array,
): void {
  const { states, actions, from, to, offset, probability } = mdp;
  next.fill(0);
  let over = 0;
  for (let s = 0; s < states; s++) {
    const mass = now[s]!;
    if (ends[s]) over += mass;
    if (ends[s] || mass === 0) continue;
    const row = s * actions + policy[s]!;
    const last = to[row]!;
    for (let j = from[row]!, k = offset[row]!; j < last; j++, k++) {
      next[j] = next[j]! + mass * probability[k]!;
    }
  }
  for (let i = 0; i < starts.length; i++) {
    const j = starts[i]!;
    next[j] = next[j]! + over * startProbability[i]!;
  }
}

/**
 * Where a policy's chain is after 2^(⌊log2 T⌋ + 1) steps from `start`. Once a
 * step changes nothing, the others do not either, and are left out.
 */
export function longRun(
  mdp: BandedMdp,
  policy: Int32Array,
  draft: Draft,
  start: number,
): Float64Array {
  let now = new Float64Array(mdp.states);
  let next = new Float64Array(mdp.states);
  now[start] = 1;
  const steps = 2 ** (Math.floor(Math.log2(draft.maxSteps)) + 1);
  for (let t = 0; t < steps; t++) {
    stepChain(mdp, policy, draft, now, next);
    let change = 0;
    for (let s = 0; s < now.length; s++) change += Math.abs(next[s]! - now[s]!);
    [now, next] = [next, now];
    if (change < SETTLED) break;
  }
  return now;
}

/** How evenly a distribution is spread. */
export interface Spread {
  /** 1 - Σ p². */
  readonly gini: number;
  /** -Σ p ln p / ln n. */
  readonly entropy: number;
}

/**
 * @example Four states, each as likely
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const { gini, entropy } = spread(new Float64Array(4).fill(0.25));
 * deepEqual([gini, entropy].map((x) => +x.toFixed(9)), [0.75, 1]);
 * ```
 */
export function spread(p: Float64Array): Spread {
  let [squares, entropy] = [0, 0];
  for (let i = 0; i < p.length; i++) {
    const x = p[i]! + 1e-12;
    squares += x * x;
    entropy -= x * Math.log(x);
  }
  return { gini: 1 - squares, entropy: entropy / Math.log(p.length) };
}

/**
 * What Gini index is asked for: 0.7, which fewer than 4 states cannot have.
 * Below 8 states, where nothing was published, it is the same share of the
 * largest, 1 - 1/n, as at 8.
 */
export function leastGini(n: number): number {
  return Math.min(LEAST_GINI, LEAST_GINI * (1 - 1 / n) / (1 - 1 / 8));
}

/** Why a shaped task is not accepted; undefined if it is. */
export function refusalOf(
  mdp: BandedMdp,
  draft: Draft,
  solving: Solving,
  uniform: Float64Array,
): string | undefined {
  const { starts, maxSteps } = draft;
  const n = mdp.states;
  const gap = valueGap(mdp, starts, halfLife(n), maxSteps, solving, uniform);
  if (gap < LEAST_GAP) return "the best play gains too little";
  const spreads = starts.map((start) =>
    spread(longRun(mdp, solving.policy, draft, start))
  );
  if (!spreads.every(({ gini }) => gini > leastGini(n))) {
    return "the best play stays in too few states";
  }
  return spreads.every(({ entropy }) => entropy > LEAST_ENTROPY)
    ? undefined
    : "the best play is too unevenly spread";
}
