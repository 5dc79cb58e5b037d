/**
 * The plan of a generated dataset: which tasks, which trials, in which order.
 *
 * A plan is plain data and everything follows from it: trial `(task, sample)` is
 * a function of the plan and these two numbers alone, so any worker may play it,
 * in any order, once or twice.
 *
 * @module
 */
import {
  foldIn,
  parseSeed,
  rootKey,
  seedOf,
} from "../../kernels/random/key.ts";
import type { Environment } from "../../envs/env.ts";
import type { Policy } from "../../envs/policies/policy.ts";
import type { Params } from "../../envs/params.ts";
import {
  emptyRecord,
  playTrial,
  PolicyRefusal,
  type TrialRecord,
} from "../../envs/rollout.ts";
import type { Writer } from "../bytes.ts";
import { distinctSeeds, drawnTask, type Draws } from "../draws.ts";
import { UsageError } from "../errors.ts";
import { putTrial } from "../print.ts";
import { faultIn } from "../worlds.ts";

/** What the rows of a dataset are a function of. */
export interface Plan extends Draws {
  readonly policy: Policy;
  /** With whatever the policy worked out for the dataset as a whole. */
  readonly policyParams: Params;
  readonly samples: number;
  /** Infinite where steps alone are counted. */
  readonly episodes: number;
  readonly steps: number | undefined;
  readonly stopOnSuccess: boolean;
}

/** What {@linkcode makePlan} works from: parameters complete, seed checked. */
export type PlanRequest = Omit<Plan, "taskSeeds" | "policyParams"> & {
  readonly policyParams: Params;
};

/** Works out what concerns the dataset as a whole. */
export function makePlan(request: PlanRequest): Plan {
  const { env, envParams, policy, policyParams, seed, episodes } = request;
  parseSeed(seed);
  const key = foldIn(rootKey(seed), "generate", "prepare");
  return {
    ...request,
    policyParams: policy.prepare?.({
      env,
      envParams,
      params: policyParams,
      episodes,
      key,
    }) ?? policyParams,
    taskSeeds: distinctSeeds(request),
  };
}

/** The seeds of trials, by the index of the task and the sample. */
export function trialSeeds(
  { seed }: Plan,
): (index: number, sample: number) => string {
  const root = foldIn(rootKey(seed), "generate", "trial");
  return (index, sample) => seedOf(foldIn(root, index, sample));
}

/** Counts of what a run of tasks made, for progress and for the manifest. */
export interface Tally {
  rows: number;
  steps: number;
  tasks: number;
  draws: number;
  readonly refusals: Map<string, number>;
}

export function emptyTally(): Tally {
  return { rows: 0, steps: 0, tasks: 0, draws: 0, refusals: new Map() };
}

/** Plays the trials of one plan into bytes; made once per worker. */
export interface Player {
  /** Appends the rows of task `index`. */
  readonly play: (index: number, out: Writer, tally: Tally) => void;
}

export function player(plan: Plan): Player {
  const { env, policy, policyParams: params } = plan;
  const { episodes, steps, stopOnSuccess } = plan;
  const record: TrialRecord = emptyRecord();
  const seedFor = trialSeeds(plan);
  const policyText = JSON.stringify({ name: policy.name, params });
  const play = (index: number, out: Writer, tally: Tally) => {
    const { task, row, draws, refusals } = drawnTask(plan, index);
    for (let sample = 0; sample < plan.samples; sample++) {
      const seed = seedFor(index, sample);
      const trial = {
        env,
        task,
        policy,
        params,
        episodes,
        steps,
        stopOnSuccess,
        seed,
      };
      playTrial(trial, record);
      putTrial(out, { task: row, sample, seed, policy: policyText }, record);
      tally.rows++;
      tally.steps += record.ends[record.episodes - 1] ?? 0;
    }
    tally.tasks++;
    tally.draws += draws;
    for (const [why, n] of refusals) {
      tally.refusals.set(why, (tally.refusals.get(why) ?? 0) + n);
    }
  };
  return {
    play: (index, out, tally) => named(env, () => play(index, out, tally)),
  };
}

/** Steps that the trials on one task of a plan have at most. */
export function largestSteps(plan: Plan): number {
  const { task } = named(plan.env, () => drawnTask(plan, 0));
  const { episodes, steps = Infinity } = plan;
  const horizon = plan.env.horizon(task);
  return plan.samples * Math.min(episodes * horizon, steps - 1 + horizon);
}

/** What playing throws, as an error of who gave policy or environment. */
function named<A>(env: Environment, play: () => A): A {
  try {
    return play();
  } catch (error) {
    if (error instanceof PolicyRefusal) {
      throw new UsageError({ message: error.message });
    }
    throw faultIn(env, error) ?? error;
  }
}
