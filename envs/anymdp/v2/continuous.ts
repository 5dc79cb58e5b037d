import { normal } from "../../../kernels/random/distributions.ts";
import { type Generator, integer } from "../../../kernels/random/generator.ts";
import { defineEnvironment, type Transition } from "../../env.ts";
import { roundReward } from "../../reward.ts";
import { outcomeOf } from "./rewards.ts";
import { sampleContinuous } from "./sample.ts";
import {
  type ContinuousState,
  type ContinuousTask,
  EDGE,
  through,
} from "./task.ts";

/** Standard deviation of the noise in each place, in each step. */
const NOISE = 0.001;
/** Rows hold what the agent saw, in few digits. */
const DIGITS = 1e6;

/** What is seen of a latent state. */
export function see(
  { eyes: [hidden, output] }: ContinuousTask,
  x: ReadonlyArray<number>,
): ReadonlyArray<number> {
  return through(output, through(hidden, x).map(Math.tanh)).map((y) =>
    // Adding 0 makes of -0, which JSON readers tell from 0, a plain 0.
    Math.round(Math.tanh(y) * DIGITS) / DIGITS + 0
  );
}

/** Where an action leads, but for the noise. */
export function pushed(
  { drift, push, speed, done }: ContinuousTask,
  x: ReadonlyArray<number>,
  action: ReadonlyArray<number>,
): Array<number> {
  return through(drift, x).map((own, i) => {
    let sum = 0;
    for (let j = 0; j < done; j++) sum += push[i * done + j]! * action[j]!;
    return x[i]! + (Math.tanh(own) + Math.tanh(sum)) * speed[i]!;
  });
}

function step(
  task: ContinuousTask,
  from: ContinuousState,
  action: ReadonlyArray<number>,
  random: Generator,
): Transition<ContinuousState> {
  const x = pushed(task, from.x, action);
  for (let i = 0; i < x.length; i++) x[i] = x[i]! + NOISE * normal(random);
  const state = { x, t: from.t + 1 };
  const { reward, terminated, reached } = outcomeOf(task, from, state);
  return {
    state,
    observation: see(task, x),
    reward: roundReward(reward),
    terminated,
    ...(task.aim.mode === "static" && { success: reached }),
  };
}

function width(what: string) {
  return {
    default: 256,
    integer: true,
    min: 1,
    max: 4096,
    summary: `Numbers of an ${what}`,
  };
}

/**
 * The continuous AnyMDP (the later version of Wang and others 2025, arXiv
 * 2502.02869). A latent state x of 4 to 15 numbers in [-2, 2] moves by
 *
 *     x' = x + (tanh(W_s x + b) + tanh(W_a a)) · w + noise,  w ~ U(0.01, 0.05)
 *
 * under actions a in [-1, 1]; a random network, of a hidden layer and tanh at its
 * end, shows it. There are 1 to 9 places to start from, each with normal spread
 * Exp(0.1). `static`: a goal to enter, which ends the episode and counts as solved;
 * `dynamic`: the nearer to a goal on a Fourier path, the more a step pays;
 * `universal`: a random field pays what it has above 0.5, times a factor. In 7 of
 * 10 tasks there are 1 to 149 pitfalls, balls that cost and end the episode; in 5
 * of 10 there are 1 to 4 bumps of a potential, whose rise a step pays; each step
 * pays Exp(0.01) times -2, -1, 0 or 1 besides. Leaving the box ends the episode,
 * and so does time, after 100 to 999 steps.
 *
 * What the source leaves open is ours. W_s is N(0, 1 / latent), less 1 on its
 * diagonal, so that most worlds hold together when left alone; W_a is N(0, 3 /
 * action), so that uniform actions add up to variance 1; noise is N(0, 0.001²);
 * the network's layers are N(0, 1 / inputs), tanh between them; all biases N(0,
 * 0.5²). Starts are uniform in the inner half of the box and cut to it; with u the
 * square root of the latent dimension, goals have radius U(0.2, 0.4) u and pay
 * U(1, 10), pitfalls U(0.1, 0.3) u and cost U(0.5, 5), centres uniform in nine
 * tenths of the box and 0.1 u clear of starts (and of the goal); bumps have height
 * N(0, 1) and width U(0.3, 1) u. A path is 1.5 tanh of three harmonics of U(100,
 * 1000) steps, N(0, (0.5 / k)²) each, the same in each episode, and pays U(0.2, 1)
 * times a bell of width U(0.2, 0.5) u. A field is the tanh of a layer of 16 units,
 * sin and tanh in turn, with factor U(0.5, 2). Nothing says that a goal can be
 * reached; with fewer numbers in an action than in the state it may not be.
 *
 * Rows of 256 numbers a step are large, some 5 kB with the action: `observation`
 * and `action` of 16 keep most of what there is to learn.
 *
 * @example A smaller world
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { drawTask } from "../../rollout.ts";
 * import { resolveParams } from "../../params.ts";
 *
 * const params = resolveParams(anymdpV2.params, { observation: 16, action: 8 });
 * const { task } = drawTask(anymdpV2, params, "1");
 * equal(anymdpV2.observations(task).kind, "box");
 * ```
 */
export const anymdpV2 = defineEnvironment<
  ContinuousTask,
  ContinuousState,
  ReadonlyArray<number>
>({
  name: "anymdp-v2",
  version: 1,
  summary: "A random continuous world, seen through a random network",
  params: {
    mode: {
      default: "auto",
      choices: ["auto", "static", "dynamic", "universal"],
      summary: "What is to be done; auto draws it",
    },
    observation: width("observation"),
    action: width("action"),
    latent: {
      default: 0,
      integer: true,
      min: 0,
      max: 64,
      summary: "Numbers of the latent state; 0 to draw them from 4 to 15",
    },
    horizon: {
      default: 0,
      integer: true,
      min: 0,
      max: 10_000,
      summary: "Steps of an episode; 0 to draw them from 100 to 999",
    },
  },
  label: (params) => `${params.observation}x${params.action}`,
  sampleTask: sampleContinuous,
  observations: ({ seen }) => ({ kind: "box", shape: [seen] }),
  actions: ({ done }) => ({ kind: "box", low: -1, high: 1, shape: [done] }),
  horizon: ({ horizon }) => horizon,
  reset: (task, random) => {
    const { centre, spread } = task
      .starts[integer(random, task.starts.length)]!;
    const x = centre.map((value) =>
      Math.max(-EDGE, Math.min(EDGE, value + spread * normal(random)))
    );
    return { state: { x, t: 0 }, observation: see(task, x) };
  },
  step,
});
