/**
 * A training step as one graph: forward, backward, update.
 *
 * @module
 */
import { gradients } from "./gradients.ts";
import { Graph } from "./graph.ts";
import type { Loss, Terms } from "./losses.ts";
import { type AdamOptions, adamState, adamW } from "./optimiser.ts";
import * as op from "./operators.ts";
import {
  countOf,
  DELAYED,
  delayedParameters,
  type Parameter,
  type Weights,
  weightsIn,
} from "./parameters.ts";
import type { Device, Session } from "./session.ts";
import {
  forward,
  parametersOf,
  type TransformerConfig,
} from "./transformer.ts";

/** A graph that trains, with what a session needs to keep its state. */
export interface Training {
  readonly graph: Graph;
  /**
   * Outputs that feed inputs: weights, moments, the gradient if accumulated,
   * delayed weights if there are any.
   */
  readonly feedback: Readonly<Record<string, string>>;
  readonly parameters: ReadonlyArray<Parameter>;
  readonly adam: AdamOptions;
  /** How many weights there are. */
  readonly size: number;
  /** Whether delayed weights are kept. */
  readonly isDelayed: boolean;
}

export interface TrainingOptions extends AdamOptions {
  /** Windows at once. */
  readonly batch: number;
  /**
   * α of delayed weights φ, which go to α θ + (1 - α) φ after each update of the
   * weights θ (Lillicrap and others 2016, arXiv 1509.02971, section 3); none are
   * kept if not given.
   */
  readonly polyak?: number;
  /** Where it is to run; `cpu` if not given. */
  readonly device?: Device;
}

/**
 * Builds the forward pass and its loss, without gradients; if `isDelayed`, also
 * that of the weights `delayed.` and so on, of the same inputs.
 */
export function lossGraph(
  config: TransformerConfig,
  loss: Loss,
  batch: number,
  isDelayed = false,
): { readonly graph: Graph; readonly terms: Terms } {
  const graph = new Graph();
  const parameters = parametersOf(config);
  const lookup = weightsIn(graph, parameters);
  const heads = forward(config, lookup, graph, batch);
  const slow = () => {
    const own = weightsIn(graph, delayedParameters(parameters));
    return forward(config, (name) => own(DELAYED + name), graph, batch);
  };
  const terms = loss({
    ...{ graph, config, batch, heads },
    ...(isDelayed && { delayed: graph.untaped(slow) }),
  });
  for (const [name, term] of Object.entries(terms)) {
    graph.output(name === "loss" ? name : `loss.${name}`, term);
  }
  return { graph, terms };
}

/**
 * One step of training. Inputs: weights by name; moments and rates as
 * {@linkcode adamW} has them; the batch, as {@linkcode forward} and the loss have
 * it; with `polyak`, delayed weights by `delayed.` and the name. Outputs: `next.`
 * and the name of each weight and moment; `loss`, and its terms, `loss.action` and
 * so on; `gradientNorm`.
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
 *   previousEnd: Int32Array.of(0, 0, 0),
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
  { batch, polyak, device = "cpu", ...adam }: TrainingOptions,
): Training {
  const isDelayed = polyak !== undefined;
  const { graph, terms } = lossGraph(config, loss, batch, isDelayed);
  const parameters = parametersOf(config);
  const weights = parameters.map(({ name }) => graph.inputs.get(name)!);
  // Other devices need not have a scatter that adds, or do it in no fixed order.
  const scatters = device === "cpu";
  const slopes = gradients(terms.loss, weights, { scatters });
  const feedback = graph.untaped(() => ({
    ...adamW(parameters, weights, slopes, adam),
    ...(isDelayed && followed(graph, parameters, polyak)),
  }));
  const size = countOf(parameters);
  return { graph, feedback, parameters, adam, size, isDelayed };
}

/** Adds the step of delayed weights towards those just updated. */
function followed(
  graph: Graph,
  parameters: ReadonlyArray<Parameter>,
  share: number,
): Readonly<Record<string, string>> {
  const apply = graph.inputs.get("apply");
  const pairs = parameters.map(({ name }) => {
    const slow = `${DELAYED}${name}`;
    const before = graph.inputs.get(slow)!;
    const fresh = graph.outputs.get(`next.${name}`)!;
    const mix = op.add(op.scale(before, 1 - share), op.scale(fresh, share));
    // While gradients are gathered the weights do not move, nor do these.
    graph.output(`next.${slow}`, apply ? op.where(apply, mix, before) : mix);
    return [`next.${slow}`, slow] as const;
  });
  return Object.fromEntries(pairs);
}

/**
 * Sets the state of a session of {@linkcode trainingStep}: weights; moments, of 0
 * where none are given; delayed weights, the weights themselves where none are.
 */
export function start(
  session: Session,
  { parameters, size, adam, isDelayed }: Training,
  weights: Weights,
  moments: Weights = adamState(size, adam),
  delayed: Weights = weights,
): void {
  for (const { name } of parameters) {
    session.set(name, weights[name]!);
    if (isDelayed) session.set(DELAYED + name, delayed[name]!);
  }
  for (const [name, moment] of Object.entries(moments)) {
    session.set(name, moment);
  }
}

async function readAll(
  session: Session,
  { parameters }: Training,
  prefix: string,
): Promise<Weights> {
  const weights: Record<string, Float32Array> = {};
  for (const { name } of parameters) {
    weights[name] = await session.get(prefix + name) as Float32Array;
  }
  return weights;
}

/** The weights of a session, by name, as a checkpoint holds them. */
export function weightsOf(
  session: Session,
  training: Training,
): Promise<Weights> {
  return readAll(session, training, "");
}

/** Its delayed weights, by the names of those that they follow; if it has any. */
export function delayedOf(
  session: Session,
  training: Training,
): Promise<Weights | undefined> {
  return training.isDelayed
    ? readAll(session, training, DELAYED)
    : Promise.resolve(undefined);
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
