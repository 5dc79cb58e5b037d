/**
 * Advantages over time, from stored values: generalised advantage estimation,
 * λ-returns and V-trace, within a trial.
 *
 * A trial has episodes n = 0 … N-1 of L[n] steps; steps are flat (`ends`), and
 * `values` have one entry more than steps in each episode, so that V of step `i`
 * of episode `n` stands at `i + n`. Behind the last step of an episode comes
 *
 * - with `cut` at `episode`: nothing where the episode terminated, V of its last
 *   observation where it was truncated;
 * - with `cut` at `trial`: the first step of the next episode, discounted by
 *   `gammaTrial` instead of `gamma`, however the episode ended; behind the last
 *   episode the same as above.
 *
 * With V' the value behind a step (0 where nothing follows) and γ' the discount
 * that leads there,
 *
 *     δ[i] = r[i] + γ' V'[i] - V[i]
 *
 * | estimator | | source |
 * |---|---|---|
 * | `gae` | A[i] = δ[i] + γ' λ A[i+1] | Schulman and others 2016, arXiv 1506.02438, equation 16 |
 * | λ-return | R[i] = r[i] + γ' ((1 - λ) V'[i] + λ R[i+1]) | Sutton and Barto 2018, equation 12.2 |
 * | `vtrace` | v[i] = V[i] + ρ[i] δ[i] + γ' c[i] (v[i+1] - V[i+1]) | Espeholt and others 2018, arXiv 1802.01561, equation 1 |
 *
 * where A, and R - V', and v - V are 0 behind the last step that is reached.
 *
 * @module
 */

/** What ends credit from later steps. */
export const CUTS = ["episode", "trial"] as const;
export type Cut = typeof CUTS[number];

/** The columns of a trial. */
export interface ValuedTrial {
  readonly rewards: Float64Array;
  /** One more than steps in each episode. */
  readonly values: Float64Array;
  readonly ends: Int32Array;
  readonly episodes: number;
  /** 1 where the task itself ended the episode. */
  readonly terminated: Uint8Array;
}

export interface TemporalOptions {
  readonly gamma: number;
  readonly lambda: number;
  readonly gammaTrial: number;
  readonly cut: Cut;
}

/** How a step is joined to what is behind it. */
interface Link {
  /** γ' */
  discount: number;
  /** V' */
  value: number;
  /** Whether what was carried from later steps is of the step behind. */
  joined: boolean;
}

/** Visits steps from the last to the first. */
function backward(
  { values, ends, episodes, terminated }: ValuedTrial,
  { gamma, gammaTrial, cut }: TemporalOptions,
  visit: (i: number, n: number, link: Link) => void,
): void {
  const link: Link = { discount: gamma, value: 0, joined: false };
  // Of the first step of the episode behind, where it is reached from here.
  let next = NaN;
  for (let n = episodes - 1; n >= 0; n--) {
    const first = n === 0 ? 0 : ends[n - 1]!;
    const end = ends[n]!;
    if (first === end) continue;
    link.joined = cut === "trial" && !Number.isNaN(next);
    link.discount = link.joined ? gammaTrial : gamma;
    link.value = link.joined ? next : terminated[n] ? 0 : values[end + n]!;
    for (let i = end - 1; i >= first; i--) {
      visit(i, n, link);
      link.joined = true;
      link.discount = gamma;
      link.value = values[i + n]!;
    }
    next = values[first + n]!;
  }
}

/**
 * Fills `advantages` with A[i] of GAE.
 *
 * @example λ = 1 is Monte Carlo less the value
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const trial = {
 *   rewards: Float64Array.of(0, 4),
 *   values: Float64Array.of(1, 2, 9),
 *   ends: Int32Array.of(2),
 *   episodes: 1,
 *   terminated: Uint8Array.of(1),
 * };
 * const options = { gamma: 0.5, lambda: 1, gammaTrial: 0, cut: "episode" } as const;
 * const advantages = new Float64Array(2);
 * gae(trial, options, advantages);
 * deepEqual([...advantages], [1, 2]);
 * ```
 */
export function gae(
  trial: ValuedTrial,
  options: TemporalOptions,
  advantages: Float64Array,
): void {
  const { rewards, values } = trial;
  let later = 0;
  backward(trial, options, (i, n, { discount, value, joined }) => {
    const delta = rewards[i]! + discount * value - values[i + n]!;
    later = delta + (joined ? discount * options.lambda * later : 0);
    advantages[i] = later;
  });
}

/** Fills `returns` with R[i], the λ-returns: GAE and the value, A[i] + V[i]. */
export function lambdaReturns(
  trial: ValuedTrial,
  options: TemporalOptions,
  returns: Float64Array,
): void {
  const { rewards } = trial;
  const { lambda } = options;
  let later = 0;
  backward(trial, options, (i, _, { discount, value, joined }) => {
    const behind = joined ? (1 - lambda) * value + lambda * later : value;
    returns[i] = later = rewards[i]! + discount * behind;
  });
}

/** Where importance weights are cut off: ρ̄ and c̄ of the paper. */
export interface Clips {
  readonly rho: number;
  readonly c: number;
}

/**
 * Fills `targets` with v[i] of V-trace, and `advantages` with ρ[i] (r[i] + γ'
 * v[i+1] - V[i]). With π and μ the probabilities of the action under the policy
 * that is trained and the one that acted, ρ = min(ρ̄, π/μ) and c = λ min(c̄, π/μ).
 */
export function vtrace(
  trial: ValuedTrial,
  options: TemporalOptions,
  ratio: {
    /** ln π of each action. */
    readonly target: Float64Array;
    /** ln μ of each action. */
    readonly behaviour: Float64Array;
    readonly clips: Clips;
  },
  targets: Float64Array,
  advantages: Float64Array,
): void {
  const { rewards, values } = trial;
  const { target, behaviour, clips } = ratio;
  // v - V, and v itself, of the step behind.
  let [off, next] = [0, 0];
  backward(trial, options, (i, n, { discount, value, joined }) => {
    const weight = Math.exp(target[i]! - behaviour[i]!);
    const rho = Math.min(clips.rho, weight);
    const c = options.lambda * Math.min(clips.c, weight);
    const own = values[i + n]!;
    const delta = rho * (rewards[i]! + discount * value - own);
    advantages[i] = rho *
      (rewards[i]! + discount * (joined ? next : value) - own);
    off = delta + (joined ? discount * c * off : 0);
    targets[i] = next = own + off;
  });
}
