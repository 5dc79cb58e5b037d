/**
 * The policy `replay`: takes the actions of recorded trials on the tasks that
 * they name, and so says whether an environment still does what it did.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import type { Environment } from "../../envs/env.ts";
import type { Policy } from "../../envs/policies/policy.ts";
import { ParamError, resolveParams } from "../../envs/params.ts";
import { findEnvironment } from "../../envs/registry.ts";
import {
  emptyRecord,
  playTrial,
  type TrialRecord,
} from "../../envs/rollout.ts";
import { recycle, take, writer } from "../bytes.ts";
import type { StageError } from "../errors.ts";
import { expandInputs, readFiles } from "../files.ts";
import {
  attempt,
  type Batch,
  type Batches,
  forEachRow,
  parseRow,
} from "../jsonl.ts";
import { putTrial } from "../print.ts";
import { Malformed, rowIndex } from "../scan.ts";
import type { Trial } from "../schema.ts";
import { nameTask, type PlannedTask } from "./plan.ts";

/** A policy that takes the actions of one trial, and no others. */
function recordedPolicy({ episodes }: Trial): Policy {
  return {
    name: "replay",
    summary: "Take the actions of recorded trials",
    params: {},
    start: () => {
      let e = -1;
      return {
        begin: () => {
          e++;
        },
        act: (_observation, _state, t) => {
          const action = episodes[e]!.actions[t];
          if (typeof action === "number") return action;
          throw new Malformed(
            `episodes[${e}].actions ends at ${t}, where the environment goes on`,
          );
        },
      };
    },
  };
}

function environmentOf(
  { task }: Trial,
  given: Environment | undefined,
): Environment {
  const env = given?.name === task.env ? given : findEnvironment(task.env);
  if (env === undefined) {
    throw new Malformed(`task.env is ${task.env}, which is not known here`);
  }
  if (env.version === task.version) return env;
  throw new Malformed(
    `task.version is ${task.version}, and ${env.name} is at ${env.version}`,
  );
}

function taskOf(env: Environment, { task }: Trial): PlannedTask {
  if (task.seed === undefined) throw new Malformed("task.seed is missing");
  try {
    return nameTask(env, resolveParams(env.params, task.params), task.seed);
  } catch (error) {
    if (!(error instanceof ParamError)) throw error;
    throw new Malformed(`task.params: ${error.message}`);
  }
}

/** Recorded actions that were left over are a difference too. */
function checkLengths(trial: Trial, record: TrialRecord): void {
  trial.episodes.forEach(({ actions }, e) => {
    const steps = record.ends[e]! - (e === 0 ? 0 : record.ends[e - 1]!);
    if (actions.length === steps) return;
    throw new Malformed(
      `episodes[${e}].actions has ${actions.length} entries, and the environment ended it after ${steps}`,
    );
  });
}

function replayTrial(
  trial: Trial,
  given: Environment | undefined,
  record: TrialRecord,
): PlannedTask {
  const env = environmentOf(trial, given);
  const planned = taskOf(env, trial);
  if (trial.seed === undefined) throw new Malformed("seed is missing");
  playTrial({
    env,
    task: planned.task,
    policy: recordedPolicy(trial),
    params: {},
    episodes: trial.episodes.length,
    stopOnSuccess: false,
    seed: trial.seed,
  }, record);
  checkLengths(trial, record);
  return planned;
}

/**
 * The trials of `file` (or of a dataset), played again by their own actions, in
 * the environments that are known here or in the one given.
 */
export function replayTrials(file: string, given?: Environment): Batches {
  const row = rowIndex();
  const record = emptyRecord();
  const out = writer();
  const replay = (batch: Batch): Batch => {
    forEachRow(batch, row, () => {
      const trial = parseRow(row);
      const { row: task } = replayTrial(trial, given, record);
      const { sample, seed = "" } = trial;
      const params = { of: trial.policy?.name ?? "unknown" };
      const policy = JSON.stringify({ name: "replay", params });
      putTrial(out, { task, sample, seed, policy }, record);
    });
    const bytes = take(out);
    return {
      bytes,
      place: batch.place,
      offset: 0,
      release: () => recycle(bytes),
    };
  };
  const opened: Effect.Effect<Batches, StageError> = Effect.map(
    expandInputs([file]),
    readFiles,
  );
  return Stream.unwrap(opened).pipe(
    Stream.mapEffect((batch) => attempt("replay trials", () => replay(batch))),
  );
}
