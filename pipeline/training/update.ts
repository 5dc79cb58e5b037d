/**
 * `update`: trains an in-context learner on packed windows.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as fs from "node:fs";
import * as path from "node:path";
import { foldIn, type Key, rootKey } from "../../kernels/random/key.ts";
import {
  adamInputs,
  constant,
  cosine,
  noam,
  type Schedule,
} from "../../kernels/onnx/optimiser.ts";
import { GraphError } from "../../kernels/onnx/graph.ts";
import { initialise } from "../../kernels/onnx/parameters.ts";
import {
  type DEVICES,
  openSession,
  type Session,
  SessionError,
} from "../../kernels/onnx/session.ts";
import {
  momentsOf,
  start,
  type Training,
  trainingStep,
  weightsOf,
} from "../../kernels/onnx/training.ts";
import type { TransformerConfig } from "../../kernels/onnx/transformer.ts";
import {
  DataError,
  HostError,
  hostError,
  isStageError,
  type StageError,
  UsageError,
} from "../errors.ts";
import { stageKey } from "../keyed.ts";
import { say } from "../progress.ts";
import { writeWhole } from "../shard.ts";
import { keeper } from "../stage.ts";
import { batchOf, type Objective, objectiveOf } from "./objectives.ts";
import { openPacks, type Packs, windowsOfUpdate } from "./packs.ts";
import { flags, type UpdateOptions } from "./update_flags.ts";
import {
  checkpointsIn,
  CONFIG,
  lastCheckpoint,
  LOG,
  type RunConfig,
  writeCheckpoint,
} from "./runs.ts";

const INTERVAL_MS = 500;

function modelOf(
  { description }: Packs,
  objective: Objective,
  options: UpdateOptions,
): TransformerConfig {
  const { observations, actions, context } = description;
  const { width, layers, heads, tokens, positions } = options;
  return {
    observations: observations.kind === "discrete"
      ? observations.n
      : { vector: observations.width },
    actions,
    width,
    layers,
    heads,
    context,
    // The flags have these choices alone.
    tokens: tokens as TransformerConfig["tokens"],
    positions: positions as TransformerConfig["positions"],
    outputs: objective.outputs,
  };
}

function scheduleOf(options: UpdateOptions): Schedule {
  const { rate, updates } = options;
  const warmUp = options["warm-up"];
  if (options.schedule === "constant") return constant(rate, warmUp);
  return options.schedule === "noam"
    ? noam(rate, warmUp)
    : cosine(rate, { total: updates, warmUp });
}

/** What makes a run the same run: where and how often it saves does not. */
function configOf(
  packs: Packs,
  model: TransformerConfig,
  options: UpdateOptions,
): RunConfig {
  const { out: _, overwrite: __, save: ___, objective, ...rest } = options;
  return {
    schema: "retrial/run@1",
    model,
    objective,
    options: rest,
    packs: packs.description.files.map(({ file, sha256 }) => ({
      file,
      sha256,
    })),
  };
}

/** Makes room for the run, or finds it begun. */
function openRun(config: RunConfig, { out, overwrite }: UpdateOptions): void {
  const file = path.join(out, CONFIG);
  const text = JSON.stringify(config, null, 2) + "\n";
  const isOther = fs.existsSync(file)
    ? fs.readFileSync(file, "utf8") !== text
    : fs.existsSync(out) && fs.readdirSync(out).length > 0;
  if (isOther && !overwrite) {
    throw new UsageError({
      message:
        `Cannot write to ${out}: it holds something else, or another run; choose another folder or say --overwrite`,
    });
  }
  if (isOther) {
    for (const name of [...checkpointsIn(out), LOG, CONFIG]) {
      fs.rmSync(path.join(out, name), { recursive: true, force: true });
    }
  }
  fs.mkdirSync(out, { recursive: true });
  writeWhole(file, text);
}

/** The log up to an update: what was written after the checkpoint is left off. */
function cutLog(file: string, update: number): void {
  if (!fs.existsSync(file)) return;
  const lines = fs.readFileSync(file, "utf8").split("\n").slice(0, update);
  fs.writeFileSync(file, lines.map((line) => line + "\n").join(""));
}

/** A run at work. */
interface Run {
  readonly packs: Packs;
  readonly config: RunConfig;
  readonly objective: Objective;
  readonly training: Training;
  readonly session: Session;
  readonly schedule: Schedule;
  readonly options: UpdateOptions;
  readonly key: Key;
}

/** One update; gives its line of the log. */
async function updateOnce(run: Run, update: number): Promise<string> {
  const { packs, config, objective, session, schedule, options, training } =
    run;
  const { batch } = options;
  const { windows } = packs.description;
  const chosen = windowsOfUpdate(run.key, windows, batch, update - 1);
  const name = options.objective as Parameters<typeof objectiveOf>[0];
  const results = await session.run({
    ...batchOf(packs, chosen, config.model, name, objective),
    ...adamInputs(schedule, update, training.adam),
  });
  const numbers = Object.fromEntries(
    Object.entries(results).map(([key, [value]]) => [key, Number(value)]),
  );
  const wrong = Object.keys(numbers).find((key) =>
    !Number.isFinite(numbers[key])
  );
  if (wrong !== undefined) {
    const last = checkpointsIn(options.out).at(-1);
    throw new DataError({
      message: `${wrong} of update ${update} is ${numbers[wrong]}; ${
        last
          ? `${last} is the last that was good`
          : "there is no checkpoint yet"
      }`,
    });
  }
  return JSON.stringify({ update, rate: schedule(update), ...numbers }) + "\n";
}

