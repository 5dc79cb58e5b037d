/**
 * Intervals that a figure lies in, as far as a sample can tell.
 *
 * @module
 */
import { generator, integer } from "../random/generator.ts";
import type { Key } from "../random/key.ts";

export type Interval = readonly [low: number, high: number];

/** The 0.975 quantile of the standard normal: two sides of 95%. */
export const Z95 = 1.959963984540054;

/**
 * The score interval of a proportion, c successes of n independent tries (Wilson
 * 1927): the p in [0, 1] for which (p̂ - p)^2 <= z^2 p (1 - p) / n, with p̂ = c / n
 * and z the normal quantile of the level. All of [0, 1] where n is 0; a RangeError
 * unless 0 <= c <= n.
 *
 * @example None of 20 (Newcombe 1998, Statistics in Medicine 17, table I)
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const [low, high] = wilson(0, 20);
 * deepEqual([low, high.toFixed(4)], [0, "0.1611"]);
 * ```
 */
export function wilson(c: number, n: number, z: number = Z95): Interval {
  if (!(c >= 0 && c <= n)) {
    throw new RangeError(`Cannot have ${c} successes of ${n} tries`);
  }
  if (n === 0) return [0, 1];
  const centre = (c + z * z / 2) / (n + z * z);
  const half = z / (n + z * z) * Math.sqrt(c * (n - c) / n + z * z / 4);
  // At the ends the root is exact, but its rounding is not.
  return [c === 0 ? 0 : centre - half, c === n ? 1 : centre + half];
}

/**
 * The quantile q in [0, 1] of sorted values, one at least, linear between them
 * (type 7 of Hyndman and Fan 1996: numpy's default).
 *
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 *
 * equal(quantile([1, 2, 4], 0.75), 3);
 * ```
 */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (at - below) * (high - low);
}

/** How often to draw anew, and how much the interval should hold. */
export interface BootstrapOptions {
  readonly resamples: number;
  /** In (0, 1). */
  readonly level: number;
}

/**
 * The percentile interval of a statistic (Efron 1979): groups are drawn anew with
 * putting back, as many as there are, and the interval holds the middle `level` of
 * what the statistic makes of them. Trials of one task hang together, so tasks
 * are what is to be drawn: `statistic` gets indices of groups, in memory that is
 * written over, and gives a finite number. The draws are those of `key`.
 *
 * Throws a RangeError for no groups, more than 2^21, or no finite number.
 *
 * @example The success rate of three tasks, of one to four trials each
 * ```ts
 * import { ok } from "node:assert/strict";
 * import { rootKey } from "../random/key.ts";
 *
 * const rate = ratioOf([1, 0, 3], [2, 1, 4]);
 * const options = { resamples: 1000, level: 0.95 };
 * const [low, high] = bootstrap(3, rate, rootKey("7"), options);
 * ok(low === 0 && high === 0.75);
 * ```
 */
export function bootstrap(
  groups: number,
  statistic: (drawn: Int32Array) => number,
  key: Key,
  { resamples, level }: BootstrapOptions,
): Interval {
  if (!(groups >= 1 && groups <= 2 ** 21)) {
    throw new RangeError(`Cannot draw from ${groups} groups`);
  }
  const random = generator(key);
  const drawn = new Int32Array(groups);
  const found = new Float64Array(resamples);
  for (let b = 0; b < resamples; b++) {
    for (let i = 0; i < groups; i++) drawn[i] = integer(random, groups);
    found[b] = statistic(drawn);
    if (!Number.isFinite(found[b])) {
      throw new RangeError(`Cannot have ${found[b]} for a statistic`);
    }
  }
  found.sort();
  return [quantile(found, (1 - level) / 2), quantile(found, (1 + level) / 2)];
}

/**
 * The statistic Σ numerators / Σ denominators over groups: the mean over trials
 * with sums and counts of each task, the mean over tasks with their means and 1.
 */
export function ratioOf(
  numerators: ArrayLike<number>,
  denominators: ArrayLike<number>,
): (groups: ArrayLike<number>) => number {
  return (groups) => {
    let [above, below] = [0, 0];
    for (let i = 0; i < groups.length; i++) {
      above += numerators[groups[i]!]!;
      below += denominators[groups[i]!]!;
    }
    return above / below;
  };
}
