/**
 * A task in a few numbers, by which sets of tasks are compared.
 *
 * @module
 */
import { evaluate, type Worth } from "../../kernels/finite_horizon.ts";
import { linearScratch } from "../../kernels/solvers/elimination.ts";
import { solutionsOf } from "../planning.ts";
import type { Table } from "../table.ts";
import { halfLife, valueGap } from "./acceptance.ts";
import { bandsOf } from "./table.ts";
import type { AnyMdpTask } from "./task.ts";

/** See {@linkcode summarise}. */
export interface Summary {
  /** States in use, of which some are pitfalls, and one may be a goal. */
  readonly states: number;
  readonly pitfalls: number;
  readonly goal: boolean;
  readonly starts: number;
  readonly horizon: number;
  /** What acceptance asks to be 2: the least gain over the starts. */
  readonly valueGap: number;
  /** Mean number of states that an action leads to, by its entropy: e^H. */
  readonly outDegree: number;
  /** Root mean square of mean rewards under uniform actions and outcomes. */
  readonly rewardScale: number;
  /** Exact episodes of the oracle at a discount of 0.994. */
  readonly oracle: Worth;
  /** Exact episodes of uniform play. */
  readonly random: Worth;
}

/** Mean of e^H over rows that do not end; and the scale of rewards. */
function rowsOf(table: Table, ends: ReadonlyArray<number>) {
  const { states, actions, branches, probability, reward } = table;
  let [degree, square, rows] = [0, 0, 0];
  for (let s = 0; s < states; s++) {
    if (ends.includes(s)) continue;
    for (let row = s * actions; row < (s + 1) * actions; row++) {
      let entropy = 0;
      for (let k = row * branches; k < (row + 1) * branches; k++) {
        const p = probability[k]!;
        if (p > 0) entropy -= p * Math.log(p);
        square += p * reward[k]! ** 2;
      }
      degree += Math.exp(entropy);
      rows++;
    }
  }
  return { outDegree: degree / rows, rewardScale: Math.sqrt(square / rows) };
}

/**
 * What a task of more than one state is like. Returns and lengths are exact, by
 * the distribution over states at each step.
 */
export function summarise(task: AnyMdpTask, table: Table): Summary {
  const { maxSteps, starts, ends, goal } = task;
  const n = task.mapping.length;
  const horizon = Math.ceil(maxSteps);
  const { policy } = solutionsOf(table, [0.994])[0]!;
  const solving = {
    policy: new Int32Array(n),
    values: new Float64Array(n),
    linear: linearScratch(n),
  };
  const uniform = new Float64Array(n);
  const mdp = bandsOf(task);
  return {
    states: n,
    pitfalls: ends.length - (goal ? 1 : 0),
    goal,
    starts: starts.length,
    horizon,
    valueGap: valueGap(mdp, starts, halfLife(n), maxSteps, solving, uniform),
    ...rowsOf(table, ends),
    oracle: evaluate(table, horizon, policy),
    random: evaluate(table, horizon, policy, 1),
  };
}
