/**
 * The paper's test that a task forgets where it started.
 *
 * @module
 */
import type { BandedMdp } from "../../kernels/solvers/banded.ts";
import type { Draft } from "./task.ts";

/** The chain of uniform play, in which an end is followed by a start. */
function uniformChain(mdp: BandedMdp, draft: Draft): Float64Array {
  const { states, actions, from, to, offset, probability } = mdp;
  const chain = new Float64Array(states * states);
  for (let s = 0; s < states; s++) {
    const first = s * states;
    if (draft.ends[s]) {
      draft.starts.forEach((j, i) =>
        chain[first + j] = draft.startProbability[i]!
      );
      continue;
    }
    for (let row = s * actions; row < (s + 1) * actions; row++) {
      for (let j = from[row]!, k = offset[row]!; j < to[row]!; j++, k++) {
        chain[first + j] = chain[first + j]! + probability[k]! / actions;
      }
    }
  }
  return chain;
}

/** `chain` times itself, into `out`. */
function square(chain: Float64Array, n: number, out: Float64Array): void {
  out.fill(0);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const x = chain[i * n + k]!;
      if (x === 0) continue;
      for (let j = 0; j < n; j++) {
        out[i * n + j] = out[i * n + j]! + x * chain[k * n + j]!;
      }
    }
  }
}

/** The largest variance of a column over the rows. */
function largestVariance(chain: Float64Array, n: number): number {
  let largest = 0;
  for (let j = 0; j < n; j++) {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < n; i++) sum += chain[i * n + j]!;
    for (let i = 0; i < n; i++) squares += (chain[i * n + j]! - sum / n) ** 2;
    largest = Math.max(largest, squares / n);
  }
  return largest;
}

/**
 * How much the start still matters after 2^(⌊log2 T⌋ + 1) steps of uniform play:
 * the largest variance, over the starts, of the probability of being in a state.
 * 0 where the chain has forgotten its start, which an ergodic one does (Wang and
 * others 2025, arXiv 2502.02869: a task is refused where the rows of the chain's
 * power still differ; no tolerance is given, and the program has no such test).
 * Tasks as the program draws them hardly ever differ by more than rounding: the
 * largest seen in 200 of 16 states and 200 of 64 was 2e-12.
 */
export function memoryOfStart(mdp: BandedMdp, draft: Draft): number {
  const n = mdp.states;
  let chain = uniformChain(mdp, draft);
  let next: Float64Array = new Float64Array(n * n);
  const doublings = Math.floor(Math.log2(draft.maxSteps)) + 1;
  for (let i = 0; i < doublings; i++) {
    square(chain, n, next);
    [chain, next] = [next, chain];
  }
  return largestVariance(chain, n);
}
