/**
 * A policy that is the same at every step turns a finite MDP into a chain: one
 * row of probabilities a state, in which actions no longer matter. Following it
 * costs a fraction of what following the MDP does.
 *
 * @module
 */
import type { FiniteMdp } from "./finite_horizon.ts";

/** Entries of state `s` are `first[s]` to `first[s + 1]`. */
interface Chain {
  readonly first: Int32Array;
  readonly to: Int32Array;
  /** Probability of going on there. */
  readonly alive: Float64Array;
  /** The same, and not having solved the task by it. */
  readonly unsolved: Float64Array;
  /** Mean reward, and probability of solving the task, of a step. */
  readonly paid: Float64Array;
  readonly solves: Float64Array;
}

/** The rows of one state added up, by where they go on. */
interface Row {
  readonly alive: Float64Array;
  readonly unsolved: Float64Array;
}

/** Adds action `a` in `s`, taken with probability `share`. */
function addAction(
  mdp: FiniteMdp,
  s: number,
  a: number,
  share: number,
  { alive, unsolved }: Row,
  { paid, solves }: Chain,
): void {
  const { actions, branches, next, probability, reward } = mdp;
  const first = (s * actions + a) * branches;
  for (let k = first; k < first + branches; k++) {
    const p = share * probability[k]!;
    const j = next[k]!;
    paid[s] = paid[s]! + p * reward[k]!;
    if (mdp.success[k]) solves[s] = solves[s]! + p;
    if (mdp.terminal[k]) continue;
    alive[j] = alive[j]! + p;
    if (!mdp.success[k]) unsolved[j] = unsolved[j]! + p;
  }
}

function chainOf(mdp: FiniteMdp, policy: Int32Array, epsilon: number): Chain {
  const { states: n, actions } = mdp;
  const size = n * Math.min(n, actions * mdp.branches);
  const chain = {
    first: new Int32Array(n + 1),
    to: new Int32Array(size),
    alive: new Float64Array(size),
    unsolved: new Float64Array(size),
    paid: new Float64Array(n),
    solves: new Float64Array(n),
  };
  const row = { alive: new Float64Array(n), unsolved: new Float64Array(n) };
  let i = 0;
  for (let s = 0; s < n; s++) {
    row.alive.fill(0);
    row.unsolved.fill(0);
    for (let a = 0; a < actions; a++) {
      const share = epsilon / actions + (a === policy[s] ? 1 - epsilon : 0);
      if (share > 0) addAction(mdp, s, a, share, row, chain);
    }
    for (let j = 0; j < n; j++) {
      if (row.alive[j] === 0) continue;
      chain.to[i] = j;
      chain.alive[i] = row.alive[j]!;
      chain.unsolved[i++] = row.unsolved[j]!;
    }
    chain.first[s + 1] = i;
  }
  return chain;
}

/**
 * Return, success and length of `horizon` steps from each state, interleaved, of
 * taking action `policy[s]` in state `s`, with probability `epsilon` a uniform
 * one instead.
 *
 * @example Going on half the time, from the one state there is
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const mdp = {
 *   states: 1,
 *   actions: 2,
 *   branches: 1,
 *   next: Int32Array.of(0, 0),
 *   probability: Float64Array.of(1, 1),
 *   reward: Float64Array.of(0, 1),
 *   terminal: Uint8Array.of(0, 1),
 *   success: Uint8Array.of(0, 1),
 *   starts: Int32Array.of(0),
 * };
 * const worths = followPolicy(mdp, 2, Int32Array.of(1), 1);
 * deepEqual([...worths], [0.75, 0.75, 1.5]);
 * ```
 */
export function followPolicy(
  mdp: FiniteMdp,
  horizon: number,
  policy: Int32Array,
  epsilon: number,
): Float64Array {
  const { first, to, alive, unsolved, paid, solves } = chainOf(
    mdp,
    policy,
    epsilon,
  );
  const { states } = mdp;
  let later = new Float64Array(3 * states);
  let now = new Float64Array(3 * states);
  for (let t = 0; t < horizon; t++) {
    for (let s = 0; s < states; s++) {
      let [worth, solved, length] = [paid[s]!, solves[s]!, 1];
      for (let i = first[s]!; i < first[s + 1]!; i++) {
        const at = 3 * to[i]!;
        const p = alive[i]!;
        worth += p * later[at]!;
        solved += unsolved[i]! * later[at + 1]!;
        length += p * later[at + 2]!;
      }
      now[3 * s] = worth;
      now[3 * s + 1] = solved;
      now[3 * s + 2] = length;
    }
    [later, now] = [now, later];
  }
  return later;
}
