/**
 * The best actions of a task, for policies and labels that may know it.
 *
 * @module
 */
import { type Plan, plan } from "../kernels/finite_horizon.ts";
import { bandedOf } from "../kernels/solvers/banded.ts";
import {
  type LinearScratch,
  linearScratch,
} from "../kernels/solvers/elimination.ts";
import {
  type Solution,
  solveDiscounts,
} from "../kernels/solvers/policy_iteration.ts";
import type { Action } from "./actions.ts";
import type { Environment } from "./env.ts";
import type { Table } from "./table.ts";

const kept = new WeakMap<Table, Plan>();

/** The plan of a table, worked out once for all trials on a task. */
export function planOf(table: Table, horizon: number): Plan {
  let known = kept.get(table);
  if (known?.horizon !== horizon) {
    known = plan(table, horizon);
    kept.set(table, known);
  }
  return known;
}

/**
 * The best action in a state at step `t`: from the task's table, else from the
 * environment's own `optimal`; undefined where neither is there.
 */
export function optimalActions(
  env: Environment,
  task: unknown,
): ((state: unknown, t: number) => Action) | undefined {
  const table = env.table?.(task);
  if (table === undefined) return env.optimal?.(task);
  const { actions, states } = planOf(table, env.horizon(task));
  // The state of a finite environment is a row of its table.
  return (state, t) => actions[t * states + (state as number)]!;
}

const solved = new WeakMap<Table, Map<number, Solution>>();
// Scratch alone: as large as the largest table that was solved.
let scratch: LinearScratch = linearScratch(0);

/**
 * A table without a last step, solved at each discount below 1: each once for
 * all trials on a task.
 */
export function solutionsOf(
  table: Table,
  discounts: ReadonlyArray<number>,
): ReadonlyArray<Solution> {
  const known = solved.get(table) ?? new Map<number, Solution>();
  solved.set(table, known);
  const missing = discounts.filter((discount) => !known.has(discount));
  if (missing.length > 0) {
    if (scratch.size < table.states) scratch = linearScratch(table.states);
    for (const one of solveDiscounts(bandedOf(table), missing, scratch)) {
      known.set(one.discount, one);
    }
  }
  return discounts.map((discount) => known.get(discount)!);
}
