/**
 * `evaluate`: plays a trained learner, which learns from what it sees alone.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import * as path from "node:path";
import { foldIn, seedOf } from "../../kernels/random/key.ts";
import { DataError, type StageError, UsageError } from "../errors.ts";
import { expandInputs } from "../files.ts";
import { attempt, type Batches } from "../jsonl.ts";
import { stageKey } from "../keyed.ts";
import {
  CONFIG,
  type Model,
  modelFiles,
  readModel,
  WEIGHTS,
} from "../playing/checkpoint.ts";
import { chooserOf } from "../playing/inputs.ts";
import { type PlannedTrial, playRows } from "../playing/rows.ts";
import { type Head, putJoined, putTrial } from "../print.ts";
import { source } from "../stage.ts";
import { faultIn, isModule } from "../worlds.ts";
import { type EvaluateOptions, flags } from "./evaluate_flags.ts";
import { type Prompts, promptsOf } from "./prompts.ts";
import { type Setting, settingOf, walked } from "./protocols.ts";
import { tasksDrawn, type TaskSet, tasksOfRows } from "./task_sets.ts";

/** All that trials follow from. */
interface Evaluation {
  readonly model: Model;
  readonly setting: Setting;
  readonly temperature: number;
  readonly tasks: TaskSet;
  readonly prompts: Prompts | undefined;
  readonly options: EvaluateOptions;
}

/** Tasks of a trial: two where it goes on, unannounced, on another. */
function tasksOfTrial({ change }: Setting): number {
  return change === undefined ? 1 : 2;
}

/** With forced exploration, and without: as many rows of a trial. */
function variantsOf({ warmUp }: Setting): number {
  return warmUp > 0 ? 2 : 1;
}

/** What a row says of who played it. */
function policyOf(
  { model, setting, temperature, options }: Evaluation,
  warmUp: number,
  prompt: string | undefined,
): string {
  const { run, checkpoint } = model;
  const { tag } = options;
  const restart = options["restart-warm-up"];
  const params = {
    run,
    checkpoint,
    temperature,
    ...(tag !== undefined && { tag }),
    ...(setting.warmUp > 0 && { "warm-up": warmUp }),
    ...(warmUp > 0 && restart && { "restart-warm-up": true }),
    ...(prompt !== undefined && { prompt }),
  };
  return JSON.stringify({ name: "onnx", params });
}

/**
 * Trial `index`. Those of a task stand together; of the two variants the one with
 * forced exploration comes first, and has an even sample. Both draw from the same
 * streams, so that the world deals them the same.
 */
function plannedTrial(evaluation: Evaluation, index: number): PlannedTrial {
  const { setting, tasks, prompts, options } = evaluation;
  const { samples, episodes, change } = setting;
  const variants = variantsOf(setting);
  const each = tasksOfTrial(setting);
  const sample = index % (samples * variants);
  const group = (index - sample) / (samples * variants);
  const trial = Math.floor(sample / variants);
  const warmUp = sample % variants === 0 ? setting.warmUp : 0;
  const root = stageKey(options.seed, "evaluate");
  const own = Array.from(
    { length: each },
    (_, i) => tasks.at(each * group + i),
  );
  const shown = prompts?.(own[0]!);
  const policy = policyOf(evaluation, warmUp, shown?.name);
  const heads = own.map(({ row }): Head => {
    const seed = seedOf(foldIn(root, row.id, trial));
    return { task: row, sample, seed, policy };
  });
  const seats = own.map(({ env, task }, i) => ({
    env,
    task,
    seed: heads[i]!.seed,
    episodes: change === undefined ? episodes : i ? episodes - change : change,
    logprobs: options.logprobs,
  }));
  return {
    sitting: {
      seats,
      prompt: shown?.prompt,
      warmUp,
      restart: options["restart-warm-up"],
    },
    put: (out, records) =>
      each === 1
        ? putTrial(out, heads[0]!, records[0]!)
        : putJoined(out, heads, records),
  };
}

/** Its own name, and the words behind it. */
interface Operands {
  readonly run: string | undefined;
  /** Rows, and on a replay whatever else the rows that came out depend on. */
  readonly rest: ReadonlyArray<string>;
}

/** A replay names the run by the files of its model. */
function readOperands([run, ...rest]: ReadonlyArray<string>): Operands {
  const isFile = run !== undefined && path.basename(run) === CONFIG;
  const isWhole = isFile && path.basename(rest[0] ?? "") === WEIGHTS;
  return { run, rest: isWhole ? rest.slice(1) : rest };
}

