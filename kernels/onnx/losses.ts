/**
 * What models are trained on. Each loss reads the model's words and inputs of its
 * own, `[batch, context]`, and gives terms, scalars, of which `loss` is the one to
 * be made small.
 *
 * @module
 */
import type { Aggregation, ClipOptions } from "../policy_loss.ts";
import { type Graph, GraphError, type Tensor } from "./graph.ts";
import { crossEntropy } from "./layers.ts";
import * as op from "./operators.ts";
import { type Head, inputOf, type TransformerConfig } from "./transformer.ts";

/** A model over whole windows, as a loss finds it. */
export interface Said {
  readonly graph: Graph;
  readonly config: TransformerConfig;
  readonly batch: number;
  /** What each head says, `[batch * context, …]`. */
  readonly heads: Partial<Record<Head, Tensor>>;
  /** What the delayed weights would say, where there are any; no gradient. */
  readonly delayed?: Partial<Record<Head, Tensor>>;
}

/** Scalars; `loss` is what is made small. */
export type Terms =
  & { readonly loss: Tensor }
  & Readonly<Record<string, Tensor>>;
export type Loss = (said: Said) => Terms;

/**
 * Weights of positions, rising evenly from 1e-3 to 1 over `warmUp` of them, then
 * even, which sum to 1 over `positions` (OmniRL, arXiv 2502.02869, its code).
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const weights = positionWeights(2, 3);
 * deepEqual(weights.map((w) => Math.round(w * 2001)), Float64Array.of(1, 1000, 1000));
 * ```
 */
