/**
 * Writing a dataset folder, so that a kill at any moment loses nothing that was
 * finished and shows nothing that was not.
 *
 * While it is made, `.retrial/recipe.json` says what is being made and
 * `.retrial/part-*.json` which parts are done; both go when the manifest comes.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import * as fs from "node:fs";
import * as path from "node:path";
import { datasetCard } from "./card.ts";
import { type Chain, renameFiles } from "./chain.ts";
import { type StageError, UsageError } from "./errors.ts";
import { shardsOf } from "./files.ts";
import type { AnyOptions } from "./flags.ts";
import { attempt } from "./jsonl.ts";
import { addCounts, type Batch, countRows, type Counts } from "./lines.ts";
import {
  codeCommit,
  type InputFile,
  makeManifest,
  MANIFEST,
  type Manifest,
  readManifest,
  type Recipe,
  recipeDifferences,
  recipeDigest,
  type ShardEntry,
  VERSION,
} from "./manifest.ts";
import type { Production } from "./production.ts";
import { hashFile } from "./digest.ts";
import { openShard, type ShardWriter, writeWhole } from "./shard.ts";

const STATE = ".retrial";
const ENDINGS = { none: "", gz: ".gz", zst: ".zst" } as const;

/** Where a dataset goes, and how its files are packed. */
export interface Target {
  readonly folder: string;
  readonly compress: keyof typeof ENDINGS;
}

/** The recipe of what a chain would make now; reads its inputs to hash them. */
export function recipeOf(
  chain: Chain,
  production: Production,
  target: Target,
): Effect.Effect<Recipe, StageError> {
  return attempt("hash inputs", () => ({
    steps: chain.links.map(({ stage, options, operands }, i) => ({
      stage: stage.name,
      options: renameFiles(
        unchanging(options),
        stage.flags,
        production.inputs,
        (file) => path.relative(target.folder, file),
      ),
      operands: i === 0 ? [] : operands,
    })),
    inputs: production.inputs.map((file): InputFile => ({
      file: path.relative(target.folder, file),
      ...hashFile(file),
    })),
    readsInputs: (chain.links[0]?.operands.length ?? 0) > 0,
    compress: target.compress,
    parts: production.parts,
    stdin: production.stdin,
    code: { version: VERSION, commit: codeCommit() },
  }));
}

/** Options without those that change no byte. */
function unchanging(options: AnyOptions): AnyOptions {
  const { jobs: _jobs, parallel: _parallel, ...rest } = options;
  return rest;
}

/** What is left to do in a folder. */
export interface Work {
  readonly recipe: Recipe;
  readonly done: ReadonlyMap<number, ReadonlyArray<ShardEntry>>;
  /** Set where the folder holds all of it already. */
  readonly manifest: Manifest | undefined;
}

function statePath(folder: string, name: string): string {
  return path.join(folder, STATE, name);
}

function readState<A>(folder: string, name: string): A | undefined {
  try {
    return JSON.parse(fs.readFileSync(statePath(folder, name), "utf8"));
  } catch {
    return undefined;
  }
}

/** A part counts as done while its files have the size they had then. */
function isWhole(folder: string, entries: ReadonlyArray<ShardEntry>): boolean {
  return entries.every(({ file, bytes }) =>
    fs.statSync(path.join(folder, file), { throwIfNoEntry: false })?.size ===
      bytes
  );
}

function finishedParts(folder: string, parts: number) {
  const done = new Map<number, ReadonlyArray<ShardEntry>>();
  for (let part = 0; part < parts; part++) {
    const entries = readState<ReadonlyArray<ShardEntry>>(
      folder,
      markerName(part),
    );
    if (entries && isWhole(folder, entries)) done.set(part, entries);
  }
  return done;
}

function byPart(shards: ReadonlyArray<ShardEntry>) {
  const parts = new Map<number, ReadonlyArray<ShardEntry>>();
  for (const entry of shards) {
    parts.set(entry.part, [...parts.get(entry.part) ?? [], entry]);
  }
  return parts;
}

function markerName(part: number): string {
  return `part-${String(part).padStart(5, "0")}.json`;
}

const SHOWN = 3;

/** The first few of what differs; `explain` has the rest. */
function few(differences: ReadonlyArray<string>): string {
  const more = differences.length - SHOWN;
  const shown = differences.slice(0, SHOWN).join("; ");
  return more > 0 ? `${shown}; and ${more} more` : shown;
}

/** Says that a folder is in use, and what to do. */
export function occupied(folder: string, why: string): UsageError {
  return new UsageError({
    message:
      `Cannot write to ${folder}: ${why}; choose another folder or say --overwrite`,
  });
}

function clear(folder: string): void {
  fs.rmSync(path.join(folder, "data"), { recursive: true, force: true });
  fs.rmSync(path.join(folder, STATE), { recursive: true, force: true });
  fs.rmSync(path.join(folder, MANIFEST), { force: true });
  fs.rmSync(path.join(folder, "README.md"), { force: true });
}

