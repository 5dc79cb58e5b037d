/** Models and batches that tests share. */
import {
  readsAction,
  type TransformerConfig,
} from "../../../kernels/onnx/transformer.ts";
import type { Data } from "../../../kernels/onnx/graph.ts";
import { normal } from "../../../kernels/random/distributions.ts";
import { generator, integer } from "../../../kernels/random/generator.ts";
import { foldIn, rootKey } from "../../../kernels/random/key.ts";
import { initialise, type Weights } from "../../../kernels/onnx/parameters.ts";
import { parametersOf } from "../../../kernels/onnx/transformer.ts";

/** A small model that says everything. */
export const SMALL: TransformerConfig = {
  observations: 6,
  actions: 3,
  tags: 2,
  width: 16,
  layers: 2,
  heads: 2,
  context: 7,
  tokens: "step",
  positions: "rotary",
  outputs: ["action", "q", "value", "nextObservation", "reward"],
};

/** The same in all ways that change its graph. */
export const VARIANTS: Readonly<Record<string, TransformerConfig>> = {
  "one token, rotary": SMALL,
  "one token, learned": { ...SMALL, positions: "learned" },
  "three tokens, rotary": { ...SMALL, tokens: "three" },
  "three tokens, learned": { ...SMALL, tokens: "three", positions: "learned" },
  "vectors": { ...SMALL, observations: { vector: 4 } },
};

export type Batch = Record<string, Data>;

function ids(path: string, size: number, n: number): Int32Array {
  const random = generator(foldIn(rootKey("3"), path));
  return Int32Array.from({ length: size }, () => integer(random, n));
}

export function floats(path: string, size: number): Float32Array {
  const random = generator(foldIn(rootKey("4"), path));
  return Float32Array.from({ length: size }, () => normal(random));
}

/** Random inputs of the forward pass. */
export function inputsOf(config: TransformerConfig, batch: number): Batch {
  const size = batch * config.context;
  const { observations, actions, tags } = config;
  return {
    observation: typeof observations === "number"
      ? ids("observation", size, observations + 1)
      : floats("observation", size * observations.vector),
    previousAction: ids("previousAction", size, actions + 1),
    previousReward: floats("previousReward", size),
    previousEnd: ids("previousEnd", size, 3),
    ...(tags ? { tag: ids("tag", size, tags + 1) } : {}),
    ...(readsAction(config) ? { action: ids("action", size, actions) } : {}),
  };
}

/** Random targets of imitation, a third of the labels missing. */
export function targetsOf(config: TransformerConfig, batch: number): Batch {
  const size = batch * config.context;
  const { observations, actions } = config;
  const some = (path: string, n: number) =>
    ids(path, size, n).map((id, i) => i % 3 === 1 ? -1 : id);
  return {
    weight: floats("weight", size).map(Math.abs),
    label: some("label", actions),
    nextObservation: typeof observations === "number"
      ? some("nextObservation", observations)
      : floats("nextObservation", size * observations.vector),
    reward: floats("reward", size),
    target: floats("target", size),
  };
}

/** Weights larger than a model would begin with, so that all of it matters. */
export function weightsFor(config: TransformerConfig): Weights {
  const parameters = parametersOf(config).map((parameter) => ({
    ...parameter,
    first: { normal: 0.3 },
  }));
  return initialise(parameters, rootKey("5"));
}
