/**
 * A model at play: one step of many trials at once, with the keys and values of
 * the steps before kept.
 *
 * @module
 */
import { Graph, type Shape, type Tensor } from "./graph.ts";
import { attention } from "./layers.ts";
import * as op from "./operators.ts";
import { type Weights, weightsIn } from "./parameters.ts";
import { ringMask, tablesAt } from "./positions.ts";
import {
  embed,
  parametersOf,
  publish,
  readsAction,
  speak,
  think,
  tokensOf,
  type TransformerConfig,
} from "./transformer.ts";

/** A graph with state, as {@linkcode openSession} takes it. */
export interface Play {
  readonly graph: Graph;
  readonly feedback: Readonly<Record<string, string>>;
  /** All of the state: its inputs may be written where they stand. */
  readonly inPlace: ReadonlyArray<string>;
  /** Length of each state, all zeros at the start. */
  readonly state: Readonly<Record<string, number>>;
}

/** Puts new keys or values `[batch, heads, tokens, depth]` into their slots. */
function remember(
  play: { graph: Graph; feedback: Record<string, string> },
  name: string,
  fresh: Tensor,
  places: Tensor,
  slots: number,
): Tensor {
  const { graph, feedback } = play;
  const [batch, heads, , depth] = fresh.shape as [
    number,
    number,
    number,
    number,
  ];
  const shape: Shape = [batch, heads, slots, depth];
  const before = graph.input(name, "float32", shape);
  const at = op.mod(places, graph.scalar(slots, "int32"));
  const ids = op.expand(op.reshape(at, [1, 1, -1, 1]), fresh.shape);
  const after = op.scatter(before, ids, fresh, 2);
  graph.output(`next.${name}`, after);
  feedback[`next.${name}`] = name;
  return after;
}

/**
 * One step of `batch` trials in step with each other. Inputs as
 * {@linkcode forward} has them, but `[batch, 1]`, and `position` (int32 `[]`),
 * the number of steps before; an output for each head, `head.action` and so on, `[batch, …]`. The numbers
 * are those of the forward pass over the whole history while that is no longer
 * than the context; after that rotary positions see a window that slides, learned
 * ones end. Heads of the next observation and reward say what would follow
 * `action`.
 *
 * State is `keys.i` and `values.i` of each layer; a trial's own rows may be left
 * as they are at a new one, since `position` 0 hides what was before.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const { graph, inPlace } = playGraph({
 *   observations: 16,
 *   actions: 4,
 *   width: 32,
 *   layers: 1,
 *   heads: 2,
 *   context: 8,
 *   tokens: "step",
 *   positions: "rotary",
 *   outputs: ["action"],
 * }, { batch: 3 });
 * deepEqual(graph.outputs.get("head.action")?.shape, [3, 4]);
 * deepEqual(inPlace, ["keys.0", "values.0"]);
 * ```
 */
export function playGraph(
  config: TransformerConfig,
  { batch, weights }: { readonly batch: number; readonly weights?: Weights },
): Play {
  const graph = new Graph();
  const feedback: Record<string, string> = {};
  const lookup = weightsIn(graph, parametersOf(config), weights);
  const embedded = embed(config, lookup, graph, [batch, 1]);
  const each = tokensOf(config);
  const slots = config.context * each;
  const position = graph.input("position", "int32", []);
  const offsets = Int32Array.from({ length: each }, (_, i) => i);
  const places = op.add(
    op.mul(position, graph.scalar(each, "int32")),
    graph.constant("int32", [each], offsets),
  );
  const mask = ringMask(places, slots);
  const keep = (name: string, fresh: Tensor) =>
    remember({ graph, feedback }, name, fresh, places, slots);
  const tables = tablesAt(config, lookup, places);
  const known = think(config, lookup, embedded, tables, (layer, q, k, v) => {
    const keys = keep(`keys.${layer}`, k);
    return attention(q, keys, keep(`values.${layer}`, v), mask);
  });
  const taken = readsAction(config)
    ? graph.input("action", "int32", [batch, 1])
    : undefined;
  const said = speak(config, lookup, known, taken);
  publish(graph, said);
  const inPlace = Object.values(feedback);
  const length = batch * config.width * slots;
  const state = Object.fromEntries(inPlace.map((name) => [name, length]));
  return { graph, feedback, inPlace, state };
}
