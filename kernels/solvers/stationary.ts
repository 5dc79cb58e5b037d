/**
 * Where a chain is in the long run.
 *
 * @module
 */

/** Marks in `seen` what can be reached from `start`, by edges either way. */
function reach(
  chain: Float64Array,
  n: number,
  start: number,
  backwards: boolean,
): Uint8Array {
  const seen = new Uint8Array(n);
  const queue = [start];
  seen[start] = 1;
  for (let head = 0; head < queue.length; head++) {
    const i = queue[head]!;
    for (let j = 0; j < n; j++) {
      if (seen[j] || chain[backwards ? j * n + i : i * n + j] === 0) continue;
      seen[j] = 1;
      queue.push(j);
    }
  }
  return seen;
}

/** The states of a class that a chain from `start` can end up in for good. */
function closedClass(
  chain: Float64Array,
  n: number,
  start: number,
): ReadonlyArray<number> {
  let at = start;
  for (;;) {
    const ahead = reach(chain, n, at, false);
    const behind = reach(chain, n, at, true);
    const lost = ahead.findIndex((seen, j) => seen === 1 && behind[j] === 0);
    // From a state of no return fewer states can be reached, so this ends.
    if (lost < 0) return [...ahead.keys()].filter((j) => ahead[j] === 1);
    at = lost;
  }
}

/**
 * The stationary distribution of the chain with rows `chain[i * n + j]`, which
 * sum to 1: π = πP. Where several classes of states hold the chain for good, it
 * is that of one which can be reached from state 0.
 *
 * By the elimination of Grassmann, Taksar and Heyman (1985), which subtracts
 * nothing, so that each probability has a small relative error, however small it
 * is (O'Cinneide 1993).
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const chain = Float64Array.of(0.5, 0.5, 0.25, 0.75);
 * deepEqual([...stationary(chain, 2)].map((p) => +p.toFixed(12)), [
 *   0.333333333333,
 *   0.666666666667,
 * ]);
 * ```
 */
export function stationary(chain: Float64Array, n: number): Float64Array {
  const states = closedClass(chain, n, 0);
  const m = states.length;
  const p = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) {
      p[i * m + j] = chain[states[i]! * n + states[j]!]!;
    }
  }
  const mass = eliminate(p, m);
  const result = new Float64Array(n);
  let total = 0;
  for (let i = 0; i < m; i++) total += mass[i]!;
  for (let i = 0; i < m; i++) result[states[i]!] = mass[i]! / total;
  return result;
}

/** Unnormalised stationary mass of an irreducible chain, which is used up. */
function eliminate(p: Float64Array, m: number): Float64Array {
  for (let k = m - 1; k > 0; k--) {
    let out = 0;
    for (let j = 0; j < k; j++) out += p[k * m + j]!;
    for (let i = 0; i < k; i++) {
      const share = p[i * m + k]! / out;
      p[i * m + k] = share;
      if (share === 0) continue;
      for (let j = 0; j < k; j++) {
        p[i * m + j] = p[i * m + j]! + share * p[k * m + j]!;
      }
    }
  }
  const mass = new Float64Array(m);
  mass[0] = 1;
  for (let k = 1; k < m; k++) {
    let sum = 0;
    for (let i = 0; i < k; i++) sum += mass[i]! * p[i * m + k]!;
    mass[k] = sum;
  }
  return mass;
}
