/**
 * A causal transformer over trials: it reads observations, and the action and
 * reward before each, and says what to do and what will come.
 *
 * Blocks are pre-norm (Xiong and others 2020, arXiv 2002.04745) with GELU in the
 * middle; products in them have no bias. One token a step holds all of a step,
 * summed; three a step are the action and reward before, then the observation
 * (Laskin and others 2022, arXiv 2210.14215, Algorithm Distillation), and the
 * model speaks at the observation.
 *
 * @module
 */
import { Graph, GraphError, type Tensor } from "./graph.ts";
import { causalAttention, geluBetween, layerNorm } from "./layers.ts";
import * as op from "./operators.ts";
import { type Lookup, type Parameter, weightsIn } from "./parameters.ts";
import type { Weights } from "./parameters.ts";
import { rotated, type Tables, tablesOf } from "./positions.ts";

/** What a model can say at each step. */
export const HEADS = [
  "action",
  "q",
  "value",
  "nextObservation",
  "reward",
] as const;
export type Head = typeof HEADS[number];

export interface TransformerConfig {
  /** How many observations there are, or the width of those that are vectors. */
  readonly observations: number | { readonly vector: number };
  readonly actions: number;
  /** How many tags are known, of those that a step may bear; none if not given. */
  readonly tags?: number;
  /** Width of the stream, a multiple of `heads`. */
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Longest history, in steps. */
  readonly context: number;
  readonly tokens: "step" | "three";
  /** Rotary (Su and others 2021, arXiv 2104.09864), or learned, a table. */
  readonly positions: "rotary" | "learned";
  /** What it says: logits of actions, Q, value, logits (or vector) of the next
   * observation, reward. */
  readonly outputs: ReadonlyArray<Head>;
}

/** Tokens that a step takes. */
export function tokensOf({ tokens }: TransformerConfig): number {
  return tokens === "three" ? 3 : 1;
}

/** Whether it says something of what follows the action taken. */
export function readsAction({ outputs }: TransformerConfig): boolean {
  return outputs.includes("nextObservation") || outputs.includes("reward");
}

/** How many numbers a head gives a step. */
export function sizeOfHead(config: TransformerConfig, head: Head): number {
  const { observations, actions } = config;
  if (head === "action" || head === "q") return actions;
  if (head !== "nextObservation") return 1;
  return typeof observations === "number" ? observations : observations.vector;
}

function matrix(name: string, rows: number, columns: number, deviation = 0.02) {
  const first = { normal: deviation };
  return { name, shape: [rows, columns], first, decays: true };
}

function table(name: string, rows: number, width: number) {
  return { ...matrix(name, rows, width), decays: false };
}

function vector(name: string, width: number, fill: number) {
  return { name, shape: [width], first: { fill }, decays: false };
}

function norm(name: string, width: number) {
  return [vector(`${name}.gain`, width, 1), vector(`${name}.bias`, width, 0)];
}

function embeddings(config: TransformerConfig): ReadonlyArray<Parameter> {
  const { observations, actions, tags, width, context, positions } = config;
  return [
    // One row more each: an observation withheld, no action before, no tag.
    typeof observations === "number"
      ? table("embed.observation", observations + 1, width)
      : matrix("embed.observation", observations.vector, width),
    table("embed.action", actions + 1, width),
    // What an action was paid: of each a direction of its own, so that one look
    // back can add up what each of them paid.
    table("embed.reward", actions + 1, width),
    // Going on, terminated, truncated: as RL^2 reads it (Duan and others 2016,
    // arXiv 1611.02779).
    table("embed.end", 3, width),
    vector("embed.bias", width, 0),
    ...(tags ? [table("embed.tag", tags + 1, width)] : []),
    ...(positions === "learned"
      ? [table("embed.position", context * tokensOf(config), width)]
      : []),
  ];
}

function block(config: TransformerConfig, i: number): ReadonlyArray<Parameter> {
  const { width, layers } = config;
  // What goes back into the stream is smaller, the more blocks add to it
  // (Radford and others 2019, GPT-2, section 2.3).
  const small = 0.02 / Math.sqrt(2 * layers);
  return [
    ...norm(`block.${i}.attention.norm`, width),
    matrix(`block.${i}.attention.in`, width, 3 * width),
    matrix(`block.${i}.attention.out`, width, width, small),
    ...norm(`block.${i}.mlp.norm`, width),
    matrix(`block.${i}.mlp.in`, width, 4 * width),
    matrix(`block.${i}.mlp.out`, 4 * width, width, small),
  ];
}

function isOfWorld(head: Head): boolean {
  return head === "nextObservation" || head === "reward";
}

