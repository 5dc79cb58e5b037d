import { type Generator, generator } from "../kernels/random/generator.ts";
import { normal } from "../kernels/random/distributions.ts";
import { foldIn, rootKey } from "../kernels/random/key.ts";
import {
  type Arms,
  armsTable,
  banditLabel,
  banditParams,
  DEVIATION,
  drawArms,
} from "./bandit.ts";
import { num, type Params } from "./params.ts";
import { defineTabular } from "./tabular.ts";

/** Arms in a space: `means[arm]` is the product of `features[arm]` and `theta`. */
export interface LinearArms extends Arms {
  readonly features: ReadonlyArray<ReadonlyArray<number>>;
  readonly theta: ReadonlyArray<number>;
}

/** A vector of `dim` normals of variance 1 / `dim`. */
function direction(random: Generator, dim: number): Array<number> {
  return Array.from({ length: dim }, () => normal(random) / Math.sqrt(dim));
}

function sampleTask(random: Generator, params: Params): LinearArms {
  const dim = num(params, "dim");
  const seed = num(params, "feature-seed");
  const fixed = generator(foldIn(rootKey(seed), "bandit-linear", "features"));
  const features = Array.from(
    { length: num(params, "arms") },
    () => direction(fixed, dim),
  );
  const theta = direction(random, dim);
  const means = features.map((feature) =>
    feature.reduce((sum, x, i) => sum + x * theta[i]!, 0)
  );
  const [horizon, sd] = [num(params, "horizon"), num(params, "sd")];
  return { means, horizon, sd, features, theta };
}

/**
 * Means linear in features that all tasks share (Lee and others 2023, arXiv
 * 2306.14892): features and the task's own `theta` are normal with variance
 * 1 / `dim`. The features are those of our own stream for `feature-seed`, not
 * those of NumPy.
 */
export const banditLinear = defineTabular<LinearArms>({
  name: "bandit-linear",
  version: 1,
  summary: "Arms whose means are linear in features fixed for all tasks",
  params: {
    ...banditParams(10, 200),
    sd: DEVIATION,
    dim: {
      default: 2,
      integer: true,
      min: 1,
      max: 100,
      summary: "Features of an arm",
    },
    "feature-seed": {
      default: 1234,
      integer: true,
      min: 0,
      summary: "Seed of the features",
    },
  },
  label: (params) => `${banditLabel(params)}-d${params.dim}`,
  sampleTask,
  horizon: (task) => task.horizon,
  table: armsTable,
  render: (task) => drawArms(task.means),
});
