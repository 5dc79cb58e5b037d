/**
 * A task as a finite MDP, in flat arrays.
 *
 * Outcome `k` of action `a` in state `s` stands at `(s * actions + a) *
 * branches + k`. Time is not part of the state: the horizon is the rollout's.
 *
 * @module
 */

export interface Table {
  readonly states: number;
  readonly actions: number;
  /** Outcomes for each state and action; 1 where nothing is random. */
  readonly branches: number;
  /** Next state of each outcome. */
  readonly next: Int32Array;
  /** Probability of each outcome; sums to 1 over the branches. */
  readonly probability: Float64Array;
  /** Mean reward of each outcome. */
  readonly reward: Float64Array;
  /** 1 where the outcome ends the episode. */
  readonly terminal: Uint8Array;
  /** 1 where the outcome solves the task. */
  readonly success: Uint8Array;
  /** States that an episode starts in. */
  readonly starts: Int32Array;
  /** Probability of each start, which sum to 1; equally likely if absent. */
  readonly startProbability?: Float64Array;
  /** Standard deviation of normal noise on every reward; none if absent. */
  readonly rewardDeviation?: number;
  /** The same of each outcome, where outcomes differ in it. */
  readonly rewardDeviations?: Float64Array;
  /** Noisy rewards are rounded to so many parts of 1; a million if absent. */
  readonly rewardParts?: number;
  /** What the agent sees in each state, as an index; the state if absent. */
  readonly observation?: Int32Array;
  /** Number of observation indices; `states` if absent. */
  readonly observationCount?: number;
  /** What index `i` reads as in a row: row `i` of a matrix this wide. */
  readonly vectors?: { readonly width: number; readonly values: Float64Array };
}
