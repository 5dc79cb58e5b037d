/**
 * A run from its packs and options: planned, begun or gone on with, trained.
 *
 * @module
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { foldIn, rootKey } from "../../kernels/random/key.ts";
import {
  constant,
  cosine,
  noam,
  type Schedule,
} from "../../kernels/onnx/optimiser.ts";
import { GraphError } from "../../kernels/onnx/graph.ts";
import {
  type DEVICES,
  isOutOfMemory,
  openSession,
  SessionError,
} from "../../kernels/onnx/session.ts";
import { start, trainingStep } from "../../kernels/onnx/training.ts";
import type { TransformerConfig } from "../../kernels/onnx/transformer.ts";
import {
  HostError,
  hostError,
  isStageError,
  type StageError,
  UsageError,
} from "../errors.ts";
import { checkpointsIn, CONFIG } from "../playing/checkpoint.ts";
import { writeWhole } from "../shard.ts";
import { firstWeights, modelOf, type Origin, originOf } from "./beginning.ts";
import { train } from "./loop.ts";
import { type Objective, objectiveOf } from "./objectives.ts";
import { openPacks, type Packs } from "./packs.ts";
import {
  type ObjectiveName,
  type ObjectiveOptions,
  secondsOf,
  type Settings,
  settled,
} from "./settings.ts";
import type { UpdateOptions } from "./update_flags.ts";
import {
  type Checkpoint,
  isSameRun,
  lastCheckpoint,
  LOG,
  readRun,
  RUN_SCHEMA,
  type RunConfig,
  TIMING,
} from "./runs.ts";

function scheduleOf(settings: Settings): Schedule {
  const { rate, updates } = settings;
  const warmUp = settings["warm-up"];
  if (settings.schedule === "constant") return constant(rate, warmUp);
  return settings.schedule === "noam"
    ? noam(rate, warmUp)
    : cosine(rate, { total: updates, warmUp });
}

/** What is to be trained, on what, to what end. */
interface Plan {
  readonly packs: Packs;
  readonly settings: Settings;
  readonly objective: Objective;
  readonly origin: Origin | undefined;
  readonly model: TransformerConfig;
}

function planOf(packs: Packs, options: UpdateOptions): Plan {
  const { description } = packs;
  const settings = settled(options, description);
  const name = options.objective as ObjectiveName;
  // The flags have these choices alone.
  const own = settings as ObjectiveOptions;
  const objective = objectiveOf(name, description, own);
  const { from } = options;
  const origin = from === undefined ? undefined : originOf(from);
  const model = modelOf(description, objective.outputs, settings, origin);
  return { packs, settings, objective, origin, model };
}

function configOf(
  { packs, settings, origin, model }: Plan,
  folder: string,
  out: string,
): RunConfig {
  const { objective, ...options } = settings;
  return {
    schema: RUN_SCHEMA,
    model,
    objective,
    options,
    packs: {
      folder: path.relative(out, folder),
      files: packs.description.files.map(({ file, sha256 }) => ({
        file,
        sha256,
      })),
    },
    ...(origin && {
      from: {
        folder: path.relative(out, origin.folder),
        sha256: origin.sha256,
      },
    }),
  };
}

/** Makes room for the run, or finds it begun. */
function openRun(config: RunConfig, { out, overwrite }: UpdateOptions): void {
  const before = readRun(out);
  // As it is when it has been written and read.
  const asked: RunConfig = JSON.parse(JSON.stringify(config));
  const isOther = before
    ? !isSameRun(before, asked)
    : fs.existsSync(out) && fs.readdirSync(out).length > 0;
  if (isOther && !overwrite) {
    throw new UsageError({
      message:
        `Cannot write to ${out}: it holds something else, or another run; choose another folder or say --overwrite`,
    });
  }
  if (isOther) {
    for (const name of [...checkpointsIn(out), LOG, TIMING, CONFIG]) {
      fs.rmSync(path.join(out, name), { recursive: true, force: true });
    }
  }
  fs.mkdirSync(out, { recursive: true });
  writeWhole(path.join(out, CONFIG), JSON.stringify(config, null, 2) + "\n");
}

/** Trains what is planned; gives the update it has come to, and how many weights. */
async function trainPlan(
  { packs, settings, objective, origin, model }: Plan,
  options: UpdateOptions,
  before: Checkpoint | undefined,
  last: number,
) {
  const { out, save } = options;
  const { batch, clip, decay, threads, accumulate } = settings;
  const { polyak } = objective;
  // The flag has these choices alone.
  const device = settings.device as typeof DEVICES[number];
  const training = trainingStep(model, objective.loss, {
    ...{ batch, clip, accumulate, weightDecay: decay, device },
    ...(polyak !== undefined && { polyak }),
  });
  const { graph, feedback, parameters, size } = training;
  const session = await openSession(graph, {
    device,
    feedback,
    ...(threads !== undefined && { threads }),
  });
  try {
    const key = foldIn(rootKey(settings.seed), "update");
    const weights = before?.weights ??
      firstWeights(parameters, foldIn(key, "weights"), origin);
    start(session, training, weights, before?.moments, before?.delayed);
    const run = {
      ...{ packs, model, objective, training, session, settings, out },
      schedule: scheduleOf(settings),
      key: foldIn(key, "windows"),
    };
    const seconds = secondsOf(options.until);
    const from = before?.update ?? 0;
    return { update: await train(run, from, { last, seconds, save }), size };
  } finally {
    await session.release();
  }
}

/** How far a run has come. */
export interface Outcome {
  readonly update: number;
  /** Updates that it is to be. */
  readonly updates: number;
  /** Weights of the model; none where there was nothing to do. */
  readonly size?: number;
}

/**
 * Begins a run on a folder of packs, or goes on with it; update `stop` is its last
 * where it would do more.
 */
export async function runUpdate(
  folder: string,
  options: UpdateOptions,
  stop = Infinity,
): Promise<Outcome> {
  // Wrong before anything is done.
  secondsOf(options.until);
  const packs = openPacks(folder);
  try {
    const plan = planOf(packs, options);
    const { out } = options;
    const { updates } = plan.settings;
    openRun(configOf(plan, folder, out), options);
    const before = lastCheckpoint(out);
    const last = Math.min(updates, stop);
    if (before && before.update >= last) {
      return { update: before.update, updates };
    }
    const trained = trainPlan(plan, options, before, last);
    return {
      updates,
      ...await trained.catch((cause) => needMemory(plan, cause)),
    };
  } finally {
    packs.close();
  }
}

/** Says what to make smaller where memory was not enough; else throws as it is. */
function needMemory({ settings, model }: Plan, cause: unknown): never {
  if (isStageError(cause) || !isOutOfMemory(cause)) throw cause;
  const { message } = cause as Error;
  throw new HostError({
    message:
      `Cannot train: memory is not enough for --batch ${settings.batch}, --width ${model.width}, --layers ${model.layers} and windows of ${model.context} steps (pack --context): make one of them smaller; --accumulate makes an update of several batches (${message})`,
  });
}

/** What training threw, as the error of a stage. */
export function stageError(cause: unknown): StageError {
  if (isStageError(cause)) return cause;
  // A model that cannot be built is one that was not well asked for.
  if (cause instanceof GraphError) {
    return new UsageError({ message: `Cannot train: ${cause.message}` });
  }
  return cause instanceof SessionError
    ? new HostError({ message: `Cannot train: ${cause.message}` })
    : hostError("train", cause);
}
