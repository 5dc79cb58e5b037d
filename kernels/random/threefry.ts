/**
 * Threefry-4x32-20, the counter-based block function of Random123
 * (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as
 * 1, 2, 3"): 128 bits of key and 128 bits of counter give 128 random bits.
 *
 * It is used where a number must be a function of names (keys), not where
 * many numbers are wanted: for those see `generator.ts`.
 *
 * @module
 */

/** Four unsigned 32-bit words. */
export type Words4 = readonly [number, number, number, number];

/** Rotation distances of rounds 0 to 7, for the two mixes of a round. */
const ROTATIONS = [
  [10, 26],
  [11, 21],
  [13, 27],
  [23, 5],
  [6, 20],
  [17, 11],
  [25, 10],
  [18, 20],
] as const;

/** The Skein parity constant for 32-bit words. */
const PARITY = 0x1bd11bda;
const ROUNDS = 20;

function rotl(x: number, n: number): number {
  return (x << n) | (x >>> (32 - n));
}

/**
 * One block: `key` and `counter` in, four unsigned words out.
 *
 * @example The published known answer for zeros
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const block = threefry4x32([0, 0, 0, 0], [0, 0, 0, 0]);
 * deepEqual(block, [0x9c6ca96a, 0xe17eae66, 0xfc10ecd4, 0x5256a7d8]);
 * ```
 */
export function threefry4x32(key: Words4, counter: Words4): Words4 {
  const k = [key[0], key[1], key[2], key[3], PARITY];
  k[4] = k[4]! ^ key[0] ^ key[1] ^ key[2] ^ key[3];
  let a = (counter[0] + key[0]) | 0;
  let b = (counter[1] + key[1]) | 0;
  let c = (counter[2] + key[2]) | 0;
  let d = (counter[3] + key[3]) | 0;
  for (let round = 0; round < ROUNDS; round++) {
    const [first, second] = ROTATIONS[round & 7]!;
    a = (a + b) | 0;
    const mixedB = rotl(b, first) ^ a;
    c = (c + d) | 0;
    const mixedD = rotl(d, second) ^ c;
    b = mixedD;
    d = mixedB;
    if ((round & 3) !== 3) continue;
    const injection = (round >> 2) + 1;
    a = (a + k[injection % 5]!) | 0;
    b = (b + k[(injection + 1) % 5]!) | 0;
    c = (c + k[(injection + 2) % 5]!) | 0;
    d = (d + k[(injection + 3) % 5]! + injection) | 0;
  }
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0];
}
