/**
 * Products of small dense matrices, which are stored row by row.
 *
 * @module
 */

/** `a` [rows, inner] times `b` [inner, columns]: [rows, columns]. */
export function product(
  a: Float64Array,
  b: Float64Array,
  rows: number,
  inner: number,
  columns: number,
): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const factor = a[i * inner + k]!;
      if (factor === 0) continue;
      for (let j = 0; j < columns; j++) {
        const at = i * columns + j;
        out[at] = out[at]! + factor * b[k * columns + j]!;
      }
    }
  }
  return out;
}

/** The transpose of `a` [rows, columns]: [columns, rows]. */
export function transpose(
  a: Float64Array,
  rows: number,
  columns: number,
): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = a[i * columns + j]!;
  }
  return out;
}

/** The identity [n, n]. */
export function identity(n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * n + i] = 1;
  return out;
}

/** The largest sum of sizes in a row of `a` [n, n]; NaN where an entry is. */
export function rowNorm(a: Float64Array, n: number): number {
  let largest = 0;
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += Math.abs(a[i * n + j]!);
    largest = Math.max(largest, sum);
  }
  return largest;
}
