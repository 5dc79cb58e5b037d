/**
 * Draws from the distributions that environments and policies are made of.
 * Each takes its generator first; none keeps anything between calls.
 *
 * @module
 */
import { bits, type Generator, integer, uniform } from "./generator.ts";

/** Layers of the ziggurat, the edge of its base, and the area of a layer. */
const LAYERS = 128;
const BASE_EDGE = 3.442619855899;
const LAYER_AREA = 9.91256303526217e-3;
const edges = new Float64Array(LAYERS + 1);
const ratios = new Float64Array(LAYERS);

{
  let density = Math.exp(-0.5 * BASE_EDGE * BASE_EDGE);
  edges[0] = LAYER_AREA / density;
  edges[1] = BASE_EDGE;
  for (let i = 2; i < LAYERS; i++) {
    const edge = edges[i - 1]!;
    edges[i] = Math.sqrt(-2 * Math.log(LAYER_AREA / edge + density));
    density = Math.exp(-0.5 * edges[i]! * edges[i]!);
  }
  edges[LAYERS] = 0;
  for (let i = 0; i < LAYERS; i++) ratios[i] = edges[i + 1]! / edges[i]!;
}

/** Beyond the base edge, by Marsaglia's exponential rejection (1964). */
function normalTail(random: Generator, negative: boolean): number {
  let x: number;
  let y: number;
  do {
    x = Math.log(1 - uniform(random)) / BASE_EDGE;
    y = Math.log(1 - uniform(random));
  } while (-2 * y < x * x);
  return negative ? x - BASE_EDGE : BASE_EDGE - x;
}

/**
 * A standard normal, by the ziggurat of Marsaglia and Tsang (2000) in the
 * corrected form of Doornik (2005): the layer and the position come from
 * different bits.
 */
export function normal(random: Generator): number {
  for (;;) {
    const u = 2 * uniform(random) - 1;
    const layer = bits(random) & (LAYERS - 1);
    if (Math.abs(u) < ratios[layer]!) return u * edges[layer]!;
    if (layer === 0) return normalTail(random, u < 0);
    const x = u * edges[layer]!;
    const lower = Math.exp(-0.5 * (edges[layer]! ** 2 - x * x));
    const upper = Math.exp(-0.5 * (edges[layer + 1]! ** 2 - x * x));
    if (upper + uniform(random) * (lower - upper) < 1) return x;
  }
}

/** An exponential of rate 1. */
export function exponential(random: Generator): number {
  return -Math.log(1 - uniform(random));
}

/**
 * A gamma of shape `shape` > 0 and scale 1 (Marsaglia and Tsang 2000, "A simple
 * method for generating gamma variables"; shapes below 1 by their boost).
 */
export function gamma(random: Generator, shape: number): number {
  if (shape < 1) {
    return gamma(random, shape + 1) * (1 - uniform(random)) ** (1 / shape);
  }
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = 1 - uniform(random);
    if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** A beta of shapes `a` and `b`, both > 0. */
export function beta(random: Generator, a: number, b: number): number {
  const x = gamma(random, a);
  const y = gamma(random, b);
  // With tiny shapes both can underflow; the mass is then at the two ends.
  return x + y > 0 ? x / (x + y) : Number(uniform(random) < a / (a + b));
}

/** A point of the simplex: Dirichlet with the given concentrations, all > 0. */
export function dirichlet(
  random: Generator,
  concentrations: ArrayLike<number>,
): Float64Array {
  const point = new Float64Array(concentrations.length);
  let sum = 0;
  for (let i = 0; i < point.length; i++) {
    point[i] = gamma(random, concentrations[i]!);
    sum += point[i]!;
  }
  if (sum === 0) point[integer(random, point.length)] = sum = 1;
  for (let i = 0; i < point.length; i++) point[i] = point[i]! / sum;
  return point;
}

/** An alias table: one draw from `n` weights in constant time. */
export interface Alias {
  /** Probability of staying in the column drawn, of length `n`. */
  readonly stay: Float64Array;
  /** Where to go otherwise, of length `n`. */
  readonly other: Int32Array;
}

/**
 * The alias table of non-negative weights that need not sum to 1 (Walker 1977,
 * in the linear-time form of Vose 1991).
 */
export function alias(weights: ArrayLike<number>): Alias {
  const n = weights.length;
  let total = 0;
  for (let i = 0; i < n; i++) total += weights[i]!;
  if (!(total > 0 && Number.isFinite(total))) {
    throw new RangeError(`Cannot draw from weights that sum to ${total}`);
  }
  const stay = new Float64Array(n);
  const other = new Int32Array(n);
  const queue = new Int32Array(n);
  let [small, large] = [0, n];
  for (let i = 0; i < n; i++) {
    stay[i] = weights[i]! * n / total;
    other[i] = i;
    queue[stay[i]! < 1 ? small++ : --large] = i;
  }
  while (small > 0 && large < n) {
    const poor = queue[--small]!;
    const rich = queue[large]!;
    other[poor] = rich;
    stay[rich] = stay[rich]! - (1 - stay[poor]!);
    if (stay[rich]! >= 1) continue;
    large++;
    queue[small++] = rich;
  }
  // What rounding leaves over is a full column.
  while (large < n) stay[queue[large++]!] = 1;
  while (small > 0) stay[queue[--small]!] = 1;
  return { stay, other };
}

/** An index drawn by an {@linkcode Alias} table. */
export function categorical(random: Generator, table: Alias): number {
  const column = integer(random, table.stay.length);
  return uniform(random) < table.stay[column]! ? column : table.other[column]!;
}

/** Puts `items` in random order, in place (Durstenfeld 1964). */
export function shuffle<A extends { [i: number]: unknown; length: number }>(
  random: Generator,
  items: A,
): A {
  for (let i = items.length - 1; i > 0; i--) {
    const j = integer(random, i + 1);
    const kept = items[i];
    items[i] = items[j];
    items[j] = kept;
  }
  return items;
}

/** The numbers 0 to `n` - 1 in random order. */
export function permutation(random: Generator, n: number): Int32Array {
  return shuffle(random, Int32Array.from({ length: n }, (_, i) => i));
}