function headOf(config: TransformerConfig, head: Head) {
  const { width } = config;
  const size = sizeOfHead(config, head);
  const inner = isOfWorld(head) ? [matrix(`${head}.in`, width, width)] : [];
  return [
    ...inner,
    matrix(`${head}.out`, width, size),
    vector(`${head}.bias`, size, 0),
  ];
}

/** All weights of a model, in a fixed order. */
export function parametersOf(
  config: TransformerConfig,
): ReadonlyArray<Parameter> {
  const { width, layers, heads, outputs, actions } = config;
  if (width % (2 * heads) !== 0) {
    throw new GraphError(`Width ${width} for ${heads} heads of even width`);
  }
  return [
    ...embeddings(config),
    ...Array.from({ length: layers }, (_, i) => block(config, i)).flat(),
    ...norm("norm", width),
    ...(readsAction(config) ? [table("world.action", actions, width)] : []),
    ...outputs.flatMap((head) => headOf(config, head)),
  ];
}

/** An input, made once however many ask for it. */
export function inputOf(
  graph: Graph,
  name: string,
  dtype: Tensor["dtype"],
  shape: Tensor["shape"],
): Tensor {
  return graph.inputs.get(name) ?? graph.input(name, dtype, shape);
}

/** The tokens of `steps` steps, `[batch, steps * tokens, width]`. */
export function embed(
  config: TransformerConfig,
  weights: Lookup,
  graph: Graph,
  [batch, steps]: readonly [number, number],
): Tensor {
  const { observations, tags, width } = config;
  const rows = batch * steps;
  const ids = (name: string, table: string) =>
    op.gather(
      weights(`embed.${table}`),
      op.reshape(inputOf(graph, name, "int32", [batch, steps]), [rows]),
    );
  const seen = typeof observations === "number"
    ? ids("observation", "observation")
    : op.matmul(
      op.reshape(
        inputOf(graph, "observation", "float32", [
          batch,
          steps,
          observations.vector,
        ]),
        [rows, -1],
      ),
      weights("embed.observation"),
    );
  const paid = inputOf(graph, "previousReward", "float32", [batch, steps]);
  const reward = op.add(
    op.mul(op.reshape(paid, [rows, 1]), ids("previousAction", "reward")),
    op.add(ids("previousEnd", "end"), weights("embed.bias")),
  );
  const done = ids("previousAction", "action");
  const marked = tags ? op.add(seen, ids("tag", "tag")) : seen;
  if (config.tokens === "step") {
    return op.reshape(op.sum(marked, done, reward), [batch, steps, width]);
  }
  const parts = [done, reward, marked].map((part) =>
    op.reshape(part, [rows, 1, width])
  );
  return op.reshape(op.concat(parts, 1), [batch, steps * 3, width]);
}

/**
 * How a layer looks back: full causal attention, or by way of a cache. Queries may
 * be fewer than keys: one of each so many, the last.
 */
export type Attend = (
  layer: number,
  q: Tensor,
  k: Tensor,
  v: Tensor,
) => Tensor;

/** Of each `each` rows the last: of a step's tokens, that at which it speaks. */
function lastOf(x: Tensor, each: number): Tensor {
  if (each === 1) return x;
  const rows = op.reshape(x, [-1, each, x.shape[1]!]);
  return op.reshape(op.slice(rows, 1, each - 1, each), [-1, x.shape[1]!]);
}

/** What attention adds to the last of each `each` rows of x, from all before. */
function attend(
  config: TransformerConfig,
  weights: Lookup,
  x: Tensor,
  layer: number,
  [batch, each]: readonly [number, number],
  tables: Tables,
  look: Attend,
): Tensor {
  const { width, heads } = config;
  const depth = width / heads;
  const matrix = weights(`block.${layer}.attention.in`);
  // Parts `from` to `to` of queries, keys and values, `[batch, heads, rows, depth]`.
  const project = (rows: Tensor, from: number, to: number) => {
    const all = op.matmul(rows, op.slice(matrix, 1, from * width, to * width));
    const split = op.reshape(all, [batch, -1, to - from, heads, depth]);
    const ones = Array.from({ length: to - from }, () => 1);
    return op.split(op.transpose(split, [2, 0, 3, 1, 4]), 0, ones)
      .map((part) => op.reshape(part, [batch, heads, -1, depth]));
  };
  const [q, k, v] = each === 1
    ? project(x, 0, 3)
    : [...project(lastOf(x, each), 0, 1), ...project(x, 1, 3)];
  const { cos, sin } = tables;
  const asking = cos && sin
    ? { cos: lastOf(cos, each), sin: lastOf(sin, each) }
    : tables;
  const seen = look(
    layer,
    rotated(op.scale(q!, 1 / Math.sqrt(depth)), asking),
    rotated(k!, tables),
    v!,
  );
  const joined = op.reshape(op.transpose(seen, [0, 2, 1, 3]), [-1, width]);
  return op.matmul(joined, weights(`block.${layer}.attention.out`));
}

