/**
 * A training step as one graph: forward, backward, update.
 *
 * @module
 */
import { gradients } from "./gradients.ts";
import { Graph } from "./graph.ts";
import type { Loss, Terms } from "./losses.ts";
import { type AdamOptions, adamState, adamW } from "./optimiser.ts";
import {
  countOf,
  type Parameter,
  type Weights,
  weightsIn,
} from "./parameters.ts";
import type { Session } from "./session.ts";
import {
  forward,
  parametersOf,
  type TransformerConfig,
} from "./transformer.ts";

/** A graph that trains, with what a session needs to keep its state. */
export interface Training {
  readonly graph: Graph;
  /** Outputs that feed inputs: weights, moments, the gradient if accumulated. */
  readonly feedback: Readonly<Record<string, string>>;
  readonly parameters: ReadonlyArray<Parameter>;
  readonly adam: AdamOptions;
  /** How many weights there are. */
  readonly size: number;
}

export interface TrainingOptions extends AdamOptions {
  /** Windows at once. */
  readonly batch: number;
}

/** Builds the forward pass and its loss, without gradients. */
export function lossGraph(
  config: TransformerConfig,
  loss: Loss,
  batch: number,
): { readonly graph: Graph; readonly terms: Terms } {
  const graph = new Graph();
  const lookup = weightsIn(graph, parametersOf(config));
  const heads = forward(config, lookup, graph, batch);
  const terms = loss({ graph, config, batch, heads });
  for (const [name, term] of Object.entries(terms)) {
    graph.output(name === "loss" ? name : `loss.${name}`, term);
  }
  return { graph, terms };
}

/**
 * One step of training. Inputs: weights by name; moments and rates as
 * {@linkcode adamW} has them; the batch, as {@linkcode forward} and the loss have
 * it. Outputs: `next.` and the name of each weight and moment; `loss`, and
 * its terms, `loss.action` and so on; `gradientNorm`.
 *
 * @example A step of Algorithm Distillation
 * ```ts
 * import { ok } from "node:assert/strict";
 * import { rootKey } from "../random/key.ts";
 * import { imitation } from "./losses.ts";
 * import { adamInputs, constant } from "./optimiser.ts";
 * import { initialise } from "./parameters.ts";
 * import { openSession } from "./session.ts";
 *
 * const training = trainingStep({
 *   observations: 4,
 *   actions: 2,
 *   width: 16,
 *   layers: 1,
 *   heads: 2,
 *   context: 3,
 *   tokens: "step",
 *   positions: "rotary",
 *   outputs: ["action"],
 * }, imitation({ action: 1 }), { batch: 1, clip: 1 });
 * const { graph, feedback, parameters, adam } = training;
 * const session = await openSession(graph, { feedback });
 * start(session, training, initialise(parameters, rootKey("7")));
 * const { loss } = await session.run({
 *   observation: Int32Array.of(0, 1, 2),
 *   previousAction: Int32Array.of(2, 0, 1),
 *   previousReward: Float32Array.of(0, 0, 1),
 *   label: Int32Array.of(1, 1, -1),
 *   weight: Float32Array.of(1, 1, 1),
 *   ...adamInputs(constant(1e-3), 1, adam),
 * });
 * ok(Math.abs(Number(loss![0]) - Math.log(2)) < 0.1);
 * await session.release();
 * ```
 */
export function trainingStep(
  config: TransformerConfig,
  loss: Loss,
  { batch, ...adam }: TrainingOptions,
): Training {
  const { graph, terms } = lossGraph(config, loss, batch);
  const parameters = parametersOf(config);
  const weights = parameters.map(({ name }) => graph.inputs.get(name)!);
  const slopes = gradients(terms.loss, weights);
  const feedback = graph.untaped(() =>
    adamW(parameters, weights, slopes, adam)
  );
  return { graph, feedback, parameters, adam, size: countOf(parameters) };
}

/**
 * Sets the state of a session of {@linkcode trainingStep}: weights, and moments,
 * of 0 where none are given.
 */
export function start(
  session: Session,
  { parameters, size, adam }: Training,
  weights: Weights,
  moments: Weights = adamState(size, adam),
): void {
  for (const { name } of parameters) session.set(name, weights[name]!);
  for (const [name, moment] of Object.entries(moments)) {
    session.set(name, moment);
  }
}

/** The weights of a session, by name, as a checkpoint holds them. */
export async function weightsOf(
  session: Session,
  { parameters }: Training,
): Promise<Weights> {
  const weights: Record<string, Float32Array> = {};
  for (const { name } of parameters) {
    weights[name] = await session.get(name) as Float32Array;
  }
  return weights;
}

/** The moments of a session, by name, for a checkpoint to go on from. */
export async function momentsOf(
  session: Session,
  { size, adam }: Training,
): Promise<Weights> {
  const moments: Record<string, Float32Array> = {};
  for (const name of Object.keys(adamState(size, adam))) {
    moments[name] = await session.get(name) as Float32Array;
  }
  return moments;
}