/** The rows whose tasks are to be played: what no flag has named already. */
const rowsOf = Effect.fnUntraced(function* (
  rest: ReadonlyArray<string>,
  { prompt, env }: EvaluateOptions,
): Effect.fn.Return<ReadonlyArray<string>, StageError> {
  const named = prompt === undefined ? [] : yield* expandInputs([prompt]);
  const rows = rest.filter((file) => file !== env && !named.includes(file));
  // Trials may be shown on the tasks that they name themselves.
  return rows.length > 0 || env !== undefined ? rows : rest;
});

/** The tasks that rows or flags name. */
const tasksOf = Effect.fnUntraced(function* (
  setting: Setting,
  rest: ReadonlyArray<string>,
  options: EvaluateOptions,
): Effect.fn.Return<TaskSet, StageError> {
  const { env } = setting;
  const rows = yield* rowsOf(rest, { ...options, env });
  if (env === undefined) return yield* tasksOfRows(rows);
  if (rows.length === 0) return yield* tasksDrawn(env, setting, options.seed);
  return yield* new UsageError({
    message: `Cannot evaluate on the tasks of ${
      rows[0]
    } and on those of --env or --protocol`,
  });
});

const prepare = Effect.fnUntraced(function* (
  options: EvaluateOptions,
  operands: ReadonlyArray<string>,
): Effect.fn.Return<Evaluation, StageError> {
  const { run, rest } = readOperands(operands);
  const setting = yield* attempt("read flags", () => settingOf(options));
  yield* attempt("read flags", () => stageKey(options.seed, "evaluate"));
  if (run === undefined || (rest.length === 0 && setting.env === undefined)) {
    return yield* new UsageError({
      message:
        "Cannot evaluate: a run, and files of rows whose tasks it is to play, expected (or --env, or --protocol)",
    });
  }
  const model = yield* attempt(`read ${run}`, () => readModel(run));
  const head = yield* attempt(`read ${run}`, () => chooserOf(model.config));
  const tasks = yield* tasksOf(setting, rest, options);
  if (tasks.count % tasksOfTrial(setting) !== 0) {
    return yield* new DataError({
      message:
        `Cannot evaluate with --change: ${tasks.count} tasks do not go by two`,
    });
  }
  const { paths } = setting;
  const prompts: Prompts | undefined = paths
    ? ({ env, task }) => ({
      name: paths.map((path) => path.join("-")).join(" "),
      prompt: walked(env, task, paths),
    })
    : options.prompt === undefined
    ? undefined
    : yield* promptsOf(options.prompt);
  const temperature = setting.temperature ?? (head === "q" ? 0 : 1);
  return { model, setting, temperature, tasks, prompts, options };
});

/** The trials of an evaluation, as rows. */
function playEvaluation(evaluation: Evaluation): Batches {
  const { model, setting, temperature, tasks, options } = evaluation;
  const { samples, episodes } = setting;
  const groups = tasks.count / tasksOfTrial(setting);
  return playRows({
    origin: "evaluate",
    model,
    options: {
      parallel: options.parallel,
      temperature,
      tag: options.tag,
      device: options.device,
      threads: options.threads,
    },
    from: 0,
    to: groups * samples * variantsOf(setting),
    episodes,
    faultOf: (cause) => tasks.env && faultIn(tasks.env, cause),
    plan: (index) => plannedTrial(evaluation, index),
  });
}

export const evaluate = source(
  {
    name: "evaluate",
    summary: "Play a trained learner on the tasks of rows",
    details:
      `RUN is a folder that update wrote (its last checkpoint is played), or a checkpoint.
It plays --episodes on each different task of the rows, which should be tasks that it
was not trained on, or on tasks drawn by --env or --protocol; nothing in it changes but
what it has seen. The rows that come out are trials like any other: query, credit and
show work on them. With --warm-up (and by most protocols) there are two of each, of an
even sample with forced exploration and of an odd one without.`,
    flags,
    operands: "RUN [FILE|DIR…]",
    native: true,
    examples: [
      "retrial evaluate run test --episodes 20 | retrial query 'select episode, avg(return) from episodes group by all order by all'",
      "retrial evaluate run --protocol in-distribution --seed 3 --out played",
      "retrial evaluate run --env dark-room --tasks 100 --episodes 20",
    ],
  },
  (options, operands) =>
    Stream.unwrap(Effect.map(prepare(options, operands), playEvaluation)),
  {
    inputs: (options, operands) => {
      const { run, rest } = readOperands(operands);
      const { prompt, env, protocol } = options;
      // What is missing is said when it is opened.
      const isWhole = rest.length > 0 || env !== undefined ||
        protocol !== undefined;
      if (run === undefined || !isWhole) return undefined;
      return [
        ...new Set([
          ...modelFiles(run),
          ...rest,
          ...prompt === undefined ? [] : [prompt],
          ...env !== undefined && isModule(env) ? [env] : [],
        ]),
      ];
    },
  },
);
