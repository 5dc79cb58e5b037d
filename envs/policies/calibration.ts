/**
 * How much noise a policy stands: its return against the share of its actions
 * that are uniform ones, measured on tasks of their own.
 *
 * @module
 */
import { evaluate } from "../../kernels/finite_horizon.ts";
import { foldIn, type Key, seedOf } from "../../kernels/random/key.ts";
import { resolveParams } from "../params.ts";
import { planOf } from "../planning.ts";
import {
  drawTask,
  emptyRecord,
  playTrial,
  type TrialRecord,
} from "../rollout.ts";
import { epsilonGreedy } from "./epsilon_greedy.ts";
import type { Preparation } from "./policy.ts";

/** Shares of uniform actions that are measured: 0, 0.05, ..., 1. */
const STEPS = 20;
/** Tasks that are measured on. */
const TASKS = 64;
/** Episodes on each task, where they are played; a learner may have fewer. */
const EPISODES = 16;

/** Mean return of an episode, from a trial played for the purpose. */
function playedReturn(
  { env, params, episodes }: Preparation,
  task: unknown,
  epsilon: number,
  key: Key,
  record: TrialRecord,
): number {
  playTrial({
    env,
    task,
    policy: epsilonGreedy,
    params: resolveParams(epsilonGreedy.params, {
      epsilon,
      reference: params.reference!,
    }),
    episodes: Math.min(episodes, EPISODES),
    stopOnSuccess: false,
    seed: seedOf(key),
  }, record);
  const steps = record.ends[record.episodes - 1]!;
  let sum = 0;
  for (let i = 0; i < steps; i++) sum += record.rewards[i]!;
  return sum / record.episodes;
}

/**
 * Mean returns of `params.reference` with noise, at equal steps of epsilon from
 * 0 to 1: exact on each task that has a table if the reference is `optimal`,
 * otherwise played.
 */
export function returnsUnderNoise(prepare: Preparation): Float64Array {
  const { env, envParams, params, key } = prepare;
  const returns = new Float64Array(STEPS + 1);
  const record = emptyRecord();
  for (let i = 0; i < TASKS; i++) {
    const own = foldIn(key, "calibration", i);
    const { task } = drawTask(env, envParams, seedOf(own));
    const table = params.reference === "optimal"
      ? env.table?.(task)
      : undefined;
    const horizon = env.horizon(task);
    const best = table && planOf(table, horizon).actions;
    for (let j = 0; j <= STEPS; j++) {
      const worth = table && best
        ? evaluate(table, horizon, best, j / STEPS).return
        : playedReturn(prepare, task, j / STEPS, own, record);
      returns[j] = returns[j]! + worth / TASKS;
    }
  }
  return returns;
}

/**
 * The epsilon at which returns, given at equal steps of it from 0 to 1, first
 * fall to `target`; between two steps they are taken to be straight.
 *
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 *
 * equal(epsilonFor([10, 6, 0], 8), 0.25);
 * equal(epsilonFor([10, 6, 0], -1), 1);
 * ```
 */
export function epsilonFor(returns: ArrayLike<number>, target: number): number {
  const steps = returns.length - 1;
  for (let i = 1; i <= steps; i++) {
    if (returns[i]! >= target) continue;
    const drop = returns[i - 1]! - returns[i]!;
    const into = (returns[i - 1]! - target) / drop;
    return (i - 1 + Math.max(0, into)) / steps;
  }
  return 1;
}