export function positionWeights(
  warmUp: number,
  positions: number,
): Float64Array {
  const weights = Float64Array.from({ length: positions }, (_, i) => {
    return i >= warmUp - 1 ? 1 : 1e-3 + (1 - 1e-3) * i / (warmUp - 1);
  });
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

/** What a head says; a loss that wants it names it. */
export function headOf({ heads }: Pick<Said, "heads">, head: Head): Tensor {
  const said = heads[head];
  if (said) return said;
  throw new GraphError(`The loss wants a head of ${head}, which there is not`);
}

/** An input of the loss, of one number a step, as `[rows]`. */
export function given(
  said: Said,
  name: string,
  dtype: Tensor["dtype"],
): Tensor {
  const { graph, batch, config } = said;
  return op.reshape(inputOf(graph, name, dtype, [batch, config.context]), [-1]);
}

/** Σ w x / Σ w, and 0 where all weights are 0. */
export function weightedMean(x: Tensor, weights: Tensor): Tensor {
  const total = op.max(op.reduceSum(weights), op.like(weights, 1e-30));
  return op.div(op.reduceSum(op.mul(x, weights)), total);
}

/** 1 where an id is one, 0 where it is -1. */
function known(ids: Tensor): Tensor {
  return op.cast(
    op.lessOrEqual(ids.graph.scalar(0, ids.dtype), ids),
    "float32",
  );
}

/** -Σ p log p of each row of logits. */
export function entropyOf(logits: Tensor): Tensor {
  const logs = op.logSoftmax(logits);
  return op.neg(op.reduceSum(op.mul(op.exp(logs), logs), [-1]));
}

function labelled(
  said: Said,
  head: Head,
  name: string,
  weights: Tensor,
): Tensor {
  const labels = given(said, name, "int32");
  const losses = crossEntropy(headOf(said, head), labels);
  return weightedMean(losses, op.mul(weights, known(labels)));
}

/** Half of no squared error: Σ w |y - x|² / Σ w, over vectors their mean. */
function squared(
  said: Said,
  head: Head,
  name: string,
  weights: Tensor,
): Tensor {
  const { graph, batch, config } = said;
  const y = headOf(said, head);
  const shape = [batch, config.context, ...y.shape.slice(1)];
  const target = op.reshape(inputOf(graph, name, "float32", shape), y.shape);
  const error = op.square(op.sub(y, target));
  const each = y.shape.length > 1 ? op.reduceMean(error, [1]) : error;
  return weightedMean(each, weights);
}

/** How much each term counts; one not given is not asked for. */
export interface ImitationWeights {
  readonly action?: number;
  readonly nextObservation?: number;
  readonly reward?: number;
  readonly value?: number;
  /** Of the entropy of actions, which is taken off. */
  readonly entropy?: number;
}

/** The sum of terms by their weights, as `loss` beside them. */
function weighted(
  terms: Readonly<Record<string, Tensor>>,
  weights: Readonly<Record<string, number>>,
): Terms {
  const parts = Object.entries(terms).flatMap(([name, term]) => {
    const weight = weights[name] ?? 0;
    return weight === 0 ? [] : [op.scale(term, weight)];
  });
  return { loss: op.sum(...parts), ...terms };
}

/**
 * Imitation: cross-entropy of labels at each position (Algorithm Distillation,
 * DPT, OmniRL), of the next observation, squared error of reward and of value.
 * OmniRL's weights are 0.2, 0.4 and 0.4.
 *
 * Inputs: `weight` (float32; 0 leaves a step out of all terms), `label` (int32,
 * -1 for none), `nextObservation` (int32, -1 for none; or float32 with an axis
 * more), `reward`, `target` (of value; float32).
 */
export function imitation(weights: ImitationWeights): Loss {
  return (said) => {
    const weight = given(said, "weight", "float32");
    const { entropy, ...rest } = weights;
    const isVector = typeof said.config.observations !== "number";
    const build: Record<string, () => Tensor> = {
      action: () => labelled(said, "action", "label", weight),
      nextObservation: () =>
        isVector
          ? squared(said, "nextObservation", "nextObservation", weight)
          : labelled(said, "nextObservation", "nextObservation", weight),
      reward: () => squared(said, "reward", "reward", weight),
      value: () => squared(said, "value", "target", weight),
    };
    const terms: Record<string, Tensor> = {};
    for (const name of Object.keys(rest)) terms[name] = build[name]!();
    if (entropy !== undefined) {
      const each = entropyOf(headOf(said, "action"));
      terms["entropy"] = weightedMean(each, weight);
    }
    return weighted(terms, { ...rest, entropy: -(entropy ?? 0) });
  };
}

export interface PolicyGradientOptions extends ClipOptions {
  readonly aggregation: Aggregation;
  /** Weight of the entropy, which is taken off; 0 if not given. */
  readonly entropy?: number;
  /** Weight of the estimate of the divergence, which is added; 0 if not given. */
  readonly kl?: number;
  /** Weight of the squared error of value; no value is learned if not given. */
  readonly value?: number;
}

/** Losses of steps as one number, as `aggregateLoss` of `policy_loss.ts`. */
export function aggregate(
  losses: Tensor,
  mask: Tensor,
  [batch, length]: readonly [number, number],
  aggregation: Aggregation,
): Tensor {
  const one = op.like(losses, 1);
  const rows = (x: Tensor) => op.reduceSum(op.reshape(x, [batch, length]), [1]);
  const own = rows(op.mul(losses, mask));
  const count = rows(mask);
  if (aggregation === "token-mean") {
    return op.div(op.reduceSum(own), op.max(op.reduceSum(count), one));
  }
  const isThere = op.cast(op.less(op.like(count, 0), count), "float32");
  const sequences = op.max(op.reduceSum(isThere), one);
  const each = aggregation === "seq-mean-token-mean"
    ? op.div(own, op.max(count, one))
    : own;
  const mean = op.div(op.reduceSum(each), sequences);
  return aggregation === "seq-mean-token-sum-norm"
    ? op.scale(mean, 1 / length)
    : mean;
}

/** The clipped loss of each step, as `tokenLoss` of `policy_loss.ts`. */
function clippedLosses(
  change: Tensor,
  advantage: Tensor,
  { low, high, dual }: ClipOptions,
): { readonly losses: Tensor; readonly ratio: Tensor } {
  const ratio = op.exp(change);
  const bad = op.neg(advantage);
  const loss = op.max(
    op.mul(bad, ratio),
    op.mul(bad, op.clip(ratio, 1 - low, 1 + high)),
  );
  const bounded = op.min(loss, op.scale(bad, dual));
  const isBad = op.less(advantage, op.like(advantage, 0));
  return { losses: op.where(isBad, bounded, loss), ratio };
}

/**
 * Clipped policy gradient on stored advantages and log-probabilities; sequences
 * are windows.
 *
 * Inputs: `action` (int32), `advantage`, `oldLogProbability` (float32), `mask`
 * (float32, 0 or 1), and, if a value is learned, `target` (float32). Terms beside
 * `loss`: `policy`, `entropy`, `value`, `clipped`, the share of steps whose ratio
 * is out of bounds, and `kl`, r - 1 - log r (Schulman 2020, "Approximating KL
 * divergence", k3), of the new policy from the one that acted, added up as the
 * loss is.
 */
export function policyGradient(options: PolicyGradientOptions): Loss {
  return (said) => {
    const { low, high, aggregation, entropy = 0, kl = 0, value } = options;
    const action = given(said, "action", "int32");
    const mask = given(said, "mask", "float32");
    const old = given(said, "oldLogProbability", "float32");
    const advantage = given(said, "advantage", "float32");
    const logits = headOf(said, "action");
    const fresh = op.neg(crossEntropy(logits, action));
    // What the mask leaves out may hold anything, but not grow past all numbers.
    const change = op.mul(op.sub(fresh, old), mask);
    const { losses, ratio } = clippedLosses(change, advantage, options);
    const size = [said.batch, said.config.context] as const;
    const one = op.like(ratio, 1);
    const outside = op.cast(
      op.less(op.clip(ratio, 1 - low, 1 + high), ratio),
      "float32",
    );
    const below = op.cast(
      op.less(ratio, op.clip(ratio, 1 - low, 1 + high)),
      "float32",
    );
    const excess = op.sub(op.sub(ratio, one), change);
    const terms = {
      policy: aggregate(losses, mask, size, aggregation),
      entropy: aggregate(entropyOf(logits), mask, size, aggregation),
      clipped: weightedMean(op.add(outside, below), mask),
      kl: aggregate(excess, mask, size, aggregation),
      ...(value === undefined
        ? {}
        : { value: squared(said, "value", "target", mask) }),
    };
    const shares = { policy: 1, entropy: -entropy, kl, value: value ?? 0 };
    return weighted(terms, shares);
  };
}
