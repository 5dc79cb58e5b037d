/**
 * Returns of a trial: what each action is credited with, within its episode and
 * across the episodes after it.
 *
 * A trial has episodes n = 0 … N-1 of L[n] steps, with rewards r[n,t] for
 * t = 0 … L[n]-1. Columns are flat: episode `n` stands at `ends[n-1]` to
 * `ends[n]` of `rewards` (`ends[-1]` is 0). With γ = `gamma` within an episode
 * and Γ = `gammaTrial` across episodes,
 *
 *     g[n,t] = r[n,t] + γ g[n,t+1],   g[n,L[n]] = 0
 *
 * and the four forms differ in what they add for the episodes that follow:
 *
 * | form | return G[n,t] | source |
 * |---|---|---|
 * | `lamer` | g[n,t] + γ^(L[n]-1-t) Γ G[n+1,0] | LaMer's released code |
 * | `paper` | g[n,t] + Σ_{m>n} Γ^(m-n) g[m,0] | LaMer's paper |
 * | `orbit` | number of successful episodes, for every step | ORBIT |
 * | `differential` | g[n,t] - g[n-1,0] + Σ_{m>n} Γ^(m-n) (g[m,0] - g[m-1,0]) | gain over the last episode |
 *
 * A reflection stands between two episodes and is credited as the first step of
 * the episode that follows it: G[n+1,0].
 *
 * @module
 */

/** The forms of credit across episodes. */
export const CROSS_FORMS = [
  "lamer",
  "paper",
  "orbit",
  "differential",
] as const;
export type CrossForm = typeof CROSS_FORMS[number];

/** Discounts, and the form of credit across episodes. */
export interface ReturnOptions {
  readonly gamma: number;
  readonly gammaTrial: number;
  readonly cross: CrossForm;
}

/** The columns of a trial that returns are made of. */
export interface RewardColumns {
  /** r[n,t], flat; may be longer than the trial. */
  readonly rewards: Float64Array;
  /** Steps up to the end of each episode; may be longer than `episodes`. */
  readonly ends: Int32Array;
  readonly episodes: number;
  /** 1 where an episode solved the task; only `orbit` reads it. */
  readonly success: Uint8Array;
}

/** Fills `returns` with g[n,t], the returns within each episode. */
function withinEpisodes(
  { rewards, ends, episodes }: RewardColumns,
  gamma: number,
  returns: Float64Array,
): void {
  for (let n = 0, first = 0; n < episodes; n++) {
    let g = 0;
    for (let i = ends[n]! - 1; i >= first; i--) {
      returns[i] = g = rewards[i]! + gamma * g;
    }
    first = ends[n]!;
  }
}

/** One backward pass: γ within an episode, Γ on entering an earlier one. */
function asImplemented(
  { rewards, ends, episodes }: RewardColumns,
  { gamma, gammaTrial }: ReturnOptions,
  returns: Float64Array,
): void {
  let g = 0;
  for (let n = episodes - 1; n >= 0; n--) {
    const first = n === 0 ? 0 : ends[n - 1]!;
    let discount = gammaTrial;
    for (let i = ends[n]! - 1; i >= first; i--) {
      returns[i] = g = rewards[i]! + discount * g;
      discount = gamma;
    }
    if (ends[n] === first) g *= gammaTrial;
  }
}

/** Adds to each step what its form gives for other episodes. */
function addAcross(
  { ends, episodes }: RewardColumns,
  { gammaTrial, cross }: ReturnOptions,
  returns: Float64Array,
): void {
  const differential = cross === "differential";
  let later = 0;
  for (let n = episodes - 1; n >= 0; n--) {
    const first = n === 0 ? 0 : ends[n - 1]!;
    const before = n > 1 ? ends[n - 2]! : 0;
    const own = first < ends[n]! ? returns[first]! : 0;
    const last = differential && n > 0 && before < first ? returns[before]! : 0;
    for (let i = first; i < ends[n]!; i++) {
      returns[i] = returns[i]! + later - last;
    }
    later = gammaTrial * (later + own - last);
  }
}

/**
 * Writes G[n,t] of every step into `returns`, flat like the rewards.
 *
 * @example Two steps, then a win; γ = 1/2, Γ = 1
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const trial = {
 *   rewards: Float64Array.of(0, 0, 1),
 *   ends: Int32Array.of(2, 3),
 *   episodes: 2,
 *   success: Uint8Array.of(0, 1),
 * };
 * const options = { gamma: 0.5, gammaTrial: 1, cross: "lamer" } as const;
 * const returns = new Float64Array(3);
 * trialReturns(trial, options, returns);
 * deepEqual([...returns], [0.5, 1, 1]);
 * trialReturns(trial, { ...options, cross: "paper" }, returns);
 * deepEqual([...returns], [1, 1, 1]);
 * ```
 */
export function trialReturns(
  trial: RewardColumns,
  options: ReturnOptions,
  returns: Float64Array,
): void {
  if (options.cross === "lamer") return asImplemented(trial, options, returns);
  if (options.cross !== "orbit") {
    withinEpisodes(trial, options.gamma, returns);
    return addAcross(trial, options, returns);
  }
  let solved = 0;
  for (let n = 0; n < trial.episodes; n++) solved += trial.success[n]!;
  returns.fill(solved, 0, trial.ends[trial.episodes - 1] ?? 0);
}

/**
 * The return of the reflection after each episode: that of the first step of the
 * next episode, of length `episodes - 1` or more. An episode without steps hands
 * on what follows it; after the last episode there is nothing to credit, so 0.
 */
export function reflectionReturn(
  { ends, episodes }: Pick<RewardColumns, "ends" | "episodes">,
  returns: Float64Array,
  n: number,
): number {
  const next = ends[n]!;
  return next < ends[episodes - 1]! ? returns[next]! : 0;
}
