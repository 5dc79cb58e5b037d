/**
 * Updates, one after the other: their windows, the log, checkpoints.
 *
 * @module
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { adamInputs, type Schedule } from "../../kernels/onnx/optimiser.ts";
import type { Session } from "../../kernels/onnx/session.ts";
import {
  delayedOf,
  momentsOf,
  type Training,
  weightsOf,
} from "../../kernels/onnx/training.ts";
import {
  tokensOf,
  type TransformerConfig,
} from "../../kernels/onnx/transformer.ts";
import type { Key } from "../../kernels/random/key.ts";
import { DataError } from "../errors.ts";
import { checkpointsIn } from "../playing/checkpoint.ts";
import { say } from "../progress.ts";
import { writeWhole } from "../shard.ts";
import { batchOf, type Objective } from "./objectives.ts";
import { type Packs, windowsOfBatch } from "./packs.ts";
import { LOG, TIMING, writeCheckpoint } from "./runs.ts";
import type { Settings } from "./settings.ts";

const INTERVAL_MS = 500;

/** A run at work. */
export interface Run {
  readonly packs: Packs;
  readonly model: TransformerConfig;
  readonly objective: Objective;
  readonly training: Training;
  readonly session: Session;
  readonly schedule: Schedule;
  readonly settings: Settings;
  /** Of the order of windows. */
  readonly key: Key;
  /** Folder that checkpoints and logs go to. */
  readonly out: string;
}

/** How far to go, and how often to save. */
export interface Budget {
  /** The update to end with. */
  readonly last: number;
  /** Seconds after which it ends sooner. */
  readonly seconds: number;
  /** Updates from checkpoint to checkpoint. */
  readonly save: number;
}

function needFinite(
  numbers: Readonly<Record<string, number>>,
  update: number,
  out: string,
): void {
  const wrong = Object.keys(numbers).find((key) =>
    !Number.isFinite(numbers[key])
  );
  if (wrong === undefined) return;
  const last = checkpointsIn(out).at(-1);
  throw new DataError({
    message: `${wrong} of update ${update} is ${numbers[wrong]}; ${
      last ? `${last} is the last that was good` : "there is no checkpoint yet"
    }`,
  });
}

/** One update; gives its line of the log, means over its batches. */
async function updateOnce(run: Run, update: number): Promise<string> {
  const { packs, model, objective, session, schedule, settings } = run;
  const { batch, accumulate } = settings;
  const { windows } = packs.description;
  const means: Record<string, number> = {};
  for (let part = 1; part <= accumulate; part++) {
    const at = (update - 1) * accumulate + part - 1;
    const chosen = windowsOfBatch(run.key, windows, batch, at);
    const results = await session.run({
      ...batchOf(packs, chosen, model, objective),
      ...adamInputs(schedule, update, run.training.adam, part),
    });
    for (const [name, [value]] of Object.entries(results)) {
      // The gradient gathered last is that of them all.
      means[name] = name === "gradientNorm"
        ? Number(value)
        : (means[name] ?? 0) + Number(value) / accumulate;
    }
  }
  needFinite(means, update, run.out);
  return JSON.stringify({ update, rate: schedule(update), ...means }) + "\n";
}

/** What an update took, which is not the same the next time. */
function timingOf(
  { model, settings }: Run,
  update: number,
  seconds: number,
): string {
  const { batch, accumulate } = settings;
  const steps = batch * accumulate * model.context;
  const perSecond = (count: number) => Number((count / seconds).toPrecision(6));
  return JSON.stringify({
    update,
    seconds: Number(seconds.toPrecision(6)),
    steps_per_second: perSecond(steps),
    tokens_per_second: perSecond(steps * tokensOf(model)),
    resident_bytes: Deno.memoryUsage().rss,
  }) + "\n";
}

async function save(run: Run, update: number): Promise<void> {
  const { session, training } = run;
  writeCheckpoint(run.out, run.model, {
    update,
    weights: await weightsOf(session, training),
    moments: await momentsOf(session, training),
    delayed: await delayedOf(session, training),
  });
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

/** Whether a line is whole, and of an update up to this one. */
function isUpTo(update: number, line: string): boolean {
  try {
    return JSON.parse(line).update <= update;
  } catch {
    // A run that is killed may leave half a line.
    return false;
  }
}

/** A file of a line an update; lines after the checkpoint are left off. */
function lineFile(file: string, update: number) {
  if (fs.existsSync(file)) {
    const lines = fs.readFileSync(file, "utf8").split("\n").filter((line) =>
      isUpTo(update, line)
    );
    writeWhole(file, lines.map((line) => line + "\n").join(""));
  }
  let pending = "";
  return {
    add: (line: string) => {
      pending += line;
    },
    flush: () => {
      fs.appendFileSync(file, pending);
      pending = "";
    },
  };
}

/** Trains from after update `from`; gives the update that it has come to. */
export async function train(
  run: Run,
  from: number,
  { last, seconds, save: every }: Budget,
): Promise<number> {
  const log = lineFile(path.join(run.out, LOG), from);
  const timing = lineFile(path.join(run.out, TIMING), from);
  const tick = ticker(last, from);
  const began = performance.now();
  let [update, before, isOver] = [from, began, false];
  while (!isOver) {
    const line = await updateOnce(run, ++update);
    const now = performance.now();
    log.add(line);
    timing.add(timingOf(run, update, (now - before) / 1000));
    before = now;
    tick(update, line);
    isOver = update === last || now - began >= 1000 * seconds;
    if (!isOver && update % every !== 0) continue;
    log.flush();
    timing.flush();
    await save(run, update);
    before = performance.now();
  }
  if (Deno.stderr.isTerminal()) say("\r\x1b[K");
  return update;
}
