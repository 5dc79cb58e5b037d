/**
 * The linear-quadratic regulator on a path: what inputs keep the outputs of a
 * linear system near where they should be, over a fixed number of steps.
 *
 * @module
 */
import type { Motion } from "./exponential.ts";
import { product, transpose } from "./matrix.ts";

/** A system in steps: x' = a x + b u + c shows y = `readout` x + `shift`. */
export interface Tracked {
  readonly motion: Motion;
  readonly outputs: number;
  /** [outputs, states] */
  readonly readout: Float64Array;
  /** [outputs] */
  readonly shift: Float64Array;
}

/** The cost of a step: `error` |y' - target|² + `effort` |u|². */
export interface Weights {
  readonly error: number;
  readonly effort: number;
}

/** The best input at step t is -`gain[t]` x - `offset[t]`. */
export interface Regulator {
  readonly steps: number;
  /** [steps, inputs, states] */
  readonly gain: Float64Array;
  /** [steps, inputs] */
  readonly offset: Float64Array;
}

/**
 * Solves in place for the columns of `right` [n, columns] with the matrix `a`
 * [n, n], which must be symmetric and positive definite: no pivots are needed.
 */
function solveDefinite(
  a: Float64Array,
  right: Float64Array,
  n: number,
  columns: number,
): void {
  for (let k = 0; k < n; k++) {
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k]! / a[k * n + k]!;
      takeRow(a, i * n, k * n, factor, n);
      takeRow(right, i * columns, k * columns, factor, columns);
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) {
      takeRow(right, i * columns, k * columns, a[i * n + k]!, columns);
    }
    for (let j = 0; j < columns; j++) {
      right[i * columns + j] = right[i * columns + j]! / a[i * n + i]!;
    }
  }
}

/** Takes `factor` times the row at `other` from the row at `own`. */
function takeRow(
  rows: Float64Array,
  own: number,
  other: number,
  factor: number,
  length: number,
): void {
  for (let j = 0; j < length; j++) {
    rows[own + j] = rows[own + j]! - factor * rows[other + j]!;
  }
}

function addTo(to: Float64Array, other: Float64Array, factor = 1): void {
  for (let i = 0; i < to.length; i++) to[i] = to[i]! + factor * other[i]!;
}

/** A cost to come, x' `square` x + 2 `line`' x, but for what is constant. */
interface Value {
  readonly square: Float64Array;
  readonly line: Float64Array;
}

/** What the cost to come is after a step, with the error that the step leaves. */
function withError(
  { motion: { states }, outputs, readout, shift }: Tracked,
  value: Value,
  target: Float64Array,
  weight: number,
): Value {
  const back = transpose(readout, outputs, states);
  const off = shift.map((d, i) => d - target[i]!);
  const square = product(back, readout, states, outputs, states);
  const line = product(back, off, states, outputs, 1);
  for (let i = 0; i < square.length; i++) square[i] = square[i]! * weight;
  for (let i = 0; i < line.length; i++) line[i] = line[i]! * weight;
  addTo(square, value.square);
  addTo(line, value.line);
  return { square, line };
}

/** The best input of a step as [gain, offset], given the cost after it. */
function inputFor(
  { states: n, inputs: m, a, b, c }: Motion,
  { square, line }: Value,
  effort: number,
): Float64Array {
  const pull = product(transpose(b, n, m), square, m, n, n);
  const curve = product(pull, b, m, n, m);
  for (let i = 0; i < m; i++) curve[i * m + i] = curve[i * m + i]! + effort;
  const gain = product(pull, a, m, n, n);
  const offset = product(pull, c, m, n, 1);
  addTo(offset, product(transpose(b, n, m), line, m, n, 1));
  const both = new Float64Array(m * (n + 1));
  for (let i = 0; i < m; i++) {
    both.set(gain.subarray(i * n, (i + 1) * n), i * (n + 1));
    both[i * (n + 1) + n] = offset[i]!;
  }
  solveDefinite(curve, both, m, n + 1);
  return both;
}

/** The cost to come before a step whose input is `both`. */
function valueBefore(
  { states: n, inputs: m, a, b, c }: Motion,
  { square, line }: Value,
  both: Float64Array,
): Value {
  // By the envelope theorem: half the slope of the cost is a' (S x' + s).
  const moved = product(b, both, n, m, n + 1);
  const closed = new Float64Array(n * n);
  const drift = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      closed[i * n + j] = a[i * n + j]! - moved[i * (n + 1) + j]!;
    }
    drift[i] = c[i]! - moved[i * (n + 1) + n]!;
  }
  const back = transpose(a, n, n);
  const half = product(back, product(square, closed, n, n, n), n, n, n);
  // Rounding must not make it drift from being symmetric.
  const other = transpose(half, n, n);
  const slope = product(square, drift, n, n, 1);
  addTo(slope, line);
  return {
    square: half.map((x, i) => (x + other[i]!) / 2),
    line: product(back, slope, n, n, 1),
  };
}

/**
 * The regulator over the steps of `targets` [steps, outputs], row t being where
 * the output should be after step t; nothing is asked of it after the last.
 * Backward Riccati recursion with affine terms (Anderson and Moore 1990, "Optimal
 * Control: Linear Quadratic Methods", section 4.1). `weights.effort` must be
 * above 0. Costs O(steps · states³).
 *
 * @example One step of a number that adds up its inputs: halfway for equal weights
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const one = Float64Array.of(1);
 * const zero = Float64Array.of(0);
 * const motion = { states: 1, inputs: 1, a: one, b: one, c: zero };
 * const { gain, offset } = regulate(
 *   { motion, outputs: 1, readout: one, shift: zero },
 *   Float64Array.of(6),
 *   { error: 1, effort: 1 },
 * );
 * deepEqual([gain[0], offset[0]], [0.5, -3]);
 * ```
 */
export function regulate(
  system: Tracked,
  targets: Float64Array,
  weights: Weights,
): Regulator {
  const { motion, outputs } = system;
  const { states: n, inputs: m } = motion;
  const steps = targets.length / outputs;
  const gain = new Float64Array(steps * m * n);
  const offset = new Float64Array(steps * m);
  let value: Value = {
    square: new Float64Array(n * n),
    line: new Float64Array(n),
  };
  for (let t = steps - 1; t >= 0; t--) {
    const target = targets.subarray(t * outputs, (t + 1) * outputs);
    const after = withError(system, value, target, weights.error);
    const both = inputFor(motion, after, weights.effort);
    for (let i = 0; i < m; i++) {
      const row = both.subarray(i * (n + 1), (i + 1) * (n + 1));
      gain.set(row.subarray(0, n), (t * m + i) * n);
      offset[t * m + i] = row[n]!;
    }
    value = valueBefore(motion, after, both);
  }
  return { steps, gain, offset };
}
