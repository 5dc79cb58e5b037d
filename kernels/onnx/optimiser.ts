/**
 * AdamW with clipping, and schedules of the learning rate.
 *
 * @module
 */
import { type Graph, sizeOf, type Tensor } from "./graph.ts";
import * as op from "./operators.ts";
import type { Parameter } from "./parameters.ts";

/** A learning rate by number of update, from 1. */
export type Schedule = (update: number) => number;

/** Rises from 0 to 1 over `warmUp` updates, and stays. */
function rise(update: number, warmUp: number): number {
  return warmUp > 0 ? Math.min(1, update / warmUp) : 1;
}

/** `rate` after a linear warm-up. */
export function constant(rate: number, warmUp = 0): Schedule {
  return (update) => rate * rise(update, warmUp);
}

/**
 * After a linear warm-up, from `rate` down to `floor` along half a cosine, which
 * ends at update `total` (Loshchilov and Hutter 2017, arXiv 1608.03983, equation
 * 5, without restarts).
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const schedule = cosine(1, { warmUp: 10, total: 110, floor: 0.5 });
 * deepEqual([5, 10, 60, 110, 200].map(schedule), [0.5, 1, 0.75, 0.5, 0.5]);
 * ```
 */
export function cosine(
  rate: number,
  options: { readonly total: number; warmUp?: number; floor?: number },
): Schedule {
  const { total, warmUp = 0, floor = 0 } = options;
  return (update) => {
    if (update < warmUp) return rate * rise(update, warmUp);
    const way = Math.min(1, (update - warmUp) / Math.max(1, total - warmUp));
    return floor + (rate - floor) * (1 + Math.cos(Math.PI * way)) / 2;
  };
}

/**
 * rate min(t / warmUp, sqrt(warmUp / t)) (Vaswani and others 2017, arXiv
 * 1706.03762, equation 3, scaled to a peak of `rate`; OmniRL's). Update 0 counts
 * as 1.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const schedule = noam(1, 2000);
 * deepEqual([1000, 2000, 8000].map(schedule), [0.5, 1, 0.5]);
 * ```
 */
export function noam(rate: number, warmUp: number): Schedule {
  return (update) => {
    const t = Math.max(1, update);
    return rate * Math.min(t / warmUp, Math.sqrt(warmUp / t));
  };
}

export interface AdamOptions {
  /** β1 and β2; 0.9 and 0.999 if not given. */
  readonly beta1?: number;
  readonly beta2?: number;
  /** Added to the root of the second moment; 1e-8 if not given. */
  readonly epsilon?: number;
  /** λ of the decay, of weights that decay; 0.01 if not given. */
  readonly weightDecay?: number;
  /** Longest gradient, as a Euclidean norm over all weights; none if not given. */
  readonly clip?: number;
  /** Batches whose mean gradient makes one update; 1 if not given. */
  readonly accumulate?: number;
}

/**
 * What {@linkcode adamW} wants at each run beside the batch: the rate, and the
 * corrections of the moments, 1 - β^t, which float32 would get wrong for small t.
 *
 * @param update From 1.
 * @param batch Of those accumulated for this update, from 1.
 */
export function adamInputs(
  schedule: Schedule,
  update: number,
  options: AdamOptions,
  batch: number = options.accumulate ?? 1,
): Readonly<Record<string, Float32Array | Uint8Array>> {
  const { beta1 = 0.9, beta2 = 0.999, accumulate = 1 } = options;
  return {
    learningRate: Float32Array.of(schedule(update)),
    correction1: Float32Array.of(1 - beta1 ** update),
    correction2: Float32Array.of(1 - beta2 ** update),
    ...(accumulate > 1
      ? { apply: Uint8Array.of(Number(batch === accumulate)) }
      : {}),
  };
}

/** Moments before the first update: zeros, by name. */
export function adamState(
  size: number,
  { accumulate = 1 }: AdamOptions = {},
): Readonly<Record<string, Float32Array>> {
  const names = ["moment1", "moment2", ...(accumulate > 1 ? ["gradient"] : [])];
  return Object.fromEntries(
    names.map((name) => [name, new Float32Array(size)]),
  );
}

/** State by name of the input, and the name of the output that is its next. */
function feed(graph: Graph, name: string, next: Tensor): [string, string] {
  graph.output(`next.${name}`, next);
  return [`next.${name}`, name];
}

/** One of two, by a truth, or the first where there is none to ask. */
type Choose = (yes: Tensor, no: Tensor) => Tensor;

