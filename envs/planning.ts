/**
 * The best actions of a task, for policies and labels that may know it.
 *
 * @module
 */
import { type Plan, plan } from "../kernels/finite_horizon.ts";
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
): ((state: unknown, t: number) => number) | undefined {
  const table = env.table?.(task);
  if (table === undefined) return env.optimal?.(task);
  const { actions, states } = planOf(table, env.horizon(task));
  // The state of a finite environment is a row of its table.
  return (state, t) => actions[t * states + (state as number)]!;
}
