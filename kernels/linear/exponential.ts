/**
 * The matrix exponential, and what linear systems do in a step of time by it.
 *
 * @module
 */
import { identity, product, rowNorm } from "./matrix.ts";

/** Norm that a matrix is halved down to before its series is summed. */
const SMALL = 0.5;
/** Terms of the series: at that norm, what follows is below 2^-60. */
const TERMS = 16;

/** The series 1 + a + a²/2! + ..., by Horner's rule. */
function series(a: Float64Array, n: number): Float64Array {
  let sum = identity(n);
  for (let k = TERMS; k > 0; k--) {
    sum = product(a, sum, n, n, n);
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! / k;
    for (let i = 0; i < n; i++) sum[i * n + i] = sum[i * n + i]! + 1;
  }
  return sum;
}

/**
 * e to the power of `a` [n, n], by scaling and squaring around a Taylor series
 * (method 3 of Moler and Van Loan 2003, "Nineteen dubious ways to compute the
 * exponential of a matrix"). For matrices of tens of rows and moderate norm: each
 * squaring may double the relative error.
 *
 * @throws RangeError where an entry is not finite.
 *
 * @example A quarter of a turn
 * ```ts
 * import { ok } from "node:assert/strict";
 *
 * const [cos, sin] = matrixExponential(
 *   Float64Array.of(0, -Math.PI / 2, Math.PI / 2, 0),
 *   2,
 * ).filter((_, i) => i % 2 === 0);
 * ok(Math.abs(cos!) < 1e-14 && Math.abs(sin! - 1) < 1e-14);
 * ```
 */
export function matrixExponential(a: Float64Array, n: number): Float64Array {
  const norm = rowNorm(a, n);
  if (!Number.isFinite(norm)) {
    throw new RangeError(`Cannot exponentiate a matrix of norm ${norm}`);
  }
  const halvings = Math.max(0, Math.ceil(Math.log2(norm / SMALL)));
  let power = series(a.map((x) => x / 2 ** halvings), n);
  for (let i = 0; i < halvings; i++) power = product(power, power, n, n, n);
  return power;
}

/** x' = `a` x + `b` u + `c`: the rate of change, or what comes next. */
export interface Motion {
  readonly states: number;
  readonly inputs: number;
  /** [states, states] */
  readonly a: Float64Array;
  /** [states, inputs] */
  readonly b: Float64Array;
  /** [states] */
  readonly c: Float64Array;
}

/**
 * What a motion in continuous time does in `time` under an input that is held
 * (zero-order hold), exactly: one exponential of the three blocks together (Van
 * Loan 1978, "Computing integrals involving the matrix exponential").
 *
 * @example A mass that is pushed: half a unit in the first second
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const next = held({
 *   states: 2,
 *   inputs: 1,
 *   a: Float64Array.of(0, 1, 0, 0),
 *   b: Float64Array.of(0, 1),
 *   c: Float64Array.of(0, 0),
 * }, 1);
 * deepEqual([...next.a, ...next.b], [1, 1, 0, 1, 0.5, 1]);
 * ```
 */
export function held(motion: Motion, time: number): Motion {
  const { states, inputs } = motion;
  const size = states + inputs + 1;
  const blocks = new Float64Array(size * size);
  for (let i = 0; i < states; i++) {
    const row = i * size;
    blocks.set(motion.a.subarray(i * states, (i + 1) * states), row);
    blocks.set(motion.b.subarray(i * inputs, (i + 1) * inputs), row + states);
    blocks[row + size - 1] = motion.c[i]!;
  }
  const whole = matrixExponential(blocks.map((x) => x * time), size);
  const a = new Float64Array(states * states);
  const b = new Float64Array(states * inputs);
  const c = new Float64Array(states);
  for (let i = 0; i < states; i++) {
    const row = whole.subarray(i * size, (i + 1) * size);
    a.set(row.subarray(0, states), i * states);
    b.set(row.subarray(states, size - 1), i * inputs);
    c[i] = row[size - 1]!;
  }
  return { states, inputs, a, b, c };
}
