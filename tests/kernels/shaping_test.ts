import { deepEqual, equal, ok } from "node:assert/strict";
import {
  ATTEMPT_EVENTS,
  type AttemptEvent,
  attemptRewards,
} from "../../kernels/shaping.ts";
import { trialReturns } from "../../kernels/returns.ts";
import { goldenCases } from "../golden.ts";

const [counted, shaped] = goldenCases("orbit_reward");

/** The golden file's word for an event, as ours. */
function eventOf(name: string): AttemptEvent {
  return ATTEMPT_EVENTS.find((event) => name.endsWith(event))!;
}

Deno.test("attemptRewards() pays what ORBIT's baseline pays", () => {
  const { inputs, expected } = shaped;
  equal(inputs.success_reward, 1);
  const rewards = attemptRewards(
    inputs.events.map(eventOf),
    inputs.traj_gamma,
  );
  equal(rewards.length, expected.step_rewards.length);
  rewards.forEach((reward, i) => {
    ok(Math.abs(reward - expected.step_rewards[i]) < 1e-12, `${i}: ${reward}`);
  });
  const sum = rewards.reduce((a, b) => a + b, 0);
  ok(Math.abs(sum - expected.trajectory_reward) < 1e-12);
});

Deno.test("attemptRewards() of a win at once, and of none", () => {
  deepEqual([...attemptRewards(["success"], 0.6)], [1]);
  deepEqual([...attemptRewards(["fail", "fail"], 0.6)], [0, 0]);
});

Deno.test("trialReturns() under orbit is ORBIT's reward of a trial", () => {
  const { inputs, expected } = counted;
  const won: ReadonlyArray<boolean> = inputs.episode_success;
  const returns = new Float64Array(won.length);
  const trial = {
    rewards: new Float64Array(won.length),
    ends: Int32Array.from(won, (_, e) => e + 1),
    episodes: won.length,
    success: Uint8Array.from(won, Number),
  };
  const options = { gamma: 0.9, gammaTrial: 0.9, cross: "orbit" } as const;
  trialReturns(trial, options, returns);
  deepEqual([...new Set(returns)], [expected.trajectory_reward]);
});
