/**
 * `explain`: what differs between a dataset and what would be made now, what
 * would be made again, and why.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { commandOf, parseChain } from "../chain.ts";
import { recipeOf } from "../dataset.ts";
import type { StageError } from "../errors.ts";
import { attempt } from "../jsonl.ts";
import {
  codeCommit,
  type Manifest,
  needManifest,
  recipeDifferences,
  VERSION,
} from "../manifest.ts";
import { planProduction } from "../production.ts";
import { keeper, type Stage } from "../stage.ts";
import { writeStdout } from "../files.ts";
import { inputProblem } from "./rebuild.ts";
import { oneFolder, shardProblem } from "./verify.ts";

/** What has happened to code, inputs and shards since. */
function changesSince(
  folder: string,
  { recipe, shards }: Manifest,
): ReadonlyArray<string> {
  const { version, commit } = recipe.code;
  const now = codeCommit();
  return [
    ...version === VERSION
      ? []
      : [`code version is ${VERSION}, was ${version}`],
    ...commit === now
      ? []
      : [`code commit is ${now.slice(0, 12)}, was ${commit.slice(0, 12)}`],
    ...recipe.inputs.flatMap((input) => inputProblem(folder, input) ?? []),
    ...shards.flatMap((shard) => {
      const problem = shardProblem(folder, shard);
      return problem
        ? [`${shard.file} ${problem}: its part would be made again`]
        : [];
    }),
  ];
}

const compare = Effect.fnUntraced(function* (
  stages: ReadonlyArray<Stage>,
  folder: string,
  manifest: Manifest,
  words: ReadonlyArray<string>,
): Effect.fn.Return<ReadonlyArray<string>, StageError> {
  const chain = yield* attempt(
    "read the command",
    () => parseChain(stages, words),
  );
  const production = yield* planProduction(chain, { shards: true });
  const target = { folder, compress: chain.output.compress };
  const recipe = yield* recipeOf(chain, production, target);
  const differences = recipeDifferences(manifest.recipe, recipe);
  return differences.length === 0
    ? ["that command makes this dataset: nothing would be made again"]
    : [
      `all ${production.parts} parts would be made again, because`,
      ...differences.map((difference) => `  ${difference}`),
    ];
});

export const explain = keeper({
  name: "explain",
  summary: "Say what made a dataset, and what would be made again and why",
  details:
    `With a command behind --, says what differs between that command and the one
that made the dataset. Without one, what has changed since: code, inputs, files.`,
  flags: {},
  operands: "DIR [-- STAGE …]",
  examples: [
    "retrial explain lake",
    "retrial explain lake -- generate --env frozen-lake --tasks 500 --seed 7",
  ],
}, (_options, operands) =>
  Effect.gen(function* () {
    const folder = yield* attempt("read arguments", () =>
      oneFolder("explain", operands));
    const { stages } = yield* Effect.promise(() =>
      import("../stages.ts")
    );
    const manifest = yield* attempt(`explain ${folder}`, () =>
      needManifest(folder));
    const words = operands.slice(1);
    const found = words.length > 0
      ? yield* compare(stages, folder, manifest, words)
      : yield* attempt("compare", () =>
        changesSince(folder, manifest));
    const { rows, steps } = manifest.totals;
    const lines = [
      `made by: ${commandOf(stages, manifest.recipe)}`,
      `holds: ${rows} trials, ${steps} steps in ${manifest.shards.length} shards`,
      ...(words.length === 0 && found.length === 0
        ? ["nothing has changed since"]
        : found),
    ];
    yield* writeStdout(new TextEncoder().encode(lines.join("\n") + "\n"));
  }));
