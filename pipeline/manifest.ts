/**
 * The manifest of a dataset: what made it, from what, and what came of it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { DataError } from "./errors.ts";
import type { AnyOptions } from "./flags.ts";
import { addCounts, type Counts } from "./lines.ts";
import { SCHEMA } from "./schema.ts";

export const MANIFEST = "manifest.json";
const MANIFEST_SCHEMA = "retrial/manifest@1";
export const VERSION = "0.1.0";

/** One stage of the chain that made a dataset. */
export interface Step {
  readonly stage: string;
  readonly options: AnyOptions;
  readonly operands: ReadonlyArray<string>;
}

/** A file that was read; the name is relative to the dataset's folder. */
export interface InputFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A file that was written; the name is relative to the dataset's folder. */
export interface ShardEntry {
  readonly file: string;
  readonly split: string;
  /** Index of the part of the plan that it holds. */
  readonly part: number;
  readonly counts: Counts;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a dataset is a function of. */
export interface Recipe {
  readonly steps: ReadonlyArray<Step>;
  readonly inputs: ReadonlyArray<InputFile>;
  /** Whether the first stage's operands are the inputs. */
  readonly readsInputs: boolean;
  readonly compress: "none" | "gz" | "zst";
  readonly parts: number;
  /** Whether rows came by standard input, which cannot be read again. */
  readonly stdin: boolean;
  readonly code: { readonly version: string; readonly commit: string };
}

export interface Manifest {
  readonly schema: string;
  readonly row: string;
  readonly recipe: Recipe;
  readonly runtime: { readonly [name: string]: string };
  readonly totals: Counts & { readonly bytes: number };
  /** Share of draws that the sampler of tasks accepted. */
  readonly acceptance?: number;
  readonly shards: ReadonlyArray<ShardEntry>;
}

/** The commit that this code stands at, or `unknown` outside a checkout. */
export function codeCommit(): string {
  const root = new URL("../.git/", import.meta.url);
  try {
    const head = fs.readFileSync(new URL("HEAD", root), "utf8").trim();
    if (!head.startsWith("ref: ")) return head;
    return fs.readFileSync(new URL(head.slice(5), root), "utf8").trim();
  } catch {
    return "unknown";
  }
}

/** The manifest of a recipe whose shards are all written. */
export function makeManifest(
  recipe: Recipe,
  shards: ReadonlyArray<ShardEntry>,
): Manifest {
  const counts = shards.reduce(
    (sum, shard) => addCounts(sum, shard.counts),
    { rows: 0, steps: 0 } as Counts,
  );
  const bytes = shards.reduce((total, shard) => total + shard.bytes, 0);
  return {
    schema: MANIFEST_SCHEMA,
    row: SCHEMA,
    recipe,
    runtime: {
      deno: Deno.version.deno,
      v8: Deno.version.v8,
      platform: `${Deno.build.os}-${Deno.build.arch}`,
    },
    totals: { ...counts, bytes },
    ...(counts.draws && {
      acceptance: Number((counts.tasks! / counts.draws).toPrecision(6)),
    }),
    shards,
  };
}

/** The digest of what a dataset is a function of. */
export function recipeDigest(recipe: Recipe): string {
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex");
}

/** The manifest in a folder; `undefined` if there is none. */
export function readManifest(folder: string): Manifest | undefined {
  const file = path.join(folder, MANIFEST);
  if (!fs.existsSync(file)) return undefined;
  const text = fs.readFileSync(file, "utf8");
  const manifest = parseManifest(text);
  if (manifest?.schema === MANIFEST_SCHEMA) return manifest;
  throw new DataError({
    message: `Cannot read ${file}: not a ${MANIFEST_SCHEMA} manifest`,
  });
}

function parseManifest(text: string): Manifest | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The manifest in a folder, which must have one. */
export function needManifest(folder: string): Manifest {
  const manifest = readManifest(folder);
  if (manifest) return manifest;
  throw new DataError({
    message: `Cannot read ${folder}: not a dataset (no ${MANIFEST} in it)`,
  });
}

/** What two recipes differ in, a line each: `seed changed from 7 to 8`. */
export function recipeDifferences(
  was: Recipe,
  now: Recipe,
): ReadonlyArray<string> {
  const before = flatten(was);
  const after = flatten(now);
  const names = [...new Set([...before.keys(), ...after.keys()])];
  // What the stages are comes before what they were told.
  const isStage = (name: string) => Number(!name.startsWith("stage "));
  names.sort((a, b) => isStage(a) - isStage(b));
  return names.flatMap((name) => {
    const [from, to] = [before.get(name), after.get(name)];
    return from === to
      ? []
      : [`${name} changed from ${from ?? "nothing"} to ${to ?? "nothing"}`];
  });
}

function flatten(recipe: Recipe): Map<string, string> {
  const flat = new Map<string, string>();
  recipe.steps.forEach(({ stage }, i) => flat.set(`stage ${i + 1}`, stage));
  recipe.steps.forEach(({ stage, options, operands }, i) => {
    const name = recipe.steps.length > 1 ? `${i + 1}:${stage}` : stage;
    for (const [option, value] of Object.entries(options)) {
      if (value !== undefined) {
        flat.set(`${name} --${option}`, JSON.stringify(value));
      }
    }
    if (operands.length > 0) {
      flat.set(`${name} operands`, operands.join(" "));
    }
  });
  for (const { file, sha256 } of recipe.inputs) {
    flat.set(`input ${file}`, sha256.slice(0, 12));
  }
  flat.set("--compress", recipe.compress);
  flat.set("number of parts", String(recipe.parts));
  flat.set("code version", recipe.code.version);
  flat.set("code commit", recipe.code.commit.slice(0, 12));
  return flat;
}
