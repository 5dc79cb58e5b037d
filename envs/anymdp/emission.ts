/**
 * What is seen of a hidden state: a symbol, drawn anew each time.
 *
 * @module
 */
import { permutation } from "../../kernels/random/distributions.ts";
import {
  type Generator,
  integer,
  uniform,
} from "../../kernels/random/generator.ts";

const DENSEST = 0.2;
const SYMBOLS = 4;

/**
 * A matrix of `states` rows and `symbols` columns, of which a share of min(0.2, 4
 * / symbols) is not 0 but U(0, 1); rows without any have a 1, and all sum to 1.
 */
export function drawEmission(
  random: Generator,
  states: number,
  symbols: number,
): ReadonlyArray<number> {
  const size = states * symbols;
  const matrix = new Array<number>(size).fill(0);
  const filled = Math.floor(size * Math.min(DENSEST, SYMBOLS / symbols));
  const cells = permutation(random, size);
  for (let i = 0; i < filled; i++) matrix[cells[i]!] = 1 - uniform(random);
  for (let first = 0; first < size; first += symbols) {
    const sum = matrix.slice(first, first + symbols).reduce((a, b) => a + b, 0);
    if (sum === 0) matrix[first + integer(random, symbols)] = 1;
    else for (let o = first; o < first + symbols; o++) matrix[o]! /= sum;
  }
  return matrix;
}

/** A symbol of `state`. Takes one uniform. */
export function drawSymbol(
  random: Generator,
  matrix: ReadonlyArray<number>,
  symbols: number,
  state: number,
): number {
  let left = uniform(random);
  let last = 0;
  for (let o = 0, k = state * symbols; o < symbols; o++, k++) {
    const p = matrix[k]!;
    if (p === 0) continue;
    left -= p;
    if (left < 0) return o;
    last = o;
  }
  // Rounding must not end on a symbol that cannot be seen.
  return last;
}