/** The mean gradient so far; before the last batch of an update, kept as state. */
function accumulated(graph: Graph, gradient: Tensor, batches: number) {
  if (batches === 1) {
    return { mean: gradient, choose: (yes: Tensor) => yes, feedback: [] };
  }
  const apply = graph.input("apply", "bool", []);
  const before = graph.input("gradient", "float32", gradient.shape);
  const total = op.add(before, gradient);
  const kept = op.where(apply, op.like(total, 0), total);
  const choose: Choose = (yes, no) => op.where(apply, yes, no);
  const feedback = [feed(graph, "gradient", kept)];
  return { mean: op.scale(total, 1 / batches), choose, feedback };
}

/** |g|, and min(1, c / (|g| + 1e-6)), as PyTorch's `clip_grad_norm_`. */
function clipping(gradient: Tensor, longest: number | undefined) {
  const norm = op.sqrt(op.reduceSumSquare(gradient));
  const one = op.like(norm, 1);
  if (longest === undefined) return { norm, factor: one };
  const small = op.like(norm, 1e-6);
  const factor = op.div(op.like(norm, longest), op.add(norm, small));
  return { norm, factor: op.min(factor, one) };
}

/** β old + (1 - β) c fresh. Numbers meet first: vectors are long. */
function mixed(old: Tensor, fresh: Tensor, beta: number, factor: Tensor) {
  const share = op.scale(factor, 1 - beta);
  return op.add(op.scale(old, beta), op.mul(fresh, share));
}

/**
 * Adds an update of AdamW to a graph (Loshchilov and Hutter 2019, arXiv
 * 1711.05101, algorithm 2, the decay scaled by the learning rate as in PyTorch).
 * Moments are vectors over all weights, in the order of `parameters`.
 *
 * Adds inputs `moment1`, `moment2` `[size]`, `learningRate`, `correction1`,
 * `correction2` `[]`, and, if it accumulates, `gradient` `[size]` and `apply`
 * `[]`; outputs `next.` and the name of each state, and `gradientNorm`, before
 * clipping.
 *
 * @returns Which output feeds which input.
 */
export function adamW(
  parameters: ReadonlyArray<Parameter>,
  weights: ReadonlyArray<Tensor>,
  gradients: ReadonlyArray<Tensor>,
  options: AdamOptions = {},
): Readonly<Record<string, string>> {
  const { graph } = weights[0]!;
  const flat = op.concat(gradients.map((g) => op.reshape(g, [-1])), 0);
  const sum = accumulated(graph, flat, options.accumulate ?? 1);
  const { mean: gradient, choose } = sum;
  const { norm, factor } = clipping(gradient, options.clip);
  graph.output("gradientNorm", norm);
  const rate = graph.input("learningRate", "float32", []);
  const update = moved({ gradient, factor, rate, choose }, options);
  const step = choose(update.step, graph.scalar(0));
  const decay = op.scale(rate, options.weightDecay ?? 0.01);
  const one = graph.scalar(1);
  const shrink = choose(op.sub(one, decay), one);
  let from = 0;
  const next = parameters.map(({ name, shape, decays }, i) => {
    const part = op.slice(step, 0, from, from += sizeOf(shape));
    const old = decays ? op.mul(weights[i]!, shrink) : weights[i]!;
    return feed(graph, name, op.sub(old, op.reshape(part, shape)));
  });
  return Object.fromEntries([...sum.feedback, ...update.moments, ...next]);
}

/** The moments' next values, and r m̂ / (sqrt(v̂) + ε), from g and a factor of it. */
function moved(
  { gradient, factor, rate, choose }: Readonly<
    Record<"gradient" | "factor" | "rate", Tensor> & { choose: Choose }
  >,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions,
) {
  const { graph } = gradient;
  const [m, v] = ["moment1", "moment2"].map((name) =>
    graph.input(name, "float32", gradient.shape)
  );
  const [one, two] = ["correction1", "correction2"].map((name) =>
    graph.input(name, "float32", [])
  );
  const m1 = mixed(m!, gradient, beta1, factor);
  const v1 = mixed(v!, op.square(gradient), beta2, op.square(factor));
  const moments = [
    feed(graph, "moment1", choose(m1, m!)),
    feed(graph, "moment2", choose(v1, v!)),
  ];
  // Both sides of the fraction times sqrt(correction2), which is but a number.
  const root = op.sqrt(two!);
  const bottom = op.add(op.sqrt(v1), op.scale(root, epsilon));
  const factors = op.div(op.mul(rate, root), one!);
  return { moments, step: op.div(op.mul(m1, factors), bottom) };
}
