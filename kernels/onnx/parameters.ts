/**
 * The weights of a model: their names and shapes, first values, and how a graph
 * comes by them.
 *
 * @module
 */
import { normal } from "../random/distributions.ts";
import { generator } from "../random/generator.ts";
import { foldIn, type Key } from "../random/key.ts";
import { type Graph, type Shape, sizeOf, type Tensor } from "./graph.ts";

/** One tensor of weights, in float32. */
export interface Parameter {
  readonly name: string;
  readonly shape: Shape;
  /** First values: all `fill`, or normal with mean 0 and this deviation. */
  readonly first: { readonly fill: number } | { readonly normal: number };
  /** Whether weight decay is for it: matrices of products, nothing else. */
  readonly decays: boolean;
}

/** Values of weights by name, as checkpoints hold them. */
export type Weights = Readonly<Record<string, Float32Array>>;

/** Tensors of weights by name. */
export type Lookup = (name: string) => Tensor;

/**
 * First values of all weights. Each draws from a stream of its own, named after
 * it, so that a layer more or less leaves the others as they were.
 *
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { rootKey } from "../random/key.ts";
 *
 * const first = { normal: 0.02 };
 * const specs = [{ name: "w", shape: [2, 3], first, decays: true }];
 * equal(initialise(specs, rootKey("7"))["w"]?.length, 6);
 * ```
 */
export function initialise(
  parameters: ReadonlyArray<Parameter>,
  key: Key,
): Weights {
  return Object.fromEntries(parameters.map(({ name, shape, first }) => {
    const values = new Float32Array(sizeOf(shape));
    if ("fill" in first) return [name, values.fill(first.fill)];
    const random = generator(foldIn(key, name));
    return [name, values.map(() => first.normal * normal(random))];
  }));
}

/** Prefix of the names of weights that follow the trained ones slowly. */
export const DELAYED = "delayed.";

/** The same weights once more, under the names of the delayed ones. */
export function delayedParameters(
  parameters: ReadonlyArray<Parameter>,
): ReadonlyArray<Parameter> {
  return parameters.map((one) => ({ ...one, name: DELAYED + one.name }));
}

/** How many numbers all weights are. */
export function countOf(parameters: ReadonlyArray<Parameter>): number {
  return parameters.reduce((n, { shape }) => n + sizeOf(shape), 0);
}

/**
 * Weights as inputs of a graph, or, where their values are given, as constants:
 * the first to be trained, the second to be played and published.
 */
export function weightsIn(
  graph: Graph,
  parameters: ReadonlyArray<Parameter>,
  values?: Weights,
): Lookup {
  const tensors = new Map(parameters.map(({ name, shape }) => [
    name,
    values
      ? graph.constant("float32", shape, values[name]!, name)
      : graph.input(name, "float32", shape),
  ]));
  return (name) => tensors.get(name)!;
}
