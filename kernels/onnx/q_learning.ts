/**
 * Learning of action values from recorded steps.
 *
 * @module
 */
import type { Tensor } from "./graph.ts";
import { given, headOf, type Loss, type Said, weightedMean } from "./losses.ts";
import * as op from "./operators.ts";

export interface DoubleDqnOptions {
  /** What rewards are multiplied by; 1 if not given. */
  readonly rewardScale?: number;
  /**
   * Whether errors of a window are divided by the mean of its targets (Rentschler
   * and Roberts 2025, arXiv 2501.14176, its code), so that windows of much and of
   * little reward count alike.
   */
  readonly relative?: boolean;
}

/**
 * The least that errors are divided by where they are relative: a window without
 * rewards has targets near 0, and would count for more than all others.
 */
export const LEAST_MEAN = 0.1;

/** Of `[batch, context]` each step's next; 0 after the last. */
function following(x: Tensor): Tensor {
  const context = x.shape[1]!;
  if (context === 1) return op.scale(x, 0);
  return op.pad(op.slice(x, 1, 1, context), 1, 0, 1);
}

/**
 * Double DQN (van Hasselt and others 2016, arXiv 1509.06461, equation 4) along a
 * window: the target of the action taken at step t is
 *
 *     y = scale r + d Q'(t + 1, argmax Q(t + 1)),
 *
 * Q' of the delayed weights, d the discount given for step t; no gradient passes
 * through it. What follows the last step of a window counts as 0, so its discount
 * must be 0, or its mask.
 *
 * Inputs, all `[batch, context]`: `action` (int32, any where masked), `reward`,
 * `discount`, `mask` (float32, 0 or 1). Terms: `loss`, the mean of (Q - y)² over
 * steps with mask 1, `q` and `target`, the means of both.
 *
 * @throws GraphError if the model has no head of q, or no delayed weights.
 * @example Three steps, the last one masked
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 * import { Graph } from "./graph.ts";
 * import { openSession } from "./session.ts";
 *
 * const graph = new Graph();
 * const config = {
 *   observations: 1,
 *   actions: 2,
 *   width: 4,
 *   layers: 1,
 *   heads: 1,
 *   context: 3,
 *   tokens: "step",
 *   positions: "rotary",
 *   outputs: ["q"],
 * } as const;
 * const [q, slow] = ["q", "slow"].map((name) =>
 *   graph.input(name, "float32", [3, 2])
 * );
 * const said = { graph, config, batch: 1, heads: { q: q! } };
 * const { target } = doubleDqn({})({ ...said, delayed: { q: slow! } });
 * graph.output("y", target!);
 * const session = await openSession(graph);
 * const { y } = await session.run({
 *   q: Float32Array.of(0, 0, 0, 1, 1, 0),
 *   slow: Float32Array.of(9, 9, 9, 4, 8, 9),
 *   action: Int32Array.of(0, 1, 0),
 *   reward: Float32Array.of(1, 0, 0),
 *   discount: Float32Array.of(0.5, 0.5, 0.5),
 *   mask: Float32Array.of(1, 1, 0),
 * });
 * // 1 + 0.5 * 4 and 0 + 0.5 * 8.
 * deepEqual([...y!], [3.5]);
 * await session.release();
 * ```
 */
export function doubleDqn(options: DoubleDqnOptions): Loss {
  return (said) => {
    const { graph, batch, config } = said;
    const q = headOf(said, "q");
    const mask = given(said, "mask", "float32");
    const target = graph.untaped(() => targetsOf(said, q, options));
    const action = given(said, "action", "int32");
    const hot = op.oneHot(action, config.actions, q.dtype);
    const taken = op.reduceSum(op.mul(q, hot), [1]);
    const error = op.sub(taken, target);
    const rows = (x: Tensor) => op.reshape(x, [batch, config.context]);
    const unit = options.relative
      ? graph.untaped(() => unitsOf(rows(target), rows(mask)))
      : op.like(error, 1);
    const scaled = op.reshape(op.div(rows(error), unit), [-1]);
    return {
      loss: weightedMean(op.square(scaled), mask),
      q: weightedMean(taken, mask),
      target: weightedMean(target, mask),
    };
  };
}

/** y of each step, `[batch * context]`. */
function targetsOf(
  said: Said,
  q: Tensor,
  { rewardScale = 1 }: DoubleDqnOptions,
): Tensor {
  const { batch, config } = said;
  const slow = headOf({ heads: said.delayed ?? {} }, "q");
  const best = op.oneHot(op.argMax(q), config.actions, q.dtype);
  const worth = op.reduceSum(op.mul(slow, best), [1]);
  const next = following(op.reshape(worth, [batch, config.context]));
  const reward = given(said, "reward", "float32");
  const discount = given(said, "discount", "float32");
  return op.add(
    op.scale(reward, rewardScale),
    op.mul(discount, op.reshape(next, [-1])),
  );
}

/** |mean| of the targets of each window, or the least there may be: `[batch, 1]`. */
function unitsOf(targets: Tensor, mask: Tensor): Tensor {
  const count = op.reduceSum(mask, [1], true);
  const sum = op.reduceSum(op.mul(targets, mask), [1], true);
  const mean = op.div(sum, op.max(count, op.like(count, 1)));
  const size = op.max(mean, op.neg(mean));
  return op.max(size, op.like(size, LEAST_MEAN));
}
