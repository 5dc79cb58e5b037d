/**
 * Rewards with continuous noise, as environments pay them.
 *
 * @module
 */

/**
 * The reward to six decimals: what the agent is paid is then exactly what a row
 * says, in few digits, whichever program printed it.
 *
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 *
 * equal(roundReward(0.12345678), 0.123457);
 * ```
 */
export function roundReward(reward: number): number {
  // Adding 0 makes of -0, which JSON readers tell from 0, a plain 0.
  return Math.round(reward * 1e6) / 1e6 + 0;
}
