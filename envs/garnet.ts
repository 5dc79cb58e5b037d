import { normal } from "../kernels/random/distributions.ts";
import {
  type Generator,
  integer,
  uniform,
} from "../kernels/random/generator.ts";
import { horizonParam, num, type Params } from "./params.ts";
import { roundReward } from "./reward.ts";
import { blankTable, defineTabular } from "./tabular.ts";
import type { Table } from "./table.ts";

/** Flat arrays in the order of {@linkcode Table}. */
interface Garnet {
  readonly states: number;
  readonly actions: number;
  readonly branches: number;
  readonly horizon: number;
  readonly next: ReadonlyArray<number>;
  readonly probability: ReadonlyArray<number>;
  readonly reward: ReadonlyArray<number>;
}

/** `b` of `n` states, each set of them equally likely (Floyd's algorithm). */
function drawSuccessors(random: Generator, n: number, b: number): Set<number> {
  const chosen = new Set<number>();
  for (let j = n - b; j < n; j++) {
    const s = integer(random, j + 1);
    chosen.add(chosen.has(s) ? j : s);
  }
  return chosen;
}

/** The pieces of [0, 1] cut at `b` - 1 uniform places. */
function cutUnit(random: Generator, b: number): ReadonlyArray<number> {
  const cuts = Array.from({ length: b - 1 }, () => uniform(random));
  cuts.sort((x, y) => x - y);
  return [...cuts, 1].map((cut, i) => cut - (cuts[i - 1] ?? 0));
}

function sampleTask(random: Generator, params: Params): Garnet {
  const states = num(params, "states");
  const actions = num(params, "actions");
  const branches = Math.min(num(params, "branches"), states);
  const next: Array<number> = [];
  const probability: Array<number> = [];
  const reward: Array<number> = [];
  for (let row = 0; row < states * actions; row++) {
    next.push(...drawSuccessors(random, states, branches));
    probability.push(...cutUnit(random, branches));
    for (let b = 0; b < branches; b++) {
      reward.push(roundReward(num(params, "sigma") * normal(random)));
    }
  }
  const horizon = num(params, "horizon");
  return { states, actions, branches, horizon, next, probability, reward };
}

function table(task: Garnet): Table {
  const { states, actions, branches } = task;
  const blank = blankTable(states, actions, branches, [0]);
  blank.next.set(task.next);
  blank.probability.set(task.probability);
  blank.reward.set(task.reward);
  return blank;
}

/**
 * Garnet MDPs (Archibald and others 1995; as in OmniRL, arXiv 2502.02869): each
 * state and action leads to a few states, drawn alike, and each of these pays a
 * mean of its own, N(0, sigma²), without noise. Episodes start in state 0, and
 * only time ends them.
 */
export const garnet = defineTabular<Garnet>({
  name: "garnet",
  version: 1,
  summary: "A random finite MDP with few successors",
  params: {
    states: {
      default: 16,
      integer: true,
      min: 1,
      max: 1024,
      summary: "Number of states",
    },
    actions: {
      default: 5,
      integer: true,
      min: 1,
      max: 64,
      summary: "Number of actions",
    },
    branches: {
      default: 2,
      integer: true,
      min: 1,
      max: 64,
      summary: "Successors of each state and action",
    },
    sigma: {
      default: 0.1,
      min: 0,
      max: 1000,
      summary: "Standard deviation of rewards over the task",
    },
    horizon: horizonParam(100),
  },
  label: (params) => `${params.states}x${params.actions}x${params.branches}`,
  sampleTask,
  horizon: (task) => task.horizon,
  table,
});
