import {
  type Generator,
  integer,
  uniform,
} from "../../kernels/random/generator.ts";
import { num, type ParamSpec } from "../params.ts";
import { type Actor, integersOnly, type Policy, type Trial } from "./policy.ts";

function share(value: number, summary: string): ParamSpec {
  return { default: value, min: 0, max: 1, summary };
}

/** The best of the `n` values from `first` on; ties are drawn. */
function greedy(
  values: Float64Array,
  first: number,
  n: number,
  random: Generator,
): number {
  let best = values[first]!;
  let chosen = 0;
  let ties = 1;
  for (let a = 1; a < n; a++) {
    const value = values[first + a]!;
    if (value < best) continue;
    if (value > best) {
      best = value;
      chosen = a;
      ties = 1;
    } else if (integer(random, ++ties) === 0) chosen = a;
  }
  return chosen;
}

function largest(values: Float64Array, first: number, n: number): number {
  let best = values[first]!;
  for (let i = first + 1; i < first + n; i++) {
    if (values[i]! > best) best = values[i]!;
  }
  return best;
}

function start(trial: Trial): Actor {
  const { actions, observations, episodes, params, random } = trial;
  const [alpha, gamma] = [num(params, "alpha"), num(params, "gamma")];
  const from = num(params, "epsilon-start");
  const to = num(params, "epsilon-end");
  const decay = Math.max(1, num(params, "epsilon-decay") * episodes);
  const values = new Float64Array(observations * actions)
    .fill(num(params, "optimism"));
  let [episode, epsilon] = [0, from];
  return {
    begin: () => {
      epsilon = from + (to - from) * Math.min(1, episode++ / decay);
    },
    act: (observation) =>
      uniform(random) < epsilon
        ? integer(random, actions)
        : greedy(values, (observation as number) * actions, actions, random),
    learn: (observation, action, reward, next, terminated) => {
      const i = (observation as number) * actions + action;
      // A truncated episode would have gone on, so its last step looks ahead.
      const ahead = terminated
        ? 0
        : largest(values, (next as number) * actions, actions);
      values[i] = values[i]! + alpha * (reward + gamma * ahead - values[i]!);
    },
  };
}

/**
 * Tabular Q-learning (Watkins 1989) that goes on learning over all episodes of
 * a trial: the trial is a learning history. Exploration falls in a straight
 * line over the first `epsilon-decay` of the episodes.
 */
export const qLearning: Policy = {
  name: "q-learning",
  summary: "Tabular Q-learning across the episodes of a trial",
  params: {
    alpha: share(0.3, "Step size"),
    gamma: share(0.95, "Discount"),
    "epsilon-start": share(1, "Exploration in the first episode"),
    "epsilon-end": share(0.05, "Exploration in the end"),
    "epsilon-decay": share(0.5, "Share of episodes over which it falls"),
    optimism: { default: 0, summary: "Value of what was never tried" },
  },
  refuses: integersOnly(({ observations }) =>
    observations > 0 ? undefined : "its observations are not discrete"
  ),
  start,
};
