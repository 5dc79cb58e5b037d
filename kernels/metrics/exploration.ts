/**
 * What a trial sees that it has not seen before.
 *
 * @module
 */

/** The states of a trial's episodes n = 0 … N-1, as keys. */
export interface VisitedStates {
  /** In the order in which they were entered, flat. */
  readonly states: ArrayLike<number | string>;
  /** States up to the end of each episode; may be longer than `episodes`. */
  readonly ends: Int32Array;
  readonly episodes: number;
}

/**
 * For each episode, of how many states it is the first in its trial to enter
 * them. The sum over all episodes is how many different states the trial has.
 *
 * @example The second episode enters state 3 for the first time, twice
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const visited = { states: [1, 2, 1, 3, 3], ends: Int32Array.of(2, 5), episodes: 2 };
 * deepEqual([...newStates(visited)], [2, 1]);
 * ```
 */
export function newStates(
  { states, ends, episodes }: VisitedStates,
): Int32Array {
  const seen = new Set<number | string>();
  let first = 0;
  return new Int32Array(episodes).map((_, n) => {
    const before = seen.size;
    for (let i = first; i < ends[n]!; i++) seen.add(states[i]!);
    first = ends[n]!;
    return seen.size - before;
  });
}

/**
 * How many states are first entered in the episodes after the first that failed:
 * ΔStates of ORBIT's paper, from what {@linkcode newStates} gives and 1 for each
 * episode that succeeded. 0 where no episode failed, or only the last.
 *
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 *
 * equal(newStatesAfterFailure([4, 3, 2, 1], Uint8Array.of(1, 0, 1, 0)), 3);
 * ```
 */
export function newStatesAfterFailure(
  fresh: ArrayLike<number>,
  success: ArrayLike<number>,
): number {
  let [sum, failed] = [0, false];
  for (let n = 0; n < fresh.length; n++) {
    if (failed) sum += fresh[n]!;
    failed ||= success[n] === 0;
  }
  return sum;
}
