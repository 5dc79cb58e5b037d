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
import { environments } from "../../envs/registry.ts";
import type { Policy } from "../../envs/policies/policy.ts";
import type { Params } from "../../envs/params.ts";
import {
  drawTask,
  emptyRecord,
  playTrial,
  PolicyRefusal,
  type TrialRecord,
} from "../../envs/rollout.ts";
import { DataError, isStageError, UsageError } from "../errors.ts";
import type { Writer } from "../bytes.ts";
import { putTrial } from "../print.ts";
import { nameTask, type PlannedTask, worldOf } from "../tasks.ts";

/** What the rows of a dataset are a function of. */
export interface Plan {
  readonly env: Environment;
  readonly envParams: Params;
  readonly policy: Policy;
  /** With whatever the policy worked out for the dataset as a whole. */
  readonly policyParams: Params;
  readonly seed: string;
  readonly tasks: number;
  readonly samples: number;
  /** Infinite where steps alone are counted. */
  readonly episodes: number;
  readonly steps: number | undefined;
  readonly stopOnSuccess: boolean;
  /** The seed of each task, where they had to be chosen together. */
  readonly taskSeeds: ReadonlyArray<string> | undefined;
}

/** Draws of a distinct task after which there seem to be no more. */
const DISTINCT_BUDGET = 10_000;

function taskSeed(seed: string, index: number, attempt: number): string {
  return seedOf(foldIn(rootKey(seed), "generate", "task", index, attempt));
}

/**
 * Seeds of `tasks` tasks, no two of which draw the same problem: a seed that
 * repeats one is passed over. Index by index, so that more tasks only add.
 */
function distinctSeeds(
  env: Environment,
  params: Params,
  seed: string,
  tasks: number,
): ReadonlyArray<string> {
  const seen = new Set<string>();
  return Array.from({ length: tasks }, (_, index) => {
    for (let attempt = 0; attempt < DISTINCT_BUDGET; attempt++) {
      const candidate = taskSeed(seed, index, attempt);
      const { task } = drawTask(env, params, candidate);
      const world = worldOf(env, task)?.digest ?? candidate;
      if (seen.has(world)) continue;
      seen.add(world);
      return candidate;
    }
    throw new UsageError({
      message:
        `Cannot make ${tasks} different tasks of ${env.name}: no new one after ${index} in ${DISTINCT_BUDGET} draws`,
    });
  });
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
    taskSeeds: env.distinct
      ? distinctSeeds(env, envParams, seed, request.tasks)
      : undefined,
  };
}

/** Task `index` of a plan. */
export function plannedTask(plan: Plan, index: number): PlannedTask {
  const seed = plan.taskSeeds?.[index] ?? taskSeed(plan.seed, index, 0);
  return nameTask(plan.env, plan.envParams, seed);
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
  const root = foldIn(rootKey(plan.seed), "generate", "trial");
  const policyText = JSON.stringify({ name: policy.name, params });
  const play = (index: number, out: Writer, tally: Tally) => {
    const { task, row, draws, refusals } = plannedTask(plan, index);
    for (let sample = 0; sample < plan.samples; sample++) {
      const seed = seedOf(foldIn(root, index, sample));
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
  const { task } = named(plan.env, () => plannedTask(plan, 0));
  const { episodes, steps = Infinity } = plan;
  const horizon = plan.env.horizon(task);
  return plan.samples * Math.min(episodes * horizon, steps - 1 + horizon);
}

/**
 * A policy that cannot play is the caller's mistake, and whatever an environment
 * of the caller's own throws is theirs as well: neither is a bug of ours.
 */
function named<A>(env: Environment, play: () => A): A {
  try {
    return play();
  } catch (error) {
    if (error instanceof PolicyRefusal) {
      throw new UsageError({ message: error.message });
    }
    if (error instanceof RangeError) {
      throw new DataError({ message: error.message });
    }
    if (environments.includes(env) || isStageError(error)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new DataError({
      message: `Cannot play ${env.name}: it threw ${why}`,
    });
  }
}
