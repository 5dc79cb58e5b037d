/**
 * `evaluate`: plays a trained learner, which learns from what it sees alone.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import * as path from "node:path";
import { DEVICES, SessionError } from "../../kernels/onnx/session.ts";
import { foldIn, rootKey, seedOf } from "../../kernels/random/key.ts";
import { recycle, take, writer } from "../bytes.ts";
import {
  DataError,
  HostError,
  hostError,
  isStageError,
  UsageError,
} from "../errors.ts";
import type { StageError } from "../errors.ts";
import { expandInputs, readFiles } from "../files.ts";
import type { Options } from "../flags.ts";
import { attempt, type Batch, type Batches, forEachRow } from "../jsonl.ts";
import { SEED_FLAG } from "../keyed.ts";
import { putTrial } from "../print.ts";
import { rowIndex } from "../scan.ts";
import type { TaskRow } from "../schema.ts";
import { source } from "../stage.ts";
import { perTask, redrawn, taskOf } from "../tasks.ts";
import { openPlayer, type Player } from "./player.ts";
import { CONFIG, modelFiles, modelFolder, readModel } from "./runs.ts";

const flags = {
  episodes: {
    type: "count",
    required: true,
    min: 1,
    value: "E",
    summary: "episodes in each trial",
  },
  samples: {
    type: "count",
    default: 1,
    min: 1,
    value: "G",
    summary: "trials on each task",
  },
  temperature: {
    type: "number",
    default: 1,
    min: 0,
    value: "T",
    summary: "of the choice among actions; 0 takes the likeliest",
  },
  parallel: {
    type: "count",
    default: 256,
    min: 1,
    value: "B",
    summary: "trials at once",
  },
  seed: SEED_FLAG,
  device: {
    type: "text",
    choices: DEVICES,
    default: "cpu",
    value: "NAME",
    summary: "where the model runs",
  },
  threads: {
    type: "count",
    min: 1,
    value: "N",
    summary: "threads of an operator",
  },
} as const;

type EvaluateOptions = Options<typeof flags>;

/** The different tasks of rows, in the order in which they come. */
function tasksOf(files: ReadonlyArray<string>) {
  const row = rowIndex();
  const tasks = new Map<string, TaskRow>();
  const note = perTask((task) => tasks.set(task.id, task));
  return Effect.map(
    Stream.runForEach(readFiles(files), (batch) =>
      attempt("read tasks", () => {
        forEachRow(batch, row, () => void note(row));
        batch.release?.();
      })),
    () => [...tasks.values()],
  );
}

/** What playing threw, as the error of a stage. */
function stageError(cause: unknown): StageError {
  if (isStageError(cause)) return cause;
  return cause instanceof SessionError
    ? new HostError({ message: `Cannot play: ${cause.message}` })
    : hostError("play", cause);
}

/** Plays trials `from` and on, a batch of them. */
async function playBatch(
  player: Player,
  tasks: ReadonlyArray<TaskRow>,
  from: number,
  policy: string,
  options: EvaluateOptions,
): Promise<Batch> {
  const { samples, episodes, parallel } = options;
  const to = Math.min(from + parallel, tasks.length * samples);
  const root = foldIn(rootKey(options.seed), "evaluate");
  const planned = Array.from({ length: to - from }, (_, i) => {
    const [at, sample] = [
      Math.floor((from + i) / samples),
      (from + i) % samples,
    ];
    const { env, task } = redrawn(tasks[at]!);
    const { row } = taskOf(env, tasks[at]!);
    const seed = seedOf(foldIn(root, row.id, sample));
    return { row, sample, seat: { env, task, seed, episodes } };
  });
  const played = await player.play(planned.map(({ seat }) => seat));
  const out = writer(1 << 20);
  let steps = 0;
  played.forEach(({ record, seat: { seed } }, i) => {
    const { row, sample } = planned[i]!;
    putTrial(out, { task: row, sample, seed, policy }, record);
    steps += record.ends[record.episodes - 1]!;
  });
  const bytes = take(out);
  return {
    bytes,
    place: { origin: "evaluate", line: from + 1 },
    offset: 0,
    counts: { rows: to - from, steps },
    release: () => recycle(bytes),
  };
}

/** The run, and rows; a replay names the run by the files of its model. */
function readOperands([first, ...rest]: ReadonlyArray<string>) {
  if (first === undefined || path.basename(first) !== CONFIG) {
    return { folder: first, files: rest };
  }
  return { folder: path.dirname(first), files: rest.slice(1) };
}

function open(
  options: EvaluateOptions,
  operands: ReadonlyArray<string>,
): Batches {
  const { folder, files } = readOperands(operands);
  if (folder === undefined || files.length === 0) {
    throw new UsageError({
      message:
        "Cannot evaluate: a run, and files of rows whose tasks it is to play, expected",
    });
  }
  const { samples, parallel, temperature, device } = options;
  const play = Effect.gen(function* () {
    const { model, weights } = yield* attempt(
      `read ${folder}`,
      () => readModel(folder),
    );
    const tasks = yield* tasksOf(yield* expandInputs(files));
    if (tasks.length === 0) {
      return yield* new DataError({ message: "Cannot evaluate: no tasks" });
    }
    const own = path.resolve(modelFolder(folder));
    const params = {
      run: path.basename(path.dirname(own)),
      checkpoint: path.basename(own),
      temperature,
    };
    const policy = JSON.stringify({ name: "onnx", params });
    const all = tasks.length * samples;
    const player = yield* Effect.tryPromise({
      try: () =>
        openPlayer(model, weights, {
          batch: Math.min(parallel, all),
          temperature,
          // The flag has these choices alone.
          device: device as typeof DEVICES[number],
          threads: options.threads,
        }),
      catch: stageError,
    });
    return Stream.unfold(
      0,
      (from) =>
        from >= all
          ? Effect.as(Effect.promise(() => player.release()), undefined)
          : Effect.tryPromise({
            try: async () =>
              [
                await playBatch(player, tasks, from, policy, options),
                from + parallel,
              ] as const,
            catch: stageError,
          }),
    );
  });
  return Stream.unwrap(play);
}

export const evaluate = source(
  {
    name: "evaluate",
    summary: "Play a trained learner on the tasks of rows",
    details:
      `RUN is a folder that update wrote (its last checkpoint is played), or a checkpoint.
It plays --episodes on each different task of the rows, which should be tasks that it
was not trained on; nothing in it changes but what it has seen. The rows that come
out are trials like any other: query, credit and show work on them.`,
    flags,
    operands: "RUN FILE|DIR…",
    native: true,
    examples: [
      "retrial evaluate run test --episodes 20 | retrial query 'select episode, avg(return) from episodes group by all order by all'",
    ],
  },
  open,
  {
    inputs: (_, operands) => {
      const { folder, files } = readOperands(operands);
      if (folder === undefined || files.length === 0) return undefined;
      // Says what is missing, better than that a file is not there.
      readModel(folder);
      return [...modelFiles(folder), ...files];
    },
  },
);