async function save(run: Run, update: number): Promise<void> {
  const weights = await weightsOf(run.session, run.training);
  const moments = await momentsOf(run.session, run.training);
  const checkpoint = { update, weights, moments };
  writeCheckpoint(run.options.out, run.config.model, checkpoint);
}

/** Shows how far it is, on a terminal. */
function ticker(updates: number, from: number) {
  const started = performance.now();
  let shown = -Infinity;
  return (update: number, line: string) => {
    const now = performance.now();
    if (!Deno.stderr.isTerminal() || now - shown < INTERVAL_MS) return;
    shown = now;
    const left = (now - started) / (update - from) * (updates - update) / 1000;
    const { loss } = JSON.parse(line);
    say(
      `\r\x1b[Kupdate ${update} of ${updates}, loss ${loss.toFixed(4)}, ${
        Math.ceil(left)
      } s left`,
    );
  };
}

async function train(run: Run, from: number): Promise<void> {
  const { options } = run;
  const log = path.join(options.out, LOG);
  cutLog(log, from);
  const tick = ticker(options.updates, from);
  let pending = "";
  for (let update = from + 1; update <= options.updates; update++) {
    const line = await updateOnce(run, update);
    pending += line;
    tick(update, line);
    if (update % options.save !== 0 && update !== options.updates) continue;
    fs.appendFileSync(log, pending);
    pending = "";
    await save(run, update);
  }
  if (Deno.stderr.isTerminal()) say("\r\x1b[K");
}

async function runUpdate(folder: string, options: UpdateOptions) {
  const packs = openPacks(folder);
  const name = options.objective as Parameters<typeof objectiveOf>[0];
  const objective = objectiveOf(name, packs.description);
  const model = modelOf(packs, objective, options);
  const config = configOf(packs, model, options);
  openRun(config, options);
  const { batch, clip, decay, device, threads, out, updates } = options;
  const before = lastCheckpoint(out);
  if (before && before.update >= updates) {
    say(`${out} is at update ${before.update}: there is nothing to do\n`);
    return;
  }
  const training = trainingStep(model, objective.loss, {
    batch,
    clip,
    weightDecay: decay,
  });
  const session = await openSession(training.graph, {
    device: device as typeof DEVICES[number],
    feedback: training.feedback,
    ...(threads !== undefined && { threads }),
  });
  const key = foldIn(rootKey(options.seed), "update");
  const first = initialise(training.parameters, foldIn(key, "weights"));
  start(session, training, before?.weights ?? first, before?.moments);
  const run: Run = {
    packs,
    config,
    objective,
    training,
    session,
    schedule: scheduleOf(options),
    options,
    key: foldIn(key, "windows"),
  };
  try {
    await train(run, before?.update ?? 0);
  } finally {
    await session.release();
  }
  say(`${out} is at update ${updates}, ${training.size} weights\n`);
}

/** What training threw, as the error of a stage. */
function stageError(cause: unknown): StageError {
  if (isStageError(cause)) return cause;
  // A model that cannot be built is one that was not well asked for.
  if (cause instanceof GraphError) {
    return new UsageError({ message: `Cannot train: ${cause.message}` });
  }
  return cause instanceof SessionError
    ? new HostError({ message: `Cannot train: ${cause.message}` })
    : hostError("train", cause);
}

export const update = keeper({
  name: "update",
  summary: "Train an in-context learner on packed windows",
  details:
    `PACKS is a folder that pack wrote. A causal transformer reads, at each step, what is
seen and the action and reward before, and learns what to do: what was done (ad,
Algorithm Distillation), or labels at every position (dpt; omnirl, which learns the
next observation and reward too). DIR then holds the last checkpoint, as safetensors
and as policy.onnx, and log.jsonl. A run that was stopped goes on from its last
checkpoint by the same command, to the same weights on the CPU.`,
  flags,
  operands: "PACKS",
  native: true,
  examples: [
    "retrial update packs --objective dpt --updates 2000 --out run",
    "retrial update packs --width 128 --layers 4 --heads 4 --batch 32 --rate 3e-4 --out run",
  ],
}, (options, operands) =>
  Effect.gen(function* () {
    const [folder] = operands;
    if (folder === undefined || operands.length > 1) {
      return yield* new UsageError({
        message: "Cannot update: one folder of packs expected",
      });
    }
    stageKey(options.seed, "update");
    yield* Effect.tryPromise({
      try: () => runUpdate(folder, options),
      catch: stageError,
    });
  }));
