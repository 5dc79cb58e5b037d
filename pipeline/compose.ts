/**
 * Stages in code: the same values, with typed options, joined by `pipe`.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { parseChain } from "./chain.ts";
import type { StageError } from "./errors.ts";
import type { Flags, Given } from "./flags.ts";
import { attempt, type Batches, type Transform } from "./jsonl.ts";
import { runChain } from "./run.ts";
import { type Source, type TransformStage, withDefaults } from "./stage.ts";
import { stages } from "./stages.ts";

/**
 * The rows of a source.
 *
 * @example Two trials in the dark, credited across their episodes
 * ```ts
 * import { equal } from "node:assert/strict";
 * import * as Effect from "effect/Effect";
 * import * as Stream from "effect/Stream";
 * import { credit, generate, rowsFrom, through, toTrials } from "../mod.ts";
 *
 * const room = { env: "dark-room", tasks: 2, episodes: 3, seed: "7" };
 * const trials = await rowsFrom(generate, room).pipe(
 *   through(credit, { "gamma-trial": 0.9, cross: "paper" }),
 *   toTrials,
 *   Stream.runCollect,
 *   Effect.runPromise,
 * );
 * equal(trials[1]!.episodes[2]!.returns!.length, 20);
 * ```
 */
export function rowsFrom<Name extends string, F extends Flags>(
  source: Source<Name, F>,
  options: Given<F>,
  files: ReadonlyArray<string> = [],
): Batches {
  return source.open(withDefaults(source.flags, options), files);
}

/** A transform with its options, to be put into a `pipe` of batches. */
export function through<Name extends string, F extends Flags>(
  stage: TransformStage<Name, F>,
  options: Given<F>,
): Transform {
  return stage.apply(withDefaults(stage.flags, options));
}

/** Runs what stands behind `retrial` on a command line. */
export function run(
  words: ReadonlyArray<string>,
): Effect.Effect<void, StageError> {
  return Effect.flatMap(
    attempt("read the command line", () => parseChain(stages, words)),
    (chain) => runChain(chain, words),
  );
}
