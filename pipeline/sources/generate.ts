/**
 * `generate`: plays a policy on sampled tasks.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import { recycle, take, writer } from "../bytes.ts";
import { type StageError, UsageError } from "../errors.ts";
import { type Options, pairs } from "../flags.ts";
import { attempt, type Batches } from "../jsonl.ts";
import type { Batch } from "../lines.ts";
import { type Parts, type PartsRequest, source } from "../stage.ts";
import {
  emptyTally,
  largestSteps,
  makePlan,
  type Plan,
  player,
} from "./plan.ts";
import { type Model, modelFiles, readModel } from "../playing/checkpoint.ts";
import { PLAY_FLAGS } from "../playing/rows.ts";
import { takingTurns } from "../turn.ts";
import { modelNamed, modelPolicy, modelShards, playModel } from "./modelled.ts";
import { replayTrials } from "./recorded.ts";
import {
  isModule,
  loadEnvironment,
  loadPolicy,
  readParams,
  WORLD_FLAGS,
} from "../worlds.ts";

const MEBIBYTE = 1 << 20;
/** Steps in a piece of a stream: some megabytes, for a worker to hand over. */
const PIECE_STEPS = 200_000;
const DEFAULT_SHARDS = 16;

const flags = {
  ...WORLD_FLAGS,
  "samples": {
    type: "count",
    default: 1,
    min: 1,
    value: "G",
    summary: "trials on each task: the size of a group",
  },
  "episodes": {
    type: "count",
    min: 1,
    value: "E",
    summary: "episodes in each trial (1, or as many as --steps takes)",
  },
  "steps": {
    type: "count",
    min: 1,
    value: "T",
    summary: "begin no episode of a trial after T steps of it",
  },
  "stop-on-success": {
    type: "switch",
    summary: "end a trial with its first successful episode",
  },
  "policy": {
    type: "text",
    default: "random",
    path: true,
    value: "NAME|onnx:DIR",
    summary: "what chooses the actions, by name or the model of a run",
  },
  "policy-param": {
    type: "list",
    value: "k=v",
    summary: "parameter of the policy; may be repeated",
  },
  "seed": {
    type: "text",
    default: "0",
    value: "S",
    summary: "64-bit seed; equal seeds give equal bytes",
  },
  "jobs": {
    type: "count",
    default: 1,
    min: 1,
    max: 256,
    value: "J",
    summary: "workers; the bytes do not depend on it",
  },
  "shards": {
    type: "count",
    min: 1,
    max: 99999,
    value: "K",
    summary: "files to write with --out (16, or one a task if fewer)",
  },
  "split": {
    type: "text",
    default: "train",
    value: "NAME",
    summary: "split that the files are named for",
  },
  ...PLAY_FLAGS,
} as const;

type GenerateOptions = Options<typeof flags>;

/** A plan, and the model that plays it where it is one. */
interface Planned {
  readonly plan: Plan;
  readonly model: Model | undefined;
}

/** What is worked out once and handed to workers. */
interface Prepared {
  readonly policyParams: Plan["policyParams"];
  readonly taskSeeds: Plan["taskSeeds"] | null;
}

const preparePlan = Effect.fnUntraced(function* (
  options: GenerateOptions,
  prepared?: Prepared,
): Effect.fn.Return<Planned, StageError> {
  const { tasks } = options;
  if (options.env === undefined || tasks === undefined) {
    return yield* new UsageError({
      message: "Cannot generate without --env and --tasks",
    });
  }
  const env = yield* loadEnvironment(options.env);
  const folder = modelNamed(options.policy);
  const model = folder === undefined
    ? undefined
    : yield* attempt(`read ${folder}`, () => readModel(folder));
  const policy = model
    ? yield* attempt(`read ${folder}`, () => modelPolicy(model))
    : yield* loadPolicy(options.policy);
  const owner = (what: string, name: string) => `${what} ${name}`;
  const envParams = yield* readParams(
    owner("environment", env.name),
    env.params,
    "param",
    options.param,
  );
  const policyParams = yield* readParams(
    owner("policy", policy.name),
    policy.params,
    "policy-param",
    options["policy-param"],
  );
  const request = {
    stage: "generate" as const,
    env,
    envParams,
    policy,
    policyParams,
    seed: options.seed,
    tasks,
    samples: options.samples,
    episodes: options.episodes ?? (options.steps === undefined ? 1 : Infinity),
    steps: options.steps,
    stopOnSuccess: options["stop-on-success"],
  };
  if (prepared) {
    const taskSeeds = prepared.taskSeeds ?? undefined;
    const { policyParams } = prepared;
    return { plan: { ...request, policyParams, taskSeeds }, model };
  }
  return yield* Effect.try({
    try: () => ({ plan: makePlan(request), model }),
    catch: (cause): StageError => {
      if (!(cause instanceof RangeError)) throw cause;
      return new UsageError({ message: cause.message });
    },
  });
});

/** Tasks `from` to `to` of a plan, by whatever plays them. */
function playPart(
  { plan, model }: Planned,
  from: number,
  to: number,
  options: GenerateOptions,
): Batches {
  return model
    ? playModel(plan, model, from, to, options)
    : playTasks(plan, from, to);
}

