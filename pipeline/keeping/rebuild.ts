/**
 * From a manifest back to the chain that made it.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as fs from "node:fs";
import * as path from "node:path";
import {
  type Chain,
  findStage,
  flagsOf,
  type Link,
  renameFiles,
} from "../chain.ts";
import { DataError, type StageError } from "../errors.ts";
import { type AnyOptions, checkOptions } from "../flags.ts";
import { attempt } from "../jsonl.ts";
import type { InputFile, Manifest } from "../manifest.ts";
import { planProduction, type Production } from "../production.ts";
import { hashFile } from "../digest.ts";
import type { Stage } from "../stage.ts";

/** What became of an input since; `undefined` if nothing did. */
export function inputProblem(
  folder: string,
  { file, sha256 }: InputFile,
): string | undefined {
  const full = path.join(folder, file);
  if (!fs.existsSync(full)) return `input ${full} is missing`;
  return hashFile(full).sha256 === sha256
    ? undefined
    : `input ${full} has changed`;
}

/** What is made again to be compared sets no lines aside a second time. */
function withoutQuarantine(options: AnyOptions): AnyOptions {
  const { "on-error": onError } = options;
  return String(onError).startsWith("quarantine=")
    ? { ...options, "on-error": "skip" }
    : options;
}

/** The chain of a manifest, its inputs found from the dataset's folder. */
export function chainOf(
  stages: ReadonlyArray<Stage>,
  folder: string,
  { recipe }: Manifest,
): Chain {
  const names = [...new Set(recipe.inputs.map(({ file }) => file))];
  const fromHere = (file: string) => path.join(folder, file);
  const links = recipe.steps.map(
    ({ stage: name, options, operands }, i): Link => {
      const stage = findStage(stages, name);
      const given = withoutQuarantine(options);
      return {
        stage,
        // What changes no byte is not in the recipe, and as by default here.
        options: checkOptions(
          flagsOf(stage),
          renameFiles(given, stage.flags, names, fromHere),
        ),
        operands: i === 0 && recipe.readsInputs
          ? names.map(fromHere)
          : operands,
      };
    },
  );
  const output = { out: folder, compress: recipe.compress, overwrite: false };
  return { links, output };
}

/** The production of a manifest, once its inputs are found unchanged. */
export const rebuild = Effect.fnUntraced(function* (
  stages: ReadonlyArray<Stage>,
  folder: string,
  manifest: Manifest,
): Effect.fn.Return<Production, StageError> {
  const refuse = (why: string) =>
    new DataError({ message: `Cannot replay ${folder}: ${why}` });
  if (manifest.recipe.stdin) {
    return yield* refuse(
      "its rows came by standard input; chain the stages with then to keep them together",
    );
  }
  const changed = yield* attempt(
    "hash inputs",
    () =>
      manifest.recipe.inputs.flatMap((input) =>
        inputProblem(folder, input) ?? []
      ),
  );
  if (changed.length > 0) return yield* refuse(changed.join("; "));
  const chain = yield* attempt(
    "read the manifest",
    () => chainOf(stages, folder, manifest),
  );
  return yield* planProduction(chain, { shards: true });
});