/** Looks at the folder before anything is written there. */
export function prepareFolder(
  folder: string,
  recipe: Recipe,
  overwrite: boolean,
): Effect.Effect<Work, StageError> {
  return attempt(`write to ${folder}`, () => {
    const digest = recipeDigest(recipe);
    const manifest = overwrite ? undefined : readManifest(folder);
    if (manifest && recipe.stdin) {
      throw occupied(
        folder,
        "it holds a dataset, and rows by standard input may be others than it was made of",
      );
    }
    if (manifest) {
      const differences = recipeDifferences(manifest.recipe, recipe);
      if (recipeDigest(manifest.recipe) !== digest) {
        throw occupied(
          folder,
          `it holds another dataset (${few(differences)})`,
        );
      }
      const kept = [...byPart(manifest.shards)].filter(([, entries]) =>
        isWhole(folder, entries)
      );
      const whole = kept.length === recipe.parts;
      if (whole) {
        // A kill may have come between the manifest and this.
        fs.rmSync(path.join(folder, STATE), { recursive: true, force: true });
        return { recipe, done: new Map(kept), manifest };
      }
      begin(folder, recipe);
      for (const [part, entries] of kept) mark(folder, part, entries);
      fs.rmSync(path.join(folder, MANIFEST));
      return { recipe, done: new Map(kept), manifest: undefined };
    }
    const begun = overwrite
      ? undefined
      : readState<Recipe>(folder, "recipe.json");
    if (begun && recipeDigest(begun) !== digest) {
      const differences = few(recipeDifferences(begun, recipe));
      throw occupied(
        folder,
        `another dataset was begun there (${differences})`,
      );
    }
    if (!begun && !overwrite && (shardsOf(folder) ?? []).length > 0) {
      throw occupied(folder, "it holds shards without a manifest");
    }
    if (overwrite) clear(folder);
    begin(folder, recipe);
    return {
      recipe,
      done: recipe.stdin ? new Map() : finishedParts(folder, recipe.parts),
      manifest: undefined,
    };
  });
}

function begin(folder: string, recipe: Recipe): void {
  fs.mkdirSync(path.join(folder, "data"), { recursive: true });
  fs.mkdirSync(path.join(folder, STATE), { recursive: true });
  writeWhole(statePath(folder, "recipe.json"), JSON.stringify(recipe));
}

function mark(
  folder: string,
  part: number,
  entries: ReadonlyArray<ShardEntry>,
): void {
  writeWhole(statePath(folder, markerName(part)), JSON.stringify(entries));
}

/** A file of a part while it is written. */
interface Opened {
  readonly split: string;
  readonly file: string;
  readonly shard: ShardWriter;
  counts: Counts;
}

/** How a batch is dealt out to the files of a part. */
type Deal = (batch: Batch) => ReadonlyArray<Batch>;

/** Makes one part: its files, whole, and with `keep` false only their hashes. */
export const makePart = Effect.fnUntraced(function* (
  production: Production,
  target: Target,
  part: number,
  { keep = true, onBatch = (_counts: Counts): void => {} } = {},
): Effect.fn.Return<ReadonlyArray<ShardEntry>, StageError> {
  const router = production.router?.();
  const splits = router?.splits ?? [production.splitOf(part)];
  const deal: Deal = router
    ? (batch) =>
      router.route(batch).map((bytes) => ({
        bytes,
        place: batch.place,
        offset: 0,
      }))
    : (batch) => [batch];
  const opened: Array<Opened> = [];
  const write = Effect.fnUntraced(function* (batch: Batch) {
    const dealt = yield* attempt("deal rows", () => deal(batch));
    for (const [i, file] of opened.entries()) {
      const counts = yield* attempt("count rows", () => countRows(dealt[i]!));
      file.counts = addCounts(file.counts, counts);
      yield* file.shard.write(dealt[i]!.bytes);
      onBatch(counts);
    }
    batch.release?.();
  });
  const work = Effect.gen(function* () {
    for (const split of splits) {
      const name = production.stem(part, split);
      const file = `data/${name}.jsonl${ENDINGS[target.compress]}`;
      const shard = yield* openShard(path.join(target.folder, file), keep);
      opened.push({ split, file, shard, counts: { rows: 0, steps: 0 } });
    }
    yield* Stream.runForEach(production.open(part), write);
    const entries: Array<ShardEntry> = [];
    for (const { split, file, shard, counts } of opened) {
      const { bytes, sha256 } = yield* shard.close();
      entries.push({ file, split, part, counts, bytes, sha256 });
    }
    if (keep) {
      yield* attempt(
        `write to ${target.folder}`,
        () => mark(target.folder, part, entries),
      );
    }
    return entries;
  });
  return yield* Effect.ensuring(
    work,
    Effect.sync(() => opened.forEach(({ shard }) => shard.abandon())),
  );
});

/** Publishes the manifest, and with it the dataset. */
export function finishDataset(
  folder: string,
  recipe: Recipe,
  shards: ReadonlyArray<ShardEntry>,
  command: string,
): Effect.Effect<Manifest, StageError> {
  return attempt(`write to ${folder}`, () => {
    const manifest = makeManifest(recipe, shards);
    const text = JSON.stringify(manifest, null, 1);
    const card = datasetCard(manifest, command);
    writeWhole(path.join(folder, "README.md"), card);
    writeWhole(path.join(folder, MANIFEST), text + "\n");
    fs.rmSync(path.join(folder, STATE), { recursive: true, force: true });
    return manifest;
  });
}

/** Removes what a stopped writer may have left of unfinished files. */
export function removePartials(folder: string): void {
  const data = path.join(folder, "data");
  if (!fs.existsSync(data)) return;
  for (const name of fs.readdirSync(data)) {
    if (name.endsWith(".partial")) fs.rmSync(path.join(data, name));
  }
}
