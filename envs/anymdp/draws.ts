/**
 * Draws that the published procedure is written in.
 *
 * @module
 */
import { exponential } from "../../kernels/random/distributions.ts";
import {
  type Generator,
  integer,
  uniform,
} from "../../kernels/random/generator.ts";

/** `x`, or the nearer of the ends where it is outside. */
export function clip(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}

/** U(a, b). */
export function between(random: Generator, a: number, b: number): number {
  return a + (b - a) * uniform(random);
}

/** int[a, b): an integer, the upper end excluded. */
export function integerIn(random: Generator, a: number, b: number): number {
  return a + integer(random, b - a);
}

/** Exp(m), of mean `m`. */
export function exponentialOf(random: Generator, mean: number): number {
  return mean * exponential(random);
}
