/**
 * The linear systems of policy evaluation, (I - γP) x = r, by elimination
 * within the envelope of the rows.
 *
 * The matrix is strictly diagonally dominant by rows for γ < 1, so that no
 * pivots need be looked for: growth is at most 2 (Higham 2002, "Accuracy and
 * Stability of Numerical Algorithms", theorem 9.9). Without pivoting a row
 * never fills in to the left of its first entry, which in banded chains saves
 * most of the work.
 *
 * @module
 */

/** What systems of up to `size` unknowns are solved in; used again and again. */
export interface LinearScratch {
  readonly size: number;
  /** Row `i` starts at `i * size`; only its envelope is ever read. */
  readonly matrix: Float64Array;
  /** First column of each row's envelope, at most `i`. */
  readonly first: Int32Array;
  /** Column after the last of each row's envelope, above `i`. */
  readonly end: Int32Array;
  /** One over each pivot. */
  readonly inverse: Float64Array;
}

/** Room for systems of up to `size` unknowns. */
export function linearScratch(size: number): LinearScratch {
  return {
    size,
    matrix: new Float64Array(size * size),
    first: new Int32Array(size),
    end: new Int32Array(size),
    inverse: new Float64Array(size),
  };
}

/** Takes `factor` times row `k` from row `i`, from column `k + 1` on. */
function takeRow(
  { size, matrix, end }: LinearScratch,
  i: number,
  k: number,
  factor: number,
): void {
  const last = end[k]!;
  const own = i * size;
  if (last > end[i]!) {
    // The envelope grows to the right, over what an earlier system left there.
    matrix.fill(0, own + end[i]!, own + last);
    end[i] = last;
  }
  const shift = (k - i) * size;
  for (let at = own + k + 1; at < own + last; at++) {
    matrix[at] = matrix[at]! - factor * matrix[at + shift]!;
  }
}

/**
 * Factorises in place the leading `n` rows of `scratch`, whose matrix must be
 * diagonally dominant: afterwards its lower part holds the factors, its upper
 * part U, and `inverse` one over U's diagonal.
 */
export function factorise(scratch: LinearScratch, n: number): void {
  const { size, matrix, first, inverse } = scratch;
  for (let i = 0; i < n; i++) {
    const own = i * size;
    for (let k = first[i]!; k < i; k++) {
      const entry = matrix[own + k]!;
      if (entry === 0) continue;
      const factor = entry * inverse[k]!;
      matrix[own + k] = factor;
      takeRow(scratch, i, k, factor);
    }
    inverse[i] = 1 / matrix[own + i]!;
  }
}

/** Solves for the right-hand side `x`, in place, after {@linkcode factorise}. */
export function substitute(
  { size, matrix, first, end, inverse }: LinearScratch,
  n: number,
  x: Float64Array,
): void {
  for (let i = 0; i < n; i++) {
    let sum = x[i]!;
    const own = i * size;
    for (let k = first[i]!; k < i; k++) sum -= matrix[own + k]! * x[k]!;
    x[i] = sum;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i]!;
    const own = i * size;
    const last = end[i]!;
    for (let j = i + 1; j < last; j++) sum -= matrix[own + j]! * x[j]!;
    x[i] = sum * inverse[i]!;
  }
}
