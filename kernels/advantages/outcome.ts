/**
 * Advantages of scores within one group: the trials on one task.
 *
 * A group has rows (the steps that are trained on) with a score s[i] each, and
 * entries x[k], of which the mean and the deviation are taken. Where every row is
 * an entry (`pool` of `rows`, as LaMer's and verl's code has it), long trials
 * weigh more than short ones; with an entry for each episode or trial (the mean
 * of its rows, see {@linkcode poolScores}) each weighs the same.
 *
 * With m = mean(x), d = the sample deviation of x (ddof 1), n entries, and
 * ε = 1e-6:
 *
 * | estimator | A[i] | source |
 * |---|---|---|
 * | `grpo` | (s[i] - m) / (d + ε) | Shao and others 2024, DeepSeekMath, equation 4 |
 * | `dr-grpo` | s[i] - m | Liu and others 2025, Dr. GRPO |
 * | `rloo` | n / (n - 1) (s[i] - m), the mean of the others as baseline | Ahmadian and others 2024, equation 8 |
 * | `pass-at-k` | (x(1) - x(2)) / (d + ε) in the best entry, 0 elsewhere | verl, `grpo_passk` |
 *
 * A group of one entry has m = 0 and no deviation to divide by (d + ε is 1 + ε,
 * as in verl), so its scores stay; a group whose entries are all equal gives 0.
 *
 * @module
 */

/** Added to deviations before they divide. */
export const EPSILON = 1e-6;

/** What a group's entries are summed up as. */
export interface Moments {
  /** Entries. */
  readonly count: number;
  /** Their mean; 0 of a single one. */
  readonly mean: number;
  /** Their sample deviation, ddof 1; 1 of a single one. */
  readonly deviation: number;
}

/** What scores of rows are made into entries by. */
export const POOLS = ["rows", "episodes", "trials"] as const;
export type Pool = typeof POOLS[number];

/** Where the rows of a group stand, flat: trial after trial. */
export interface GroupShape {
  /** Rows up to the end of each episode, over all trials. */
  readonly episodeEnds: Int32Array;
  readonly episodes: number;
  /** Episodes up to the end of each trial. */
  readonly trialEnds: Int32Array;
  readonly trials: number;
}

/** The mean, from the first on: that of equal numbers is their value, exactly. */
function meanOf(x: Float64Array, from: number, to: number): number {
  const first = x[from]!;
  let sum = 0;
  for (let i = from + 1; i < to; i++) sum += x[i]! - first;
  return first + sum / (to - from);
}

/**
 * Fills `entries` with what the scores of rows are pooled to, and gives how many
 * there are: the scores themselves, their mean in each episode, or the mean of
 * these in each trial. Episodes and trials without rows have no entry. `entries`
 * is as long as there are rows, or longer.
 *
 * @example Two episodes of one trial, and a trial of one step
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const shape = {
 *   episodeEnds: Int32Array.of(2, 3, 4),
 *   episodes: 3,
 *   trialEnds: Int32Array.of(2, 3),
 *   trials: 2,
 * };
 * const scores = Float64Array.of(1, 3, 6, 5);
 * const entries = new Float64Array(4);
 * deepEqual(poolScores(scores, shape, "episodes", entries), 3);
 * deepEqual([...entries.subarray(0, 3)], [2, 6, 5]);
 * deepEqual(poolScores(scores, shape, "trials", entries), 2);
 * deepEqual([...entries.subarray(0, 2)], [4, 5]);
 * ```
 */
export function poolScores(
  scores: Float64Array,
  { episodeEnds, episodes, trialEnds, trials }: GroupShape,
  pool: Pool,
  entries: Float64Array,
): number {
  const rows = episodes === 0 ? 0 : episodeEnds[episodes - 1]!;
  if (pool === "rows") {
    entries.set(scores.subarray(0, rows));
    return rows;
  }
  let count = 0;
  for (let trial = 0, e = 0; trial < trials; trial++) {
    const start = count;
    for (; e < trialEnds[trial]!; e++) {
      const first = e === 0 ? 0 : episodeEnds[e - 1]!;
      if (first === episodeEnds[e]!) continue;
      entries[count++] = meanOf(scores, first, episodeEnds[e]!);
    }
    if (pool === "episodes" || count === start) continue;
    entries[start] = meanOf(entries, start, count);
    count = start + 1;
  }
  return count;
}

