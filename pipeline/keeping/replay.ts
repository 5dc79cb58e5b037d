/**
 * `replay`: makes a dataset again, all of it or a sample of its shards, and
 * compares what comes with what is on disk.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { foldIn, rootKey } from "../../kernels/random/key.ts";
import { generator } from "../../kernels/random/generator.ts";
import { permutation } from "../../kernels/random/distributions.ts";
import { makePart } from "../dataset.ts";
import { DataError, type StageError, UsageError } from "../errors.ts";
import { attempt } from "../jsonl.ts";
import { type Manifest, needManifest, type ShardEntry } from "../manifest.ts";
import { progress, say } from "../progress.ts";
import { keeper, type Stage } from "../stage.ts";
import { rebuild } from "./rebuild.ts";
import { oneFolder, shardProblem } from "./verify.ts";

/** Which parts are made again: all, or `count` of them drawn by `seed`. */
function chooseParts(
  parts: number,
  count: number | undefined,
  seed: string,
): ReadonlyArray<number> {
  const all = Array.from({ length: parts }, (_, part) => part);
  if (count === undefined || count >= parts) return all;
  const random = generator(foldIn(rootKey(seed), "replay"));
  return [...permutation(random, parts).subarray(0, count)].sort((a, b) =>
    a - b
  );
}

/** What differs between a shard made again and the manifest and the disk. */
function difference(
  folder: string,
  was: ShardEntry | undefined,
  now: ShardEntry,
): ReadonlyArray<string> {
  if (was === undefined) return [`${now.file} is not in the manifest`];
  if (was.sha256 !== now.sha256) {
    return [`${now.file} comes out with other bytes than the manifest says`];
  }
  const problem = shardProblem(folder, was);
  return problem ? [`${was.file} on disk ${problem}`] : [];
}

const replayParts = Effect.fnUntraced(function* (
  stages: ReadonlyArray<Stage>,
  folder: string,
  manifest: Manifest,
  chosen: (parts: number) => ReadonlyArray<number>,
): Effect.fn.Return<number, StageError> {
  const production = yield* rebuild(stages, folder, manifest);
  const parts = chosen(production.parts);
  const { compress } = manifest.recipe;
  const shown = progress(
    manifest.totals.steps * parts.length / production.parts,
  );
  const bad: Array<string> = [];
  for (const part of parts) {
    const made = yield* makePart(production, { folder, compress }, part, {
      keep: false,
      onBatch: shown.add,
    });
    for (const now of made) {
      const was = manifest.shards.find(({ file }) => file === now.file);
      bad.push(
        ...yield* attempt("compare", () => difference(folder, was, now)),
      );
    }
  }
  shown.finish();
  if (bad.length === 0) return parts.length;
  return yield* new DataError({
    message: `Cannot replay ${folder}: ${bad.join("; ")}`,
  });
});

/** How a stage makes a folder of its own again, if one does. */
function remakeOf(stages: ReadonlyArray<Stage>, folder: string) {
  for (const stage of stages) {
    const made = stage.kind === "keeper" ? stage.remake?.(folder) : undefined;
    if (made !== undefined) return made;
  }
  return undefined;
}

export const replay = keeper({
  name: "replay",
  // What it makes again may be a model, or played by one.
  native: true,
  summary: "Make a dataset or a run again and compare it, byte for byte",
  details:
    `Runs the stages that the manifest names, on the inputs that it names, and
compares what comes out with the manifest and with the files. Nothing is written.
A run of update on the CPU is trained again from its packs, in a temporary folder, up
to its last checkpoint, and its weights and moments are compared.`,
  flags: {
    "sample": {
      type: "count",
      min: 1,
      value: "K",
      summary: "only K parts, drawn by --seed",
    },
    "seed": {
      type: "text",
      default: "0",
      value: "S",
      summary: "seed of that draw",
    },
  },
  operands: "DIR",
  examples: [
    "retrial replay lake",
    "retrial replay lake --sample 2",
    "retrial replay run",
  ],
}, (options, operands) =>
  Effect.gen(function* () {
    const folder = yield* attempt("read arguments", () =>
      oneFolder("replay", operands));
    // The table of stages holds this one, so it is looked up when it is there.
    const { stages } = yield* Effect.promise(() =>
      import("../stages.ts")
    );
    const remade = yield* attempt(`replay ${folder}`, () =>
      remakeOf(stages, folder));
    if (remade) {
      if (options.sample !== undefined) {
        return yield* new UsageError({
          message: `Cannot use --sample: ${folder} is a run, not a dataset`,
        });
      }
      return say(`${folder}: ${yield* remade} comes out the same\n`);
    }
    const manifest = yield* attempt(`replay ${folder}`, () =>
      needManifest(folder));
    const choose = (parts: number) =>
      chooseParts(parts, options.sample, options.seed);
    const count = yield* replayParts(stages, folder, manifest, choose);
    say(
      `${folder}: ${count} of ${manifest.recipe.parts} parts come out the same\n`,
    );
  }));
