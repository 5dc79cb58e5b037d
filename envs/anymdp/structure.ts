/**
 * Where episodes start and end, and which ranks each leads to.
 *
 * @module
 */
import { normal } from "../../kernels/random/distributions.ts";
import { type Generator, uniform } from "../../kernels/random/generator.ts";
import { between, clip, integerIn } from "./draws.ts";

/** Redraws of a part that is nearly always right at once. */
const BUDGET = 100;
const RHO_LOW = -0.2;
const RHO_HIGH = 0.4;
const GOAL_SHARE = 0.3;

/** Ranks to start in, with their probabilities. */
export interface Starts {
  readonly starts: ReadonlyArray<number>;
  readonly startProbability: ReadonlyArray<number>;
}

/**
 * Up to three of the lowest ranks, weights max(0, N(0, 1)); undefined where the
 * budget was used up. With fewer than four ranks the highest is none of them.
 */
export function drawStarts(random: Generator, n: number): Starts | undefined {
  const candidates = Math.min(3, Math.max(1, n - 1));
  for (let i = 0; i < BUDGET; i++) {
    const weights = Array.from(
      { length: candidates },
      () => Math.max(0, normal(random)),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    if (sum < 1e-10) continue;
    const starts = [...weights.keys()].filter((k) => weights[k]! > 1e-10);
    return { starts, startProbability: starts.map((k) => weights[k]! / sum) };
  }
  return undefined;
}

/** Ranks that end an episode; `goal` if the highest does. */
export interface Ends {
  readonly ends: Uint8Array;
  readonly goal: boolean;
}

/**
 * Pitfalls at a rate of max(0, U(-0.2, 0.4)), fewer than n times that plus 1,
 * and none where episodes start; then, three times in ten, a goal at the top.
 */
export function drawEnds(
  random: Generator,
  n: number,
  starts: ReadonlyArray<number>,
): Ends | undefined {
  const rho = Math.max(0, between(random, RHO_LOW, RHO_HIGH));
  const ends = new Uint8Array(n);
  for (let i = 0; i < BUDGET; i++) {
    let count = 0;
    for (let s = 0; s < n; s++) {
      count += ends[s] = rho > 0 && uniform(random) < rho ? 1 : 0;
    }
    if (count >= n * rho + 1) continue;
    for (const start of starts) ends[start] = 0;
    const goal = uniform(random) < GOAL_SHARE;
    ends[n - 1] = goal ? 1 : 0;
    return { ends, goal };
  }
  return undefined;
}

/** The ranks `from` to `to` - 1, that a state leads to under uniform play. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Two ranks ahead that do not end the episode, if there are so many. */
function widened(ends: Uint8Array, s: number, to: number): number {
  const n = ends.length;
  let ahead = 0;
  for (let r = s + 1; r < to; r++) ahead += 1 - ends[r]!;
  let end = to;
  while (end < n && ahead < 2) ahead += 1 - ends[end++]!;
  return end;
}

/** The span of rank `s`: back to n/2 + 1 ranks, ahead to n/4 + 1. */
export function drawSpan(random: Generator, ends: Uint8Array, s: number): Span {
  const n = ends.length;
  const leap = Math.max(2, Math.floor(n / 4) + 1);
  const back = Math.max(2, Math.floor(n / 2) + 1);
  const fromMin = Math.max(0, s - back);
  const fromMax = Math.max(0, s - 1, fromMin + 1);
  const from = integerIn(random, fromMin, fromMax);
  const toMax = Math.min(n, s + leap);
  const toMin = Math.min(n - 1, s + 1, toMax - 1);
  const to = integerIn(random, toMin, toMax);
  return { from, to: widened(ends, s, to) };
}

/**
 * How often rank `s` leads to each rank of its span under uniform play, into
 * `row`: weights clip(N(0, 1), 0.1, 1), that of `s` itself halved, and 0 where
 * `s` is the highest rank. The floor makes any draw a good one.
 */
export function drawRow(
  random: Generator,
  n: number,
  s: number,
  { from, to }: Span,
  row: Float64Array,
): void {
  let sum = 0;
  for (let j = from; j < to; j++) {
    let weight = clip(normal(random), 0.1, 1);
    if (j === s) weight = s === n - 1 ? 0 : weight / 2;
    row[j - from] = weight;
    sum += weight;
  }
  for (let i = 0; i < to - from; i++) row[i] = row[i]! / sum;
}
