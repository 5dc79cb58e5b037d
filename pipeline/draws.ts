/**
 * The tasks that are drawn from an environment, each a function of seed and index.
 *
 * @module
 */
import { foldIn, rootKey, seedOf } from "../kernels/random/key.ts";
import type { Environment } from "../envs/env.ts";
import type { Params } from "../envs/params.ts";
import { drawTask } from "../envs/rollout.ts";
import { UsageError } from "./errors.ts";
import { nameTask, type PlannedTask, worldOf } from "./tasks.ts";

/** What tasks are drawn from, and by whom: stages draw apart from one another. */
export interface Distribution {
  readonly stage: "generate" | "evaluate";
  readonly env: Environment;
  readonly envParams: Params;
  readonly seed: string;
  readonly tasks: number;
}

/** A distribution, and the seed of each task where they had to be chosen together. */
export interface Draws extends Distribution {
  readonly taskSeeds: ReadonlyArray<string> | undefined;
}

/** Draws of a distinct task after which there seem to be no more. */
const DISTINCT_BUDGET = 10_000;

function taskSeed(
  { seed, stage }: Pick<Distribution, "seed" | "stage">,
  index: number,
  attempt: number,
): string {
  return seedOf(foldIn(rootKey(seed), stage, "task", index, attempt));
}

/**
 * Seeds of all tasks, where no two may draw the same problem: a seed that
 * repeats one is passed over. Index by index, so that more tasks only add.
 */
export function distinctSeeds(
  from: Distribution,
): ReadonlyArray<string> | undefined {
  const { env, envParams, tasks } = from;
  if (!env.distinct) return undefined;
  const seen = new Set<string>();
  return Array.from({ length: tasks }, (_, index) => {
    for (let attempt = 0; attempt < DISTINCT_BUDGET; attempt++) {
      const candidate = taskSeed(from, index, attempt);
      const { task } = drawTask(env, envParams, candidate);
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

/** Task `index` of a distribution. */
export function drawnTask(draws: Draws, index: number): PlannedTask {
  const seed = draws.taskSeeds?.[index] ?? taskSeed(draws, index, 0);
  return nameTask(draws.env, draws.envParams, seed);
}
