import type { Generator } from "../kernels/random/generator.ts";
import { exponential, normal } from "../kernels/random/distributions.ts";
import { horizonParam, num, type Params } from "./params.ts";
import { blankTable, defineTabular } from "./tabular.ts";
import { roundReward } from "./reward.ts";
import type { Table } from "./table.ts";

/** Flat arrays in the order of {@linkcode Table}. */
interface RandomMdp {
  readonly states: number;
  readonly actions: number;
  readonly horizon: number;
  readonly sd: number;
  /** Of length `states * actions * states`. */
  readonly transitions: ReadonlyArray<number>;
  /** Mean reward, of length `states * actions`. */
  readonly means: ReadonlyArray<number>;
}

/** Appends a point of the simplex: Dirichlet(1) is exponentials over their sum. */
function appendPoint(random: Generator, n: number, to: Array<number>): void {
  const first = to.length;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const x = exponential(random);
    sum += x;
    to.push(x);
  }
  for (let i = first; i < first + n; i++) to[i] = to[i]! / sum;
}

function sampleTask(random: Generator, params: Params): RandomMdp {
  const states = num(params, "states");
  const actions = num(params, "actions");
  const transitions: Array<number> = [];
  const means: Array<number> = [];
  for (let i = 0; i < states * actions; i++) {
    appendPoint(random, states, transitions);
    means.push(roundReward(1 + normal(random)));
  }
  const [horizon, sd] = [num(params, "horizon"), num(params, "reward-sd")];
  return { states, actions, horizon, sd, transitions, means };
}

function table(mdp: RandomMdp): Table {
  const { states, actions, transitions, means, sd } = mdp;
  const blank = blankTable(states, actions, states, [0]);
  blank.probability.set(transitions);
  for (let k = 0; k < blank.next.length; k++) {
    blank.next[k] = k % states;
    blank.reward[k] = means[Math.floor(k / states)]!;
  }
  return { ...blank, rewardDeviation: sd };
}

/**
 * Random finite MDPs (Duan and others 2016, arXiv 1611.02779; also of OmniRL):
 * transitions Dirichlet(1), mean rewards N(1, 1), each reward with normal noise.
 * Episodes start in state 0, which is like any other, and only time ends them;
 * nothing solves them, so their steps have no field `success`.
 */
export const tabularMdp = defineTabular<RandomMdp>({
  name: "tabular-mdp",
  version: 1,
  summary: "A random finite MDP",
  params: {
    states: {
      default: 10,
      integer: true,
      min: 1,
      max: 512,
      summary: "Number of states",
    },
    actions: {
      default: 5,
      integer: true,
      min: 1,
      max: 64,
      summary: "Number of actions",
    },
    horizon: horizonParam(10),
    "reward-sd": {
      default: 1,
      min: 0,
      max: 1000,
      summary: "Standard deviation of a reward about its mean",
    },
  },
  label: (params) => `${params.states}x${params.actions}`,
  sampleTask,
  horizon: (mdp) => mdp.horizon,
  table,
  render: ({ states, actions, means }) =>
    Array.from({ length: states }, (_, s) => {
      const row = means.slice(s * actions, (s + 1) * actions);
      return `${s}: ${row.map((mean) => mean.toFixed(2)).join(" ")}`;
    }).join("\n"),
});
