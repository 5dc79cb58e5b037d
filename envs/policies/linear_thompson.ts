import { normal } from "../../kernels/random/distributions.ts";
import { num } from "../params.ts";
import { type Actor, integersOnly, type Policy, type Trial } from "./policy.ts";

/** What is known of `theta`: its precision (by rows) and precision times mean. */
interface Belief {
  readonly dim: number;
  readonly precision: Float64Array;
  readonly weighted: Float64Array;
}

/** The features of the arms, which are no secret: all tasks share them. */
function featuresOf(task: unknown): ReadonlyArray<ReadonlyArray<number>> {
  const { features } = task as { features?: Array<Array<number>> };
  return features ?? [];
}

/** Lower triangle `l` with `l` times its transpose the matrix (Cholesky). */
function factor({ dim, precision }: Belief): Float64Array {
  const l = new Float64Array(dim * dim);
  for (let i = 0; i < dim; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = precision[i * dim + j]!;
      for (let k = 0; k < j; k++) rest -= l[i * dim + k]! * l[j * dim + k]!;
      l[i * dim + j] = i === j ? Math.sqrt(rest) : rest / l[j * dim + j]!;
    }
  }
  return l;
}

/**
 * A draw of `theta`: solves l' theta = z + y where l y is the weighted mean, so
 * that its mean and its precision are those believed.
 */
function drawTheta(belief: Belief, noise: () => number): Float64Array {
  const { dim, weighted } = belief;
  const l = factor(belief);
  const theta = new Float64Array(dim);
  for (let i = 0; i < dim; i++) {
    let rest = weighted[i]!;
    for (let k = 0; k < i; k++) rest -= l[i * dim + k]! * theta[k]!;
    theta[i] = rest / l[i * dim + i]!;
  }
  for (let i = dim - 1; i >= 0; i--) {
    let rest = theta[i]! + noise();
    for (let k = i + 1; k < dim; k++) rest -= l[k * dim + i]! * theta[k]!;
    theta[i] = rest / l[i * dim + i]!;
  }
  return theta;
}

function start({ task, params, random }: Trial): Actor {
  const features = featuresOf(task);
  const dim = features[0]!.length;
  const each = 1 / num(params, "noise") ** 2;
  const precision = new Float64Array(dim * dim);
  const weighted = new Float64Array(dim);
  for (let i = 0; i < dim; i++) {
    precision[i * dim + i] = 1 / num(params, "prior-variance");
  }
  const noise = () => normal(random);
  return {
    act: () => {
      const theta = drawTheta({ dim, precision, weighted }, noise);
      let [chosen, best] = [0, -Infinity];
      features.forEach((feature, arm) => {
        const mean = feature.reduce((sum, x, i) => sum + x * theta[i]!, 0);
        if (mean > best) [chosen, best] = [arm, mean];
      });
      return chosen;
    },
    learn: (_, arm, reward) => {
      const feature = features[arm]!;
      for (let i = 0; i < dim; i++) {
        weighted[i] = weighted[i]! + each * feature[i]! * reward;
        for (let j = 0; j < dim; j++) {
          const at = i * dim + j;
          precision[at] = precision[at]! + each * feature[i]! * feature[j]!;
        }
      }
    },
  };
}

/**
 * Thompson sampling that knows the features of a linear bandit (Agrawal and
 * Goyal 2013): draws `theta` from its normal posterior, and pulls the arm that
 * is best for it. What was learned is kept across episodes.
 */
export const linearThompson: Policy = {
  name: "linear-thompson",
  summary: "Thompson sampling on a linear bandit, by its features",
  params: {
    "prior-variance": {
      default: 0.5,
      min: 1e-9,
      summary: "Variance of each entry of theta before anything is known",
    },
    noise: {
      default: 0.3,
      min: 1e-6,
      summary: "Standard deviation of a reward",
    },
  },
  refuses: integersOnly(({ task, observations }) =>
    observations === 1 && featuresOf(task).length > 0
      ? undefined
      : "the environment is not a linear bandit"
  ),
  start,
};
