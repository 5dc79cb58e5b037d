import type { Generator } from "../../kernels/random/generator.ts";
import { beta, normal } from "../../kernels/random/distributions.ts";
import { num, type Params } from "../params.ts";
import { type Actor, integersOnly, type Policy, type Trial } from "./policy.ts";

/** A draw of an arm's mean after `n` pulls that paid `sum`. */
type Posterior = (random: Generator, n: number, sum: number) => number;

/** Normal prior and normal noise of known deviation: a normal posterior. */
function gaussian(params: Params): Posterior {
  const mean = num(params, "prior-mean");
  const before = 1 / num(params, "prior-variance");
  const each = 1 / num(params, "noise") ** 2;
  return (random, n, sum) => {
    const precision = before + n * each;
    const centre = (before * mean + each * sum) / precision;
    return centre + normal(random) / Math.sqrt(precision);
  };
}

/** Beta(1, 1) prior and rewards of 0 or 1: a beta posterior. */
const bernoulli: Posterior = (random, n, sum) =>
  beta(random, 1 + sum, 1 + n - sum);

function start({ actions, params, random }: Trial): Actor {
  const draw = params.form === "bernoulli" ? bernoulli : gaussian(params);
  const counts = new Float64Array(actions);
  const sums = new Float64Array(actions);
  return {
    act: () => {
      let [chosen, best] = [0, -Infinity];
      for (let arm = 0; arm < actions; arm++) {
        const mean = draw(random, counts[arm]!, sums[arm]!);
        if (mean > best) [chosen, best] = [arm, mean];
      }
      return chosen;
    },
    learn: (_, arm, reward) => {
      counts[arm] = counts[arm]! + 1;
      sums[arm] = sums[arm]! + reward;
    },
  };
}

/**
 * Thompson sampling (Thompson 1933): draws each arm's mean from what is known of
 * it, and pulls the highest. The default is the setting of Lee and others 2023
 * for means U(0, 1): a normal prior with their mean and variance, noise 0.3.
 * Their linear bandit takes `prior-mean` 0 and `prior-variance` 1. What was
 * learned is kept across episodes.
 */
export const thompson: Policy = {
  name: "thompson",
  summary: "Thompson sampling on a bandit, arm by arm",
  params: {
    form: {
      default: "gaussian",
      choices: ["gaussian", "bernoulli"],
      summary: "What rewards are like: normal, or 0 and 1",
    },
    "prior-mean": { default: 0.5, summary: "Mean of the prior (gaussian)" },
    "prior-variance": {
      default: 1 / 12,
      min: 1e-9,
      summary: "Variance of the prior (gaussian)",
    },
    noise: {
      default: 0.3,
      min: 1e-6,
      summary: "Standard deviation of a reward (gaussian)",
    },
  },
  refuses: integersOnly(({ observations }) =>
    observations === 1 ? undefined : "the environment is not a bandit"
  ),
  start,
};
