/**
 * Environments that are finite MDPs: written once, as a table, and stepped from
 * it. The state is the table's row, an integer.
 *
 * Draws, so that any other stepper can agree with this one: a start takes an
 * integer where there are several, or a uniform where they are not equally
 * likely; a step takes a uniform where an action has several outcomes, then a
 * normal where the outcome's reward is noisy.
 *
 * @module
 */
import type { Generator } from "../kernels/random/generator.ts";
import { normal } from "../kernels/random/distributions.ts";
import {
  defineEnvironment,
  type Environment,
  type Observation,
  type Transition,
} from "./env.ts";
import { drawOutcome, drawStart, outcomesOf } from "./outcomes.ts";
import { roundReward } from "./reward.ts";
import type { Table } from "./table.ts";

/** An environment less what its table says. */
export interface Tabular<Task extends object> extends
  Omit<
    Environment<Task, number>,
    "observations" | "actions" | "reset" | "step" | "table" | "optimal"
  > {
  readonly table: (task: Task) => Table;
}

/**
 * A table to be filled in: actions do nothing, pay nothing, and each state and
 * action has one outcome of probability 1, the first of its branches.
 */
export function blankTable(
  states: number,
  actions: number,
  branches: number,
  starts: ReadonlyArray<number>,
): Table {
  const outcomes = states * actions * branches;
  const next = new Int32Array(outcomes);
  const probability = new Float64Array(outcomes);
  for (let s = 0, k = 0; s < states; s++) {
    next.fill(s, k, k + actions * branches);
    for (let a = 0; a < actions; a++, k += branches) probability[k] = 1;
  }
  return {
    states,
    actions,
    branches,
    next,
    probability,
    reward: new Float64Array(outcomes),
    terminal: new Uint8Array(outcomes),
    success: new Uint8Array(outcomes),
    starts: Int32Array.from(starts),
  };
}

/** What the agent sees in `state`: an index, or a vector where there are any. */
export function observe(table: Table, state: number): Observation {
  const seen = table.observation ? table.observation[state]! : state;
  if (table.vectors === undefined) return seen;
  const { width, values } = table.vectors;
  return Array.from(values.subarray(seen * width, (seen + 1) * width));
}

function stepTable(
  table: Table,
  solvable: boolean,
  state: number,
  action: number,
  random: Generator,
): Transition<number> {
  const row = state * table.actions + action;
  const k = drawOutcome(outcomesOf(table), row, random);
  const deviation = table.rewardDeviations?.[k] ?? table.rewardDeviation ?? 0;
  const mean = table.reward[k]!;
  const next = table.next[k]!;
  const transition = {
    state: next,
    observation: observe(table, next),
    reward: deviation > 0
      ? roundReward(mean + deviation * normal(random), table.rewardParts)
      : mean,
    terminated: table.terminal[k] === 1,
  };
  return solvable
    ? { ...transition, success: table.success[k] === 1 }
    : transition;
}

/**
 * An environment from its table. A step has the field `success` only where some
 * outcome of the table solves the task.
 *
 * @example A door that opens one time in two
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { generator } from "../kernels/random/generator.ts";
 *
 * const door = defineTabular({
 *   name: "door",
 *   version: 1,
 *   summary: "Opens one time in two",
 *   params: {},
 *   sampleTask: () => ({}),
 *   horizon: () => 10,
 *   table: () => {
 *     const table = blankTable(2, 1, 2, [0]);
 *     table.next.set([0, 1]);
 *     table.probability.set([0.5, 0.5]);
 *     table.reward[1] = table.terminal[1] = table.success[1] = 1;
 *     return table;
 *   },
 * });
 * const random = generator([1, 2, 3, 4]);
 * const task = door.sampleTask(random, {});
 * deepEqual(door.reset(task, random), { state: 0, observation: 0 });
 * deepEqual(door.observations(task), { kind: "discrete", n: 2 });
 * ```
 */
export function defineTabular<Task extends object>(
  tabular: Tabular<Task>,
): Environment {
  // A task is solved and stepped many times, and its table built once.
  const kept = new WeakMap<Task, { table: Table; solvable: boolean }>();
  const look = (task: Task) => {
    let entry = kept.get(task);
    if (entry === undefined) {
      const table = tabular.table(task);
      entry = { table, solvable: table.success.includes(1) };
      kept.set(task, entry);
    }
    return entry;
  };
  return defineEnvironment<Task, number>({
    ...tabular,
    table: (task) => look(task).table,
    actions: (task) => look(task).table.actions,
    observations: (task) => {
      const { states, observationCount = states, vectors } = look(task).table;
      return vectors === undefined
        ? { kind: "discrete", n: observationCount }
        : { kind: "box", shape: [vectors.width] };
    },
    reset: (task, random) => {
      const { table } = look(task);
      const state = drawStart(table, random);
      return { state, observation: observe(table, state) };
    },
    step: (task, state, action, random) => {
      const { table, solvable } = look(task);
      return stepTable(table, solvable, state, action, random);
    },
  });
}
