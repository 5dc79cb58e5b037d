/**
 * Bulk random numbers: xoshiro128++ 1.0 (Blackman and Vigna 2021, "Scrambled
 * linear pseudorandom number generators"). Period 2^128 - 1, 32 bits a draw,
 * nothing but 32-bit integer operations, which is what a JIT does best.
 *
 * A generator is its four words of state, changed by each draw; it is made of a
 * {@linkcode Key} and never shared between two purposes.
 *
 * @module
 */
import type { Key } from "./key.ts";

/** The state of one stream: four words, not all zero. */
export type Generator = Int32Array;

const TWO_32 = 2 ** 32;
const TWO_M32 = 2 ** -32;
const TWO_M53 = 2 ** -53;

/** A stream of its own for `key`. */
export function generator(key: Key): Generator {
  const state = new Int32Array(4);
  reseed(state, key);
  return state;
}

/** Starts `random` afresh on the stream of `key`, without a new array. */
export function reseed(random: Generator, key: Key): void {
  for (let i = 0; i < 4; i++) random[i] = key[i]!;
  // All zeros is the one state that never leaves itself.
  if ((key[0] | key[1] | key[2] | key[3]) === 0) random[0] = 1;
}

/**
 * 32 random bits, as a signed integer.
 *
 * @example The first outputs from state 1, 2, 3, 4 (reference implementation)
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const random = generator([1, 2, 3, 4]);
 * deepEqual([bits(random), bits(random)], [641, 1573767]);
 * ```
 */
export function bits(random: Generator): number {
  const s0 = random[0]!;
  let s1 = random[1]!;
  let s2 = random[2]!;
  let s3 = random[3]!;
  const sum = (s0 + s3) | 0;
  const result = (((sum << 7) | (sum >>> 25)) + s0) | 0;
  const t = s1 << 9;
  s2 ^= s0;
  s3 ^= s1;
  s1 ^= s2;
  random[0] = s0 ^ s3;
  random[1] = s1;
  random[2] = s2 ^ t;
  random[3] = (s3 << 11) | (s3 >>> 21);
  return result;
}

/** A double in [0, 1), of 53 random bits. */
export function uniform(random: Generator): number {
  const high = bits(random) >>> 5;
  const low = bits(random) >>> 6;
  return (high * 67108864 + low) * TWO_M53;
}

/**
 * An integer in [0, n), each equally likely, for 1 <= n <= 2^21.
 *
 * Multiplies and rejects (Lemire 2019, "Fast random integer generation in an
 * interval"): the product of 32 bits and `n` is exact in a double.
 *
 * @example
 * ```ts
 * import { ok } from "node:assert/strict";
 *
 * const die = integer(generator([1, 2, 3, 4]), 6);
 * ok(die >= 0 && die < 6);
 * ```
 */
export function integer(random: Generator, n: number): number {
  let product = (bits(random) >>> 0) * n;
  let low = product >>> 0;
  if (low < n) {
    const threshold = TWO_32 % n;
    while (low < threshold) {
      product = (bits(random) >>> 0) * n;
      low = product >>> 0;
    }
  }
  return (product * TWO_M32) | 0;
}
