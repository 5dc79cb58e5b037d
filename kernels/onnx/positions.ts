/**
 * Where tokens stand: rotary and learned positions, and who may see whom.
 *
 * @module
 */
import type { Graph, Tensor } from "./graph.ts";
import { UNSEEN } from "./layers.ts";
import * as op from "./operators.ts";
import type { Lookup } from "./parameters.ts";
import type { TransformerConfig } from "./transformer.ts";

/** Of rotary positions cosines and sines `[tokens, depth]`; of learned, vectors. */
export interface Tables {
  readonly cos?: Tensor;
  readonly sin?: Tensor;
  readonly learned?: Tensor;
}

const BASE = 10_000;

/** The turn of each element of a head, in radians a token. */
function frequencies(depth: number): Float64Array {
  const half = depth / 2;
  return Float64Array.from(
    { length: depth },
    (_, i) => BASE ** (-(i % half) / half),
  );
}

function depthOf({ width, heads }: TransformerConfig): number {
  return width / heads;
}

function tokensOfContext({ context, tokens }: TransformerConfig): number {
  return context * (tokens === "three" ? 3 : 1);
}

/** The tables of a whole window. */
export function tablesOf(
  config: TransformerConfig,
  weights: Lookup,
  graph: Graph,
): Tables {
  if (config.positions === "learned") {
    return { learned: weights("embed.position") };
  }
  const depth = depthOf(config);
  const turns = frequencies(depth);
  const tokens = tokensOfContext(config);
  const angles = Float64Array.from(
    { length: tokens * depth },
    (_, i) => Math.floor(i / depth) * turns[i % depth]!,
  );
  const table = (f: (x: number) => number) =>
    graph.constant("float32", [tokens, depth], Float32Array.from(angles, f));
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

/**
 * The tables of the tokens at `places`, int32 `[tokens]`. Angles are worked out
 * in float64 and brought within one turn: late places would lose it in float32.
 */
export function tablesAt(
  config: TransformerConfig,
  weights: Lookup,
  places: Tensor,
): Tables {
  const { graph } = places;
  if (config.positions === "learned") {
    return { learned: op.gather(weights("embed.position"), places) };
  }
  const depth = depthOf(config);
  const turns = graph.constant(
    "float64",
    [depth],
    frequencies(depth).map((turn) => turn / (2 * Math.PI)),
  );
  const column = op.reshape(op.cast(places, "float64"), [-1, 1]);
  const rounds = op.mul(column, turns);
  const rest = op.sub(rounds, op.floor(rounds));
  const angles = op.cast(op.scale(rest, 2 * Math.PI), "float32");
  return { cos: op.cos(angles), sin: op.sin(angles) };
}

/** x R turns each pair of halves by a quarter: (a, b) becomes (-b, a). */
function quarterTurn(graph: Graph, depth: number): Tensor {
  return graph.once(`turn ${depth}`, () => {
    const half = depth / 2;
    const turn = new Float32Array(depth * depth);
    for (let i = 0; i < half; i++) {
      turn[(i + half) * depth + i] = -1;
      turn[i * depth + i + half] = 1;
    }
    return graph.constant("float32", [depth, depth], turn);
  });
}

/**
 * Queries or keys `[batch, heads, tokens, depth]`, turned to where they stand (Su
 * and others 2021, arXiv 2104.09864, equation 34, in halves as GPT-NeoX has it).
 */
export function rotated(x: Tensor, { cos, sin }: Tables): Tensor {
  if (!cos || !sin) return x;
  const turned = op.matmul(x, quarterTurn(x.graph, x.shape.at(-1)!));
  return op.add(op.mul(x, cos), op.mul(turned, sin));
}

/**
 * Which of a ring of `slots` keys the tokens at `places`, int32 `[tokens]`, see,
 * `[1, slots]`: 0, else very low. The ring holds the last tokens before them; the
 * oldest make room for the new and are not seen, nor are slots not yet written.
 */
export function ringMask(places: Tensor, slots: number): Tensor {
  const { graph } = places;
  const integer = (n: number) => graph.scalar(n, "int32");
  const [tokens] = places.shape as [number];
  const first = op.slice(places, 0, 0, 1);
  const last = op.sub(first, integer(1));
  const numbers = Int32Array.from({ length: slots }, (_, i) => i);
  const slot = graph.constant("int32", [slots], numbers);
  const held = op.sub(last, op.mod(op.sub(last, slot), integer(slots)));
  const there = op.lessOrEqual(integer(0), held);
  const stays = op.less(op.sub(last, integer(slots - tokens)), held);
  const seen = op.reshape(op.and(there, stays), [1, slots]);
  return op.where(seen, graph.scalar(0), graph.scalar(UNSEEN));
}
