/**
 * A model at play: one step of many trials at once, with the keys and values of
 * the steps before kept.
 *
 * @module
 */
import { type Data, Graph, type Shape, sizeOf, type Tensor } from "./graph.ts";
import { triangle } from "./layers.ts";
import * as op from "./operators.ts";
import { type Weights, weightsIn } from "./parameters.ts";
import { ringMask, tablesAt } from "./positions.ts";
import type { Device, Session } from "./session.ts";
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
  /** On WebGPU, where the graph writes the state. */
  readonly feedback: Readonly<Record<string, string>>;
  /** Elsewhere: new rows of the state, for {@linkcode playStep} to write. */
  readonly fresh: Readonly<Record<string, string>>;
  /** Shape of each state, `[batch, heads, slots, depth]`. */
  readonly state: Readonly<Record<string, Shape>>;
  /** Tokens a step. */
  readonly tokens: number;
}

export interface PlayOptions {
  /** Trials at once. */
  readonly batch: number;
  /** Made part of the graph; inputs of it if not given. */
  readonly weights?: Weights;
  /** Where it is to run; `cpu` if not given. */
  readonly device?: Device;
}

type Building = { -readonly [K in keyof Play]: Play[K] } & {
  feedback: Record<string, string>;
  fresh: Record<string, string>;
  state: Record<string, Shape>;
};

/**
 * Declares keys or values of the steps before, and says how the new ones join
 * them: on WebGPU in the graph. On the CPU that would copy all of them at each
 * step; there, a few new rows are given back, and the host writes them.
 */
function remember(
  play: Building,
  name: string,
  rows: Tensor,
  places: Tensor,
  [slots, isResident]: readonly [number, boolean],
): Tensor {
  const { graph } = play;
  const [batch, heads, , depth] = rows.shape as [
    number,
    number,
    number,
    number,
  ];
  const shape = play.state[name] = [batch, heads, slots, depth];
  const before = graph.input(name, "float32", shape);
  if (!isResident) {
    play.fresh[`fresh.${name}`] = name;
    graph.output(`fresh.${name}`, rows);
    return before;
  }
  const at = op.mod(places, graph.scalar(slots, "int32"));
  const ids = op.expand(op.reshape(at, [1, 1, -1, 1]), rows.shape);
  graph.output(`next.${name}`, op.scatter(before, ids, rows, 2));
  play.feedback[`next.${name}`] = name;
  return before;
}

/** Attention over keys of old and new, as if they were one. */
function lookBack(
  q: Tensor,
  [oldKeys, newKeys]: readonly [Tensor, Tensor],
  [oldValues, newValues]: readonly [Tensor, Tensor],
  masks: readonly [Tensor, Tensor],
): Tensor {
  const scores = [oldKeys, newKeys].map((keys, i) =>
    op.add(op.matmul(q, op.transpose(keys)), masks[i]!)
  );
  const lengths = scores.map(({ shape }) => shape.at(-1)!);
  const weights = op.split(op.softmax(op.concat(scores, -1)), -1, lengths);
  return op.add(
    op.matmul(weights[0]!, oldValues),
    op.matmul(weights[1]!, newValues),
  );
}

/** Where the tokens of a step stand, int32 `[tokens]`. */
function placesOf(graph: Graph, tokens: number): Tensor {
  const position = graph.input("position", "int32", []);
  const offsets = Int32Array.from({ length: tokens }, (_, i) => i);
  return op.add(
    op.mul(position, graph.scalar(tokens, "int32")),
    graph.constant("int32", [tokens], offsets),
  );
}

/**
 * One step of `batch` trials in step with each other. Inputs as
 * {@linkcode forward} has them, but `[batch, 1]`, and `position` (int32 `[]`),
 * the number of steps before; an output for each head, `head.action` and so on,
 * `[batch, …]`. The numbers are those of the forward pass over the whole history
 * while that is no longer than the context; after that rotary positions see a
 * window that slides, learned ones end. Heads of the next observation and reward
 * say what would follow `action`.
 *
 * State is `keys.i` and `values.i` of each layer. It need not be set anew for new
 * trials, since `position` 0 hides what was before.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const { graph, state } = playGraph({
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
 * deepEqual(state["keys.0"], [3, 2, 8, 16]);
 * ```
 */
export function playGraph(
  config: TransformerConfig,
  { batch, weights, device = "cpu" }: PlayOptions,
): Play {
  const graph = new Graph();
  const tokens = tokensOf(config);
  const play = { graph, feedback: {}, fresh: {}, state: {}, tokens };
  const lookup = weightsIn(graph, parametersOf(config), weights);
  const embedded = embed(config, lookup, graph, [batch, 1]);
  const places = placesOf(graph, tokens);
  const ring = [config.context * tokens, device === "webgpu"] as const;
  const before = ringMask(places, ring[0]);
  const tables = tablesAt(config, lookup, places);
  const known = think(config, lookup, embedded, tables, (layer, q, k, v) => {
    const keys = remember(play, `keys.${layer}`, k, places, ring);
    const values = remember(play, `values.${layer}`, v, places, ring);
    const asking = q.shape[2]!;
    const own = triangle(q, asking, tokens / asking);
    return lookBack(q, [keys, k], [values, v], [before, own]);
  });
  const taken = readsAction(config)
    ? graph.input("action", "int32", [batch, 1])
    : undefined;
  publish(graph, speak(config, lookup, known, taken));
  return play;
}

/** Writes new rows into their slots of `[batch, heads, slots, depth]`. */
function write(
  cache: Float32Array,
  rows: Float32Array,
  [batch, heads, slots, depth]: Shape,
  from: number,
  tokens: number,
): void {
  for (let row = 0, at = 0; row < batch! * heads!; row++) {
    for (let i = 0; i < tokens; i++, at += depth!) {
      const slot = row * slots! + (from + i) % slots!;
      cache.set(rows.subarray(at, at + depth!), slot * depth!);
    }
  }
}

/** Sets all state of a session to zeros, as it must be before the first step. */
export function startPlay(session: Session, { state }: Play): void {
  for (const [name, shape] of Object.entries(state)) {
    session.set(name, new Float32Array(sizeOf(shape)));
  }
}

/**
 * Runs one step, and keeps its keys and values.
 *
 * @param position Steps before, of the trials at play.
 * @returns What each head says: `head.action` and so on.
 */
export async function playStep(
  session: Session,
  { fresh, state, tokens }: Play,
  position: number,
  inputs: Parameters<Session["run"]>[0],
): Promise<Readonly<Record<string, Data>>> {
  const at = Int32Array.of(position);
  const said = { ...await session.run({ ...inputs, position: at }) };
  for (const [output, name] of Object.entries(fresh)) {
    const cache = session.held(name) as Float32Array;
    const rows = said[output] as Float32Array;
    write(cache, rows, state[name]!, position * tokens, tokens);
    delete said[output];
  }
  return said;
}
