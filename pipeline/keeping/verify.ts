/**
 * `verify`: whether a dataset's files are the ones that its manifest names.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as fs from "node:fs";
import * as path from "node:path";
import { DataError, UsageError } from "../errors.ts";
import { shardsOf } from "../files.ts";
import { attempt } from "../jsonl.ts";
import { type Manifest, needManifest, type ShardEntry } from "../manifest.ts";
import { say } from "../progress.ts";
import { hashFile } from "../digest.ts";
import { keeper } from "../stage.ts";

/** What is wrong with a shard; `undefined` if nothing is. */
export function shardProblem(
  folder: string,
  { file, bytes, sha256 }: ShardEntry,
): string | undefined {
  const full = path.join(folder, file);
  if (!fs.existsSync(full)) return "is missing";
  const found = hashFile(full);
  if (found.bytes !== bytes) {
    return `has ${found.bytes} bytes, expected ${bytes}`;
  }
  return found.sha256 === sha256
    ? undefined
    : `has SHA-256 ${found.sha256.slice(0, 12)}…, expected ${
      sha256.slice(0, 12)
    }…`;
}

function strangers(folder: string, manifest: Manifest): ReadonlyArray<string> {
  const known = new Set(manifest.shards.map(({ file }) => path.basename(file)));
  return (shardsOf(folder) ?? []).filter((file) =>
    !known.has(path.basename(file))
  );
}

function problems(folder: string, manifest: Manifest): ReadonlyArray<string> {
  return [
    ...manifest.shards.flatMap((shard) => {
      const problem = shardProblem(folder, shard);
      return problem ? [`${shard.file} ${problem}`] : [];
    }),
    ...strangers(folder, manifest).map((file) =>
      `data/${path.basename(file)} is not in the manifest`
    ),
  ];
}

/** The one folder that a keeper was given. */
export function oneFolder(
  stage: string,
  operands: ReadonlyArray<string>,
): string {
  if (operands[0] !== undefined) return operands[0];
  throw new UsageError({ message: `Cannot ${stage}: DIR expected` });
}

export const verify = keeper({
  name: "verify",
  summary: "Check the files of a dataset against its manifest",
  details: "Reads every shard and compares size and SHA-256.",
  flags: {},
  operands: "DIR…",
  examples: ["retrial verify lake"],
}, (_options, operands) =>
  Effect.gen(function* () {
    const folders = yield* attempt("read arguments", () => {
      oneFolder("verify", operands);
      return operands;
    });
    for (const folder of folders) {
      const found = yield* attempt(`verify ${folder}`, () => {
        const manifest = needManifest(folder);
        return { manifest, bad: problems(folder, manifest) };
      });
      if (found.bad.length > 0) {
        return yield* new DataError({
          message: `Cannot verify ${folder}: ${found.bad.join("; ")}`,
        });
      }
      say(`${folder}: ${found.manifest.shards.length} shards as they were\n`);
    }
  }));
