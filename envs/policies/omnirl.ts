/**
 * The behaviour that OmniRL's data is made by (Wang and others 2025, arXiv
 * 2502.02869): twelve ways to act on one task, of which one is at work in an
 * episode, while all learners learn from all that happens.
 *
 * @module
 */
import { exponential } from "../../kernels/random/distributions.ts";
import {
  type Generator,
  integer,
  uniform,
} from "../../kernels/random/generator.ts";
import { emptyModel, learnStep } from "../../kernels/solvers/model.ts";
import { num } from "../params.ts";
import { solutionsOf } from "../planning.ts";
import type { Table } from "../table.ts";
import { startBoltzmann } from "./boltzmann_q.ts";
import { driftingTable } from "./drifting_table.ts";
import { type Planner, plannerOn } from "./model_based.ts";
import type { Actor, Policy, Trial } from "./policy.ts";

/** What each tag means; 7 is for what is masked, unknown or between episodes. */
export const TAGS = [
  "opt0",
  "opt1",
  "opt2",
  "opt3",
  "exp1",
  "exp2",
  "rnd",
  "unk",
] as const;
const [MODEL, BOLTZMANN, RANDOM] = [4, 5, 6];
/** The tag `unk`. */
export const UNKNOWN = 7;
/** Discounts of the references opt0 to opt3. */
export const DISCOUNTS = [0, 0.5, 0.93, 0.994] as const;

/** The twelve behaviours, in the order of `weights`, with their published odds. */
export const BEHAVIOURS = [
  ["random table that drifts", ".1"],
  ["model-based learner, noise", ".1"],
  ["Q learner, noise", ".1"],
  ["model-based learner, then opt0", ".1"],
  ["model-based learner, then opt1", ".1"],
  ["model-based learner, then opt2", ".1"],
  ["model-based learner, then opt3", ".1"],
  ["opt2, noise that falls", ".1"],
  ["opt3, noise that falls", ".1"],
  ["opt1", ".02"],
  ["opt2", ".03"],
  ["opt3", ".05"],
] as const;

const WEIGHTS = BEHAVIOURS.map(([, odds]) => odds).join(",");

/** Something that acts, and the tag of what it does. */
interface Source {
  readonly tag: number;
  readonly choose: (seen: number, state: number, t: number) => number;
}

/** A way to act: noise first, then sometimes an oracle, else its own source. */
interface Behaviour {
  readonly own: Source;
  readonly noise: (t: number) => number;
  readonly oracle?: { readonly source: Source; readonly share: Schedule };
  /** Whose plan it acts on, if any. */
  readonly planner?: Planner;
}

/** A share that goes up or down by the same in each step of the trial. */
type Schedule = (t: number) => number;

function falling(from: number, rate: number, floor: number): Schedule {
  return (t) => Math.max(floor, from - rate * t);
}

const NEVER: Schedule = () => 0;

/** What learners and sources of noise draw their schedules from. */
interface Making {
  readonly random: Generator;
  readonly states: number;
  readonly actions: number;
  readonly steps: number;
  readonly between: (a: number, b: number) => number;
}

/** Whether a noisy learner is of the first kind, which has no noise at all. */
function noisyLearner({ random, states, actions, between }: Making) {
  const plain = uniform(random) < 0.5;
  const gamma = plain ? between(0.9, 0.99) : 0.99;
  const from = plain ? 0 : between(0.1, 0.5);
  const rate = between(0, 0.1 / (states * actions));
  const scale = plain ? 1 : exponential(random);
  return { plain, gamma, scale, noise: falling(from, rate, 0) };
}

function oraclesOf(table: Table): ReadonlyArray<Source> {
  return solutionsOf(table, DISCOUNTS).map(({ policy }, tag) => ({
    tag,
    choose: (_, state) => policy[state]!,
  }));
}

/** A model-based learner that an oracle takes over from, more and more often. */
function mixedWith(
  source: Source,
  planner: Planner,
  making: Making,
): Behaviour {
  const { states, actions, between } = making;
  const unit = 0.1 / (states * actions);
  const noise = falling(between(0, 1), between(0, unit), between(-0.5, 0.5));
  const [from, rate, cap] = [
    between(-2, -0.5),
    between(0, unit),
    between(0, 0.2),
  ];
  return {
    own: { tag: MODEL, choose: planner.choose },
    noise,
    oracle: { source, share: (t) => Math.min(cap, from + rate * t) },
    planner,
  };
}

