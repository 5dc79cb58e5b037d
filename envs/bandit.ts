/**
 * Bandits whose arms stay as they are: one state, one observation, and an
 * episode of `horizon` pulls. Nothing solves a bandit, so its steps have no
 * field `success`.
 *
 * @module
 */
import {
  type Generator,
  integer,
  uniform,
} from "../kernels/random/generator.ts";
import { num, type Params, type ParamSpecs } from "./params.ts";
import { blankTable, defineTabular } from "./tabular.ts";
import type { Table } from "./table.ts";

/** Arms that pay 1 with probability `means[arm]`, else 0. */
interface Coins {
  readonly means: ReadonlyArray<number>;
  readonly horizon: number;
}

/** Arms that pay `means[arm]` and normal noise of standard deviation `sd`. */
export interface Arms extends Coins {
  readonly sd: number;
}

/** Parameters that every bandit has. */
export function banditParams(arms: number, horizon: number): ParamSpecs {
  return {
    arms: {
      default: arms,
      integer: true,
      min: 2,
      max: 1000,
      summary: "Number of arms",
    },
    horizon: {
      default: horizon,
      integer: true,
      min: 1,
      max: 100_000,
      summary: "Pulls of an episode",
    },
  };
}

/** The standard deviation of a reward, as a parameter. */
export const DEVIATION = {
  default: 0.3,
  min: 0,
  max: 1000,
  summary: "Standard deviation of a reward about its mean",
};

/** What ids of bandits say. */
export function banditLabel(params: Params): string {
  return `${params.arms}arms`;
}

/** The means for a person. */
export function drawArms(means: ReadonlyArray<number>): string {
  return means.map((mean, arm) => `${arm}: ${mean.toFixed(3)}`).join("\n");
}

/** Noise of 0 is no noise, and rewards are then the means as they are. */
export function armsTable({ means, sd }: Arms): Table {
  const table = blankTable(1, means.length, 1, [0]);
  table.reward.set(means);
  return { ...table, rewardDeviation: sd };
}

function coinsTable({ means }: Coins): Table {
  const table = blankTable(1, means.length, 2, [0]);
  means.forEach((mean, arm) => {
    table.probability[2 * arm] = 1 - mean;
    table.probability[2 * arm + 1] = mean;
    table.reward[2 * arm + 1] = 1;
  });
  return table;
}

/** Means drawn from U(0, 1). */
export function uniformMeans(random: Generator, arms: number): Array<number> {
  return Array.from({ length: arms }, () => uniform(random));
}

/** Means U(0, 1) and normal noise (Lee and others 2023, arXiv 2306.14892). */
export const banditGaussian = defineTabular<Arms>({
  name: "bandit-gaussian",
  version: 1,
  summary: "Arms that pay their mean and normal noise",
  params: { ...banditParams(5, 500), sd: DEVIATION },
  label: banditLabel,
  sampleTask: (random, params) => ({
    means: uniformMeans(random, num(params, "arms")),
    horizon: num(params, "horizon"),
    sd: num(params, "sd"),
  }),
  horizon: (task) => task.horizon,
  table: armsTable,
  render: (task) => drawArms(task.means),
});

/** Success probabilities U(0, 1) (Duan and others 2016, arXiv 1611.02779). */
export const banditBernoulli = defineTabular<Coins>({
  name: "bandit-bernoulli",
  version: 1,
  summary: "Arms that pay 1 with a probability of their own",
  params: banditParams(5, 100),
  label: banditLabel,
  sampleTask: (random, params) => ({
    means: uniformMeans(random, num(params, "arms")),
    horizon: num(params, "horizon"),
  }),
  horizon: (task) => task.horizon,
  table: coinsTable,
  render: (task) => drawArms(task.means),
});

/** Of each pair of neighbours the favoured arm pays with 1 - u, the other u. */
function sampleAdversarial(random: Generator, params: Params): Coins {
  const parity = params.favoured === "both"
    ? integer(random, 2)
    : Number(params.favoured === "odd");
  let u = 0;
  const means = Array.from({ length: num(params, "arms") }, (_, arm) => {
    if (arm % 2 === 0) u = 0.05 * uniform(random);
    return arm % 2 === parity ? 1 - u : u;
  });
  return { means, horizon: num(params, "horizon") };
}

/**
 * Nearly all reward on arms of one parity, counted from 0 (Laskin and others
 * 2023): learners trained on the odd arms are tested on the even ones. The u of
 * each pair of arms is U(0, 0.05).
 */
export const banditAdversarial = defineTabular<Coins>({
  name: "bandit-adversarial",
  version: 1,
  summary: "Arms of one parity pay nearly always, the others hardly ever",
  params: {
    ...banditParams(10, 100),
    favoured: {
      default: "odd",
      choices: ["odd", "even", "both"],
      summary: "Parity of the arms that pay; both draws it for each task",
    },
  },
  label: (params) => `${banditLabel(params)}-${params.favoured}`,
  sampleTask: sampleAdversarial,
  horizon: (task) => task.horizon,
  table: coinsTable,
  render: (task) => drawArms(task.means),
});
