import { exponential, normal } from "../../kernels/random/distributions.ts";
import { type Generator, uniform } from "../../kernels/random/generator.ts";

/** Steps up to 2^24 are composed of powers of the drift. */
const POWERS = 24;

function squared(m: Float64Array, n: number): Float64Array {
  const product = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) {
        product[i * n + j]! += m[i * n + k]! * m[k * n + j]!;
      }
    }
  }
  return product;
}

/** The matrix that actions are mixed by in a step, to the powers 1, 2, 4, ... */
function drawDrift(random: Generator, n: number): ReadonlyArray<Float64Array> {
  const scale = 1e-5 * exponential(random);
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    let kept = 1;
    for (let j = 0; j < n; j++) {
      if (i === j) continue;
      const lost = scale * uniform(random);
      matrix[i * n + j] = lost;
      kept -= lost;
    }
    matrix[i * n + i] = kept;
  }
  const powers: Array<Float64Array> = [matrix];
  for (let i = 1; i < POWERS; i++) powers.push(squared(powers[i - 1]!, n));
  return powers;
}

/**
 * A fixed random policy, softmax of N(0, Exp(2)²), whose probabilities are mixed
 * a little in each step; gives its action in a state at step `t` of the trial,
 * where `t` never falls. A state's row is mixed when it is needed, by all steps
 * since it last was.
 */
export function driftingTable(
  random: Generator,
  states: number,
  actions: number,
): (state: number, t: number) => number {
  const spread = 2 * exponential(random);
  const odds = Float64Array.from(
    { length: states * actions },
    () => Math.exp(spread * normal(random)),
  );
  const powers = drawDrift(random, actions);
  const mixedAt = new Int32Array(states);
  const row = new Float64Array(actions);
  const mix = (first: number, m: Float64Array) => {
    row.fill(0);
    for (let i = 0; i < actions; i++) {
      for (let j = 0; j < actions; j++) {
        row[j] = row[j]! + odds[first + i]! * m[i * actions + j]!;
      }
    }
    odds.set(row, first);
  };
  return (state, t) => {
    const first = state * actions;
    const missed = t - mixedAt[state]!;
    mixedAt[state] = t;
    for (let i = 0; i < POWERS && missed >> i > 0; i++) {
      if (missed >> i & 1) mix(first, powers[i]!);
    }
    let total = 0;
    for (let a = 0; a < actions; a++) total += odds[first + a]!;
    let left = uniform(random) * total;
    for (let a = 0; a < actions - 1; a++) {
      left -= odds[first + a]!;
      if (left < 0) return a;
    }
    return actions - 1;
  };
}