/** The twelve, in the order of their weights, and the learners among them. */
function makeBehaviours(making: Making, table: Table) {
  const { random, states, actions, steps, between } = making;
  const model = emptyModel(states, actions);
  const modelNoise = noisyLearner(making);
  const options = {
    gamma: modelNoise.gamma,
    coefficient: 0.005 * modelNoise.scale,
  };
  const noisyPlanner = plannerOn(model, options, random);
  // Four learners have the same model and options, so one plan does for them.
  const planner = plannerOn(model, { gamma: 0.99, coefficient: 0.005 }, random);
  const qNoise = noisyLearner(making);
  const q = startBoltzmann(states, actions, {
    alpha: 0.01 * qNoise.scale,
    gamma: qNoise.gamma,
    patience: qNoise.plain ? steps : between(100, steps),
  }, random);
  const table0 = driftingTable(random, states, actions);
  const oracles = oraclesOf(table);
  const curriculum = () => falling(1, between(0, 1 / (states * actions)), 0);
  const behaviours: ReadonlyArray<Behaviour> = [
    {
      own: { tag: RANDOM, choose: (seen, _, t) => table0(seen, t) },
      noise: NEVER,
    },
    {
      own: { tag: MODEL, choose: noisyPlanner.choose },
      noise: modelNoise.noise,
      planner: noisyPlanner,
    },
    {
      own: { tag: BOLTZMANN, choose: (seen) => q.act(seen, seen, 0) },
      noise: qNoise.noise,
    },
    ...oracles.map((source) => mixedWith(source, planner, making)),
    ...oracles.slice(2).map((own) => ({ own, noise: curriculum() })),
    ...oracles.slice(1).map((own) => ({ own, noise: NEVER })),
  ];
  return { behaviours, model, q, planners: [noisyPlanner, planner] };
}

function weightsOf(text: unknown): ReadonlyArray<number> {
  return String(text).split(",").map(Number);
}

function drawBehaviour(random: Generator, weights: ReadonlyArray<number>) {
  let left = uniform(random) * weights.reduce((a, b) => a + b, 0);
  let last = 0;
  for (const [i, weight] of weights.entries()) {
    if (weight === 0) continue;
    last = i;
    left -= weight;
    if (left < 0) break;
  }
  return last;
}

function start(trial: Trial): Actor {
  const { table, observations: states, actions, params, random, env } = trial;
  if (table === undefined) {
    throw new RangeError(`Cannot solve ${env.name}: it is not a finite MDP`);
  }
  const between = (a: number, b: number) => a + (b - a) * uniform(random);
  const making = {
    random,
    states,
    actions,
    steps: num(params, "steps"),
    between,
  };
  const made = makeBehaviours(making, table);
  const { behaviours, model, q, planners } = made;
  const weights = weightsOf(params.weights);
  const switches = uniform(random) < num(params, "switching")
    ? num(params, "switch")
    : 0;
  let at = behaviours[drawBehaviour(random, weights)]!;
  let [t, tag] = [0, RANDOM];
  const begin = () => {
    if (t === 0) return;
    if (uniform(random) < switches) {
      at = behaviours[drawBehaviour(random, weights)]!;
    }
    if (params.planning === "all") { for (const one of planners) one.plan(); }
    else at.planner?.plan();
  };
  const act: Actor["act"] = (observation, state) => {
    if (uniform(random) < at.noise(t)) {
      tag = RANDOM;
      return integer(random, actions);
    }
    const { oracle } = at;
    const taken = oracle !== undefined && uniform(random) < oracle.share(t)
      ? oracle.source
      : at.own;
    tag = taken.tag;
    // The state of a finite environment is a row of its table.
    return taken.choose(observation as number, state as number, t);
  };
  return {
    begin,
    act,
    learn: (observation, action, reward, next, terminated) => {
      t++;
      const [s, j] = [observation as number, next as number];
      learnStep(model, s, action, reward, j, terminated);
      q.learn(observation, action, reward, next, terminated);
    },
    source: () => tag,
  };
}

function refuses({ table, env, observations, params }: Omit<Trial, "random">) {
  const weights = weightsOf(params.weights);
  if (
    weights.length !== 12 || weights.some((w) => !(w >= 0)) ||
    !weights.some((w) => w > 0)
  ) return "its weights are not twelve numbers of 0 or more";
  if (table === undefined) return `${env.name} is not a finite MDP`;
  return observations > 0 ? undefined : "its observations are not discrete";
}

const share = (value: number, summary: string) => ({
  default: value,
  min: 0,
  max: 1,
  summary,
});

/**
 * OmniRL's mixture: a random table, a noisy model-based and a noisy Q learner,
 * model-based learners that oracles 0 to 3 take over from, oracles 2 and 3 with
 * noise that falls, and oracles 1, 2 and 3 alone. Noise is any action, the last
 * one too, which the published program never takes. With `planning` at `active`
 * only the learner that is about to act plans: a deviation, for speed.
 */
export const omnirl: Policy = {
  name: "omnirl",
  summary: "OmniRL's mixture of learners, oracles and noise",
  params: {
    weights: {
      default: WEIGHTS,
      summary: "Odds of the twelve behaviours, with commas",
    },
    switching: share(0.85, "Share of trials that change behaviour at all"),
    switch: share(0.2, "Probability of a change after an episode"),
    steps: {
      default: 12_000,
      integer: true,
      min: 100,
      max: 1e9,
      summary: "Steps that learners settle over",
    },
    planning: {
      default: "all",
      choices: ["all", "active"],
      summary: "Which learners plan between episodes",
    },
  },
  refuses,
  start,
};
