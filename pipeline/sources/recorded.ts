/**
 * The policy `replay`: takes the actions of recorded trials on the tasks that
 * they name, and so says whether an environment still does what it did.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import type { Environment } from "../../envs/env.ts";
import { emptyRecord, type TrialRecord } from "../../envs/rollout.ts";
import { recycle, take, writer } from "../bytes.ts";
import type { StageError } from "../errors.ts";
import { expandInputs, readFiles } from "../files.ts";
import { attempt, type Batches, parseRow } from "../jsonl.ts";
import { type Batch, forEachRow } from "../lines.ts";
import { type Head, putJoined, putTrial } from "../print.ts";
import { playAgain, stretchesOf } from "../replaying.ts";
import { rowIndex } from "../scan.ts";
import type { Trial } from "../schema.ts";
import { environmentOf, type PlannedTask, taskOf } from "../tasks.ts";

function replayTrial(
  trial: Trial,
  given: Environment | undefined,
  record: TrialRecord,
): PlannedTask {
  const env = environmentOf(trial.task, given);
  const planned = taskOf(env, trial.task);
  playAgain(env, planned.task, trial, record);
  return planned;
}

/**
 * The trials of `file` (or of a dataset), played again by their own actions, in
 * the environments that are known here or in the one given.
 */
export function replayTrials(file: string, given?: Environment): Batches {
  const row = rowIndex();
  const records: Array<TrialRecord> = [];
  const out = writer();
  const replay = (batch: Batch): Batch => {
    forEachRow(batch, row, () => {
      const trial = parseRow(row);
      const params = { of: trial.policy?.name ?? "unknown" };
      const policy = JSON.stringify({ name: "replay", params });
      const heads = stretchesOf(trial).map((own, i): Head => {
        const record = records[i] ??= emptyRecord();
        const { row: task } = replayTrial(own, given, record);
        const { sample, seed = "" } = own;
        return { task, sample, seed, policy };
      });
      const [head, ...others] = heads;
      if (others.length === 0) putTrial(out, head!, records[0]!);
      else putJoined(out, heads, records.slice(0, heads.length));
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
