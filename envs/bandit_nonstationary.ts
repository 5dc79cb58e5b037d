/**
 * Bandits whose arms change while they are played. The path of the means is part
 * of the task: it depends on no action, and every episode of a trial meets the
 * same one. Arms pay 0 or 1; the state is the number of pulls so far. Nothing
 * solves a bandit, so its steps have no field `success`.
 *
 * @module
 */
import {
  type Generator,
  integer,
  uniform,
} from "../kernels/random/generator.ts";
import { normal } from "../kernels/random/distributions.ts";
import { banditLabel, banditParams, drawArms, uniformMeans } from "./bandit.ts";
import { defineEnvironment, type Environment } from "./env.ts";
import { num, type Params, type ParamSpecs } from "./params.ts";

/** The means of pull `t` are `means[phase[t]]`. */
interface ChangingArms {
  readonly means: ReadonlyArray<ReadonlyArray<number>>;
  readonly phase: ReadonlyArray<number>;
}

function meansAt(task: ChangingArms, t: number): ReadonlyArray<number> {
  return task.means[task.phase[t]!]!;
}

/** A bandit from how it draws its path. */
function changing(
  name: string,
  summary: string,
  params: ParamSpecs,
  sampleTask: (random: Generator, params: Params) => ChangingArms,
): Environment {
  return defineEnvironment<ChangingArms, number>({
    name,
    version: 1,
    summary,
    params,
    label: banditLabel,
    sampleTask,
    observations: () => ({ kind: "discrete", n: 1 }),
    actions: (task) => task.means[0]!.length,
    horizon: (task) => task.phase.length,
    reset: () => ({ state: 0, observation: 0 }),
    step: (task, t, arm, random) => ({
      state: t + 1,
      observation: 0,
      reward: uniform(random) < meansAt(task, t)[arm]! ? 1 : 0,
      terminated: false,
    }),
    optimal: (task) => (t) => {
      const means = meansAt(task, t);
      return means.indexOf(Math.max(...means));
    },
    render: (task) =>
      task.means.map((means, phase) =>
        `from pull ${task.phase.indexOf(phase)}\n${drawArms(means)}`
      ).join("\n"),
  });
}

/** A copy with two of the means exchanged. */
function swapped(
  means: ReadonlyArray<number>,
  a: number,
  b: number,
): Array<number> {
  return means.map((mean, i) =>
    i === a ? means[b]! : i === b ? means[a]! : mean
  );
}

function sampleAbrupt(random: Generator, params: Params): ChangingArms {
  const [arms, horizon] = [num(params, "arms"), num(params, "horizon")];
  const before = Array.from({ length: arms }, () => 0.5 * uniform(random));
  const best = integer(random, arms);
  before[best] = 0.9;
  const to = (best + 1 + integer(random, arms - 1)) % arms;
  const third = Math.floor(horizon / 3);
  const change = third + integer(random, Math.max(1, third));
  return {
    means: [before, swapped(before, best, to)],
    phase: Array.from({ length: horizon }, (_, t) => t < change ? 0 : 1),
  };
}

/** The best arm, of mean 0.9, changes places with one of the others, U(0, 0.5). */
export const banditAbrupt = changing(
  "bandit-abrupt",
  "The best arm moves once, in the middle third of the episode",
  banditParams(10, 200),
  sampleAbrupt,
);

/** At each pull but the first, with probability `hazard`, all means are redrawn. */
export const banditPiecewise = changing(
  "bandit-piecewise",
  "All means are drawn anew now and then",
  {
    ...banditParams(10, 200),
    hazard: {
      default: 0.01,
      min: 0,
      max: 1,
      summary: "Probability of a change before a pull",
    },
  },
  (random, params) => {
    const arms = num(params, "arms");
    const hazard = num(params, "hazard");
    const means = [uniformMeans(random, arms)];
    const phase = Array.from({ length: num(params, "horizon") }, (_, t) => {
      const changes = t > 0 && uniform(random) < hazard;
      if (changes) means.push(uniformMeans(random, arms));
      return means.length - 1;
    });
    return { means, phase };
  },
);

function stepped(random: Generator, mean: number, sd: number): number {
  return Math.min(1, Math.max(0, mean + sd * normal(random)));
}

/** Restless arms: each mean is a normal random walk that sticks at 0 and 1. */
export const banditDrift = changing(
  "bandit-drift",
  "All means wander from pull to pull",
  {
    ...banditParams(10, 200),
    drift: {
      default: 0.05,
      min: 0,
      max: 10,
      summary: "Standard deviation of what a mean moves in a pull",
    },
  },
  (random, params) => {
    const sd = num(params, "drift");
    let now = uniformMeans(random, num(params, "arms"));
    const means = Array.from({ length: num(params, "horizon") }, (_, t) => {
      if (t > 0) now = now.map((mean) => stepped(random, mean, sd));
      return now;
    });
    return { means, phase: means.map((_, t) => t) };
  },
);