/** The moments of the first `count` entries. */
export function momentsOf(entries: Float64Array, count: number): Moments {
  if (count < 2) return { count, mean: 0, deviation: 1 };
  const mean = meanOf(entries, 0, count);
  let squares = 0;
  for (let k = 0; k < count; k++) squares += (entries[k]! - mean) ** 2;
  return { count, mean, deviation: Math.sqrt(squares / (count - 1)) };
}

/** Estimators that shift and scale scores: A[i] = scale (s[i] - mean). */
export type Centred = "grpo" | "dr-grpo" | "rloo";

/** What the centred scores of an estimator are multiplied by. */
export function scaleOf(
  estimator: Centred,
  { count, deviation }: Moments,
): number {
  if (estimator === "dr-grpo" || count === 0) return 1;
  if (estimator === "grpo") return 1 / (deviation + EPSILON);
  return count === 1 ? 1 : count / (count - 1);
}

/**
 * Fills `advantages` with scale (s[i] - mean) of the first `rows` scores.
 *
 * @example ORBIT's counts of successes
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const scores = Float64Array.of(3, 1, 0, 0);
 * const moments = momentsOf(scores, 4);
 * const advantages = new Float64Array(4);
 * centre(scores, 4, "dr-grpo", moments, advantages);
 * deepEqual([...advantages], [2, 0, -1, -1]);
 * ```
 */
export function centre(
  scores: Float64Array,
  rows: number,
  estimator: Centred,
  moments: Moments,
  advantages: Float64Array,
): void {
  const { mean } = moments;
  const scale = scaleOf(estimator, moments);
  for (let i = 0; i < rows; i++) advantages[i] = scale * (scores[i]! - mean);
}

/** The best entry of a group, and by how much it is better than the next. */
export interface Best {
  /** The first of the best; -1 where there is nothing to compare. */
  readonly entry: number;
  readonly lead: number;
}

/** Finds {@linkcode Best} among the first `count` entries. */
export function bestOf(entries: Float64Array, count: number): Best {
  if (count < 2) return { entry: -1, lead: 0 };
  let entry = 0;
  for (let k = 1; k < count; k++) if (entries[k]! > entries[entry]!) entry = k;
  let next = -Infinity;
  for (let k = 0; k < count; k++) {
    if (k !== entry && entries[k]! > next) next = entries[k]!;
  }
  return { entry, lead: entries[entry]! - next };
}

/** The entry that each row of a group is pooled in, in the order of rows. */
export function entryOfRows(
  { episodeEnds, episodes, trialEnds }: GroupShape,
  pool: Pool,
  entryOf: Int32Array,
): void {
  let [entry, trial, counted] = [-1, 0, false];
  for (let e = 0; e < episodes; e++) {
    const first = e === 0 ? 0 : episodeEnds[e - 1]!;
    while (e >= trialEnds[trial]!) {
      trial++;
      counted = false;
    }
    const isNew = first < episodeEnds[e]! && !(pool === "trials" && counted);
    if (isNew && pool !== "rows") entry++;
    counted ||= isNew;
    for (let i = first; i < episodeEnds[e]!; i++) {
      entryOf[i] = pool === "rows" ? i : entry;
    }
  }
}

/**
 * Fills `advantages` with pass@k's: the lead of the best entry, over the deviation
 * or as it is, to the rows of that entry and 0 to all others. A group of one entry
 * has no next best, and gets 0.
 */
export function passAtK(
  entryOf: Int32Array,
  rows: number,
  entries: Float64Array,
  moments: Moments,
  normalised: boolean,
  advantages: Float64Array,
): void {
  const { entry, lead } = bestOf(entries, moments.count);
  const worth = normalised ? lead / (moments.deviation + EPSILON) : lead;
  for (let i = 0; i < rows; i++) {
    advantages[i] = entryOf[i] === entry ? worth : 0;
  }
}
