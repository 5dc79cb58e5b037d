/**
 * The tasks that a model is to play: those of rows, or drawn for it.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import type { Environment } from "../../envs/env.ts";
import { distinctSeeds, drawnTask } from "../draws.ts";
import {
  badLine,
  DataError,
  isStageError,
  type Place,
  type StageError,
  UsageError,
} from "../errors.ts";
import { expandInputs, readFiles } from "../files.ts";
import { attempt } from "../jsonl.ts";
import { forEachRow } from "../lines.ts";
import { Malformed, rowIndex } from "../scan.ts";
import type { TaskRow } from "../schema.ts";
import { perTask, type PlannedTask, redrawn, taskOf } from "../tasks.ts";
import { loadEnvironment, readParams } from "../worlds.ts";
import type { Setting } from "./protocols.ts";

/** A task with its environment. */
export type SetTask = PlannedTask & { readonly env: Environment };

/** Tasks by index; drawn when asked for, since they may be large. */
export interface TaskSet {
  readonly count: number;
  /** What they were drawn from, where it is one. */
  readonly env?: Environment;
  readonly at: (index: number) => SetTask;
}

/** A task of rows, and the first of these. */
interface Named {
  readonly task: TaskRow;
  readonly place: Place;
}

/** Draws a row's task again; what is wrong with it is said with its line. */
function draw({ task, place }: Named): SetTask {
  try {
    const { env } = redrawn(task);
    return { ...taskOf(env, task), env };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw badLine(place, error.message);
  }
}

/** The different tasks of rows, in the order in which they come. */
export const tasksOfRows = Effect.fnUntraced(function* (
  operands: ReadonlyArray<string>,
): Effect.fn.Return<TaskSet, StageError> {
  const files = yield* expandInputs(operands);
  const row = rowIndex();
  const tasks = new Map<string, Named>();
  const read = perTask((task) => task);
  yield* Stream.runForEach(
    readFiles(files),
    (batch) =>
      attempt("read tasks", () => {
        const { origin } = batch.place;
        forEachRow(batch, row, (row, line) => {
          const task = read(row);
          if (tasks.has(task.id)) return;
          tasks.set(task.id, { task, place: { origin, line } });
        });
        batch.release?.();
      }),
  );
  if (tasks.size === 0) {
    return yield* new DataError({ message: "Cannot evaluate: no tasks" });
  }
  const all = [...tasks.values()];
  return { count: all.length, at: (index) => draw(all[index]!) };
});

/** Tasks drawn from an environment: two for each trial where they change. */
export const tasksDrawn = Effect.fnUntraced(function* (
  name: string,
  { param, tasks, change }: Setting,
  seed: string,
): Effect.fn.Return<TaskSet, StageError> {
  const env = yield* loadEnvironment(name);
  const owner = `environment ${env.name}`;
  const envParams = yield* readParams(owner, env.params, "param", param);
  const count = change === undefined ? tasks : 2 * tasks;
  const from = {
    stage: "evaluate",
    env,
    envParams,
    seed,
    tasks: count,
  } as const;
  const taskSeeds = yield* Effect.try({
    try: () => distinctSeeds(from),
    catch: (cause): StageError => {
      if (isStageError(cause)) return cause;
      if (!(cause instanceof RangeError)) throw cause;
      return new UsageError({ message: cause.message });
    },
  });
  const draws = { ...from, taskSeeds };
  return { count, env, at: (index) => ({ ...drawnTask(draws, index), env }) };
});