/** Tasks `from` to `to` of a plan, a batch of about a mebibyte at a time. */
function playTasks(plan: Plan, from: number, to: number): Batches {
  return Stream.suspend(() => {
    const { play } = player(plan);
    const out = writer(2 * MEBIBYTE);
    let row = 0;
    const nextBatch = (first: number): readonly [Batch, number] | undefined => {
      if (first >= to) return undefined;
      const tally = emptyTally();
      let index = first;
      while (index < to && out.length < MEBIBYTE) play(index++, out, tally);
      const place = { origin: "generate", line: row + 1 };
      row += tally.rows;
      const counts = { ...tally, refusals: Object.fromEntries(tally.refusals) };
      const bytes = take(out);
      const release = () => recycle(bytes);
      return [{ bytes, place, offset: 0, counts, release }, index];
    };
    return Stream.unfold(
      from,
      (first) => takingTurns("generate", () => nextBatch(first)),
    );
  });
}

const parts = Effect.fnUntraced(function* (
  options: GenerateOptions,
  { shards, prepared }: PartsRequest,
): Effect.fn.Return<Parts, StageError> {
  const from = recordOf(options);
  if (from !== undefined) {
    const open = () => replayed(from, options);
    return {
      count: 1,
      jobs: 1,
      split: options.split,
      steps: 0,
      prepared,
      open,
    };
  }
  const planned = yield* preparePlan(options, prepared as Prepared | undefined);
  const { plan, model } = planned;
  const { tasks, policyParams, taskSeeds = null } = plan;
  const steps = yield* attempt("generate", () => largestSteps(plan));
  const pieces = model ? 1 : Math.ceil(tasks * steps / PIECE_STEPS);
  const few = model ? modelShards(plan, DEFAULT_SHARDS) : DEFAULT_SHARDS;
  const wanted = shards ? options.shards ?? few : pieces;
  const count = Math.max(1, Math.min(wanted, tasks));
  const edge = (i: number) => Math.floor(i * tasks / count);
  return {
    count,
    // A model has threads of its own to share the work among.
    jobs: model ? 1 : options.jobs,
    split: options.split,
    // How far a model is it says itself.
    steps: model ? 0 : steps * tasks,
    prepared: { policyParams, taskSeeds } satisfies Prepared,
    open: (i) => playPart(planned, edge(i), edge(i + 1), options),
  };
});

/** The file of recorded trials, where the policy is to replay them. */
function recordOf(options: GenerateOptions): string | undefined {
  if (options.policy !== "replay") return undefined;
  const { from, ...rest } = pairs("policy-param", options["policy-param"]);
  const other = Object.keys(rest)[0];
  if (from !== undefined && other === undefined) return from;
  throw new UsageError({
    message: other === undefined
      ? "Cannot replay without --policy-param from=FILE"
      : `policy replay: Cannot set ${other}: unknown; known is from`,
  });
}

/** Recorded trials, in an environment of the user's own where one is given. */
function replayed(from: string, { env }: GenerateOptions): Batches {
  if (env === undefined) return replayTrials(from);
  return Stream.unwrap(
    Effect.map(loadEnvironment(env), (given) => replayTrials(from, given)),
  );
}

function open(options: GenerateOptions): Batches {
  const from = recordOf(options);
  if (from !== undefined) return replayed(from, options);
  return Stream.unwrap(
    Effect.map(
      preparePlan(options),
      (planned) => playPart(planned, 0, planned.plan.tasks, options),
    ),
  );
}

/** Files that the rows depend on: an environment's, recorded trials, a model's. */
function filesOf(options: GenerateOptions): ReadonlyArray<string> {
  const { env } = options;
  const record = recordOf(options);
  const folder = modelNamed(options.policy);
  return [
    ...env !== undefined && isModule(env) ? [env] : [],
    ...record === undefined ? [] : [record],
    ...folder === undefined ? [] : modelFiles(folder),
  ];
}

export const generate = source(
  {
    name: "generate",
    summary: "Play a policy on sampled tasks",
    details:
      `Each task is one hidden problem, each row one trial on it: --episodes
episodes of one policy, which may learn from one to the next; with --steps, as
many whole episodes as it takes. Equal seeds give equal bytes, whatever --jobs is,
and after a kill and a second run with --out. --policy onnx:DIR is the model of a run
that update wrote, at --policy-param temperature=T, tag=N, logprobs=true.`,
    flags,
    // Where it is not, the permission is given back.
    native: ({ policy }) => modelNamed(policy) !== undefined,
    examples: [
      "retrial generate --env dark-room --tasks 100 --episodes 10 --policy q-learning --seed 7",
      "retrial generate --env frozen-lake --param hole=0.1 --tasks 1000 --episodes 30 --policy q-learning --jobs 2 --out lake",
      "retrial generate --env dark-room --tasks 100 --episodes 10 --policy onnx:run --policy-param temperature=0.5",
    ],
  },
  open,
  { parts, inputs: filesOf },
);
