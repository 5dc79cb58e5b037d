/**
 * Rewards with continuous noise, as environments pay them.
 *
 * @module
 */

/** Rewards are paid in millionths. */
export const REWARD_PARTS = 1e6;

/**
 * The reward to so many parts of 1, six decimals if not said: what the agent is
 * paid is then exactly what a row says, in few digits, whichever program printed
 * it.
 *
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 *
 * equal(roundReward(0.12345678), 0.123457);
 * equal(roundReward(0.12345678, 1e3), 0.123);
 * ```
 */
export function roundReward(reward: number, parts = REWARD_PARTS): number {
  // Adding 0 makes of -0, which JSON readers tell from 0, a plain 0.
  return Math.round(reward * parts) / parts + 0;
}
