/**
 * Making ranks ascend in value: pitfalls are made worse and the top better,
 * until the best that can be had at the top is clearly more than at any start,
 * and entering a pitfall clearly less than any rank is worth.
 *
 * @module
 */
import type { Generator } from "../../kernels/random/generator.ts";
import { type BandedMdp, rowTimes } from "../../kernels/solvers/banded.ts";
import type { LinearScratch } from "../../kernels/solvers/elimination.ts";
import { iteratePolicy } from "../../kernels/solvers/policy_iteration.ts";
import { between } from "./draws.ts";
import type { Draft, RewardParts } from "./task.ts";

const GAMMA = 0.99;
const ROUNDS = 5;

/** What is solved again and again; `policy` is where each solve begins. */
export interface Solving {
  readonly policy: Int32Array;
  readonly values: Float64Array;
  readonly linear: LinearScratch;
}

/** r(s, a) = U(s, a) + Σ_j P(j | s, a) (B(j) + t(j)), 0 in ranks that end. */
function payRows(
  mdp: BandedMdp,
  ends: Uint8Array,
  { stateAction, arrival }: RewardParts,
  bonus: Float64Array,
  entered: Float64Array,
): void {
  const { states, actions, reward } = mdp;
  for (let j = 0; j < states; j++) entered[j] = arrival[j]! + bonus[j]!;
  for (let s = 0, row = 0; s < states; s++) {
    for (let a = 0; a < actions; a++, row++) {
      reward[row] = ends[s]
        ? 0
        : stateAction[row]! + rowTimes(mdp, row, entered);
    }
  }
}

function least(x: Float64Array, where: Uint8Array, flag: number): number {
  let found = Infinity;
  for (let i = 0; i < where.length; i++) {
    if (where[i] === flag && x[i]! < found) found = x[i]!;
  }
  return found;
}

/**
 * One change of the bonus; why it was needed, or undefined if it was not. At a
 * goal the bonus is paid once, at another top as long as one stays near it.
 */
export function raise(
  random: Generator,
  { starts, ends, goal }: Draft,
  values: Float64Array,
  bonus: Float64Array,
): string | undefined {
  const n = ends.length;
  const top = goal ? n - 2 : n - 1;
  const pitGain = Math.min(...bonus) - least(values, ends, 0) + 1;
  const atStart = Math.max(...starts.map((s) => values[s]!));
  const goalFall = atStart - values[top]! + between(random, 2, 5);
  if (pitGain > 0) {
    const less = pitGain + between(random, 1, 10);
    const last = goal ? n - 1 : n;
    for (let j = 0; j < last; j++) if (ends[j]) bonus[j] = bonus[j]! - less;
  }
  if (goalFall > 0) {
    const more = Math.max(2 * goalFall, between(random, 1, 10));
    bonus[n - 1] = bonus[n - 1]! + (goal ? more : (1 - GAMMA) * more);
  }
  if (goalFall > 0) return "the top is worth too little";
  return pitGain > 0 ? "pitfalls are worth too much" : undefined;
}

/**
 * Shapes the arrival bonus t, which is written to `bonus`, and the rewards of
 * `mdp` with it; gives why that could not be done within five rounds of solving
 * at a discount of 0.99 and changing t, or undefined if it was.
 */
export function shapeValues(
  random: Generator,
  draft: Draft,
  mdp: BandedMdp,
  parts: RewardParts,
  bonus: Float64Array,
  { policy, values, linear }: Solving,
): string | undefined {
  const entered = new Float64Array(mdp.states);
  bonus.fill(0);
  bonus[mdp.states - 1] = 1;
  let why: string | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    payRows(mdp, draft.ends, parts, bonus, entered);
    iteratePolicy(mdp, GAMMA, policy, values, linear);
    why = raise(random, draft, values, bonus);
    if (why === undefined) break;
  }
  return why;
}
