/** Trials to test with, and stages run over them. */
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Stream from "effect/Stream";
import { execFileSync } from "node:child_process";
import type { StageError } from "../../pipeline/errors.ts";
import type { AnyOptions } from "../../pipeline/flags.ts";
import { checkOptions, type Flags } from "../../pipeline/flags.ts";
import { type Batches, fromTrials, toBatches } from "../../pipeline/jsonl.ts";
import type { OnBadLine } from "../../pipeline/lines.ts";
import type { Episode, Trial } from "../../pipeline/schema.ts";
import type { TransformStage } from "../../pipeline/stage.ts";

const utf8 = new TextEncoder();
const decoder = new TextDecoder();

/** An episode over integer states with these rewards. */
export function episode(
  rewards: ReadonlyArray<number>,
  more: Partial<Episode> = {},
): Episode {
  return {
    observations: Array.from({ length: rewards.length + 1 }, (_, t) => t),
    actions: rewards.map((_, t) => t % 4),
    rewards,
    terminated: true,
    truncated: false,
    ...more,
  };
}

/** Trial `sample` on task `task`. */
export function trial(
  task: string,
  sample: number,
  more: Partial<Trial> = {},
): Trial {
  return {
    schema: "retrial/trial@1",
    id: `${task}/${sample}`,
    task: { id: task, env: "toy", version: 1, seed: "5", params: { size: 9 } },
    sample,
    seed: "12345678901234567890",
    policy: { name: "random", params: {} },
    episodes: [episode([0, 1])],
    ...more,
  };
}

export function lines(trials: ReadonlyArray<Trial>): string {
  return trials.map((row) => JSON.stringify(row) + "\n").join("");
}

/** Text as batches, cut into chunks of `size` bytes. */
export function batchesOf(text: string, size = 1 << 16): Batches {
  const bytes = utf8.encode(text);
  const count = Math.ceil(bytes.length / size);
  const chunks = Array.from(
    { length: count },
    (_, i) => bytes.subarray(i * size, (i + 1) * size),
  );
  return toBatches(Stream.fromIterable(chunks), "test.jsonl");
}

/** Everything that batches hold, as text. */
export function collect(batches: Batches): Promise<string> {
  const joined = Stream.runFold(
    batches,
    () => "",
    (text: string, batch) => text + decoder.decode(batch.bytes),
  );
  return run(joined);
}

/** Runs an effect; a failure is thrown as itself, a defect as a defect. */
export async function run<A>(effect: Effect.Effect<A, StageError>): Promise<A> {
  const exit = await Effect.runPromise(Effect.exit(effect));
  if (Exit.isSuccess(exit)) return exit.value;
  if (Cause.hasFails(exit.cause)) throw Cause.squash(exit.cause);
  throw new Error("it is a defect", { cause: Cause.squash(exit.cause) });
}

/** What a transform makes of text, with options as code gives them. */
export function apply<F extends Flags>(
  stage: TransformStage<string, F>,
  given: AnyOptions,
  text: string | ReadonlyArray<Trial>,
  onBad?: OnBadLine,
): Promise<string> {
  const options = checkOptions(stage.flags, given);
  const input = typeof text === "string" ? batchesOf(text) : fromTrials(text);
  // checkOptions has made them what the flags say.
  const transform = stage.apply(options as never, onBad);
  return collect(transform(input));
}

/** The ids of rows in text. */
export function ids(text: string): Array<string> {
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line).id);
}

/** The error that `promise` fails with. */
export async function failure(promise: Promise<unknown>): Promise<StageError> {
  try {
    await promise;
  } catch (error) {
    return error as StageError;
  }
  throw new Error("it did not fail");
}

/** What a program prints. */
export function output(
  program: string,
  args: ReadonlyArray<string>,
  input = "",
): string {
  return execFileSync(program, [...args], {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
}
