/**
 * Rewards that a trial pays beside those of its environment.
 *
 * @module
 */

/** What can happen in a trial that is tried again until it succeeds. */
export const ATTEMPT_EVENTS = ["fail", "remark", "success"] as const;
export type AttemptEvent = typeof ATTEMPT_EVENTS[number];

/**
 * The rewards of events i = 0 … M-1 in ORBIT's LaMer baseline
 * (`envs/lamer_multi_episode_env.py`, with its two undefined hooks left out):
 * `fail`, an episode that failed, 0; `remark`, a reflection that could be read, 1;
 * `success`, an episode that succeeded, γ^(failures before it), γ in [0, 1]. An
 * unreadable reflection is no event. Failing and remarking so pays more than a win
 * at once, which is why it is a baseline only.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * deepEqual([...attemptRewards(["fail", "remark", "success"], 0.5)], [0, 1, 0.5]);
 * ```
 */
export function attemptRewards(
  events: ReadonlyArray<AttemptEvent>,
  gamma: number,
): Float64Array {
  let worth = 1;
  return Float64Array.from(events, (event) => {
    if (event === "success") return worth;
    if (event === "remark") return 1;
    worth *= gamma;
    return 0;
  });
}