/**
 * From tokens to what is known at each step, `[batch * steps, width]`. The last
 * block is asked only at the tokens where the model speaks, as nothing reads what
 * it would say at the others.
 */
export function think(
  config: TransformerConfig,
  weights: Lookup,
  embedded: Tensor,
  tables: Tables,
  look: Attend,
): Tensor {
  const { width, layers } = config;
  const [batch, tokens] = embedded.shape as [number, number, number];
  const normed = (x: Tensor, name: string) =>
    layerNorm(x, weights(`${name}.gain`), weights(`${name}.bias`));
  const placed = tables.learned ? op.add(embedded, tables.learned) : embedded;
  let x = op.reshape(placed, [batch * tokens, width]);
  for (let i = 0; i < layers; i++) {
    const name = `block.${i}`;
    const each = i === layers - 1 ? tokensOf(config) : 1;
    const a = normed(x, `${name}.attention.norm`);
    x = op.add(
      lastOf(x, each),
      attend(config, weights, a, i, [batch, each], tables, look),
    );
    const b = normed(x, `${name}.mlp.norm`);
    const matrices = ["in", "out"].map((end) => weights(`${name}.mlp.${end}`));
    x = op.add(x, geluBetween(b, matrices[0]!, matrices[1]!));
  }
  return normed(x, "norm");
}

/** What is said, `[rows, size]`, or `[rows]` for value and reward. */
export function speak(
  config: TransformerConfig,
  weights: Lookup,
  known: Tensor,
  taken: Tensor | undefined,
): Partial<Record<Head, Tensor>> {
  const [rows] = known.shape as [number, number];
  const after = taken && op.add(
    known,
    op.gather(weights("world.action"), op.reshape(taken, [rows])),
  );
  const heads = config.outputs.map((head) => {
    const out = weights(`${head}.out`);
    const bare = isOfWorld(head)
      ? geluBetween(after!, weights(`${head}.in`), out)
      : op.matmul(known, out);
    const said = op.add(bare, weights(`${head}.bias`));
    const isScalar = head === "value" || head === "reward";
    return [head, isScalar ? op.reshape(said, [rows]) : said] as const;
  });
  return Object.fromEntries(heads);
}

/**
 * Adds the model to a graph, over whole windows. Inputs, all `[batch, context]`:
 * `observation` (int32, `observations` itself where withheld; or float32 with an
 * axis more), `previousAction` (int32, `actions` itself where there is none),
 * `previousReward` (float32), `previousEnd` (int32: 1 where the step before
 * terminated its episode, 2 where it was cut, else 0), `tag` (int32, if there are tags; `tags` itself where
 * there is none or it is withheld), `action` (int32, what was then done, if there
 * are heads of the next observation or reward).
 */
export function forward(
  config: TransformerConfig,
  weights: Lookup,
  graph: Graph,
  batch: number,
): Partial<Record<Head, Tensor>> {
  const { context } = config;
  const embedded = embed(config, weights, graph, [batch, context]);
  const tables = tablesOf(config, weights, graph);
  const known = think(
    config,
    weights,
    embedded,
    tables,
    (_layer, q, k, v) => causalAttention(q, k, v),
  );
  const taken = readsAction(config)
    ? inputOf(graph, "action", "int32", [batch, context])
    : undefined;
  return speak(config, weights, known, taken);
}

/** Makes what heads say outputs: `head.action` and so on. */
export function publish(
  graph: Graph,
  said: Partial<Record<Head, Tensor>>,
): void {
  for (const [head, tensor] of Object.entries(said)) {
    graph.output(`head.${head}`, tensor);
  }
}

/**
 * The model as a graph over whole windows, inputs as {@linkcode forward} has
 * them, an output for each head, `head.action` and so on, `[batch * context, …]`. With `weights` they are
 * part of it, else they are inputs.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const graph = forwardGraph({
 *   observations: 16,
 *   actions: 4,
 *   width: 32,
 *   layers: 2,
 *   heads: 2,
 *   context: 8,
 *   tokens: "step",
 *   positions: "rotary",
 *   outputs: ["action"],
 * }, { batch: 3 });
 * deepEqual(graph.outputs.get("head.action")?.shape, [24, 4]);
 * ```
 */
export function forwardGraph(
  config: TransformerConfig,
  { batch, weights }: { readonly batch: number; readonly weights?: Weights },
): Graph {
  const graph = new Graph();
  const lookup = weightsIn(graph, parametersOf(config), weights);
  const said = forward(config, lookup, graph, batch);
  publish(graph, said);
  return graph;
}
