/**
 * A run made again from its packs, and compared with what it left.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { DataError, type StageError, UsageError } from "../errors.ts";
import { attempt } from "../jsonl.ts";
import { checkpointsIn } from "../playing/checkpoint.ts";
import { hashFile } from "../digest.ts";
import { lastUpdate, readRun, REPEATABLE, type RunConfig } from "./runs.ts";
import { runUpdate, stageError } from "./trainer.ts";
import type { UpdateOptions } from "./update_flags.ts";

/** Where a run's packs, and the checkpoint that it began with, now are. */
interface Sources {
  readonly packs: string;
  readonly from?: string;
}

function sourcesOf(folder: string, { packs, from }: RunConfig): Sources {
  return {
    packs: path.join(folder, packs.folder),
    ...(from && { from: path.join(folder, from.folder) }),
  };
}

function fileProblem(file: string, sha256: string): ReadonlyArray<string> {
  if (!fs.existsSync(file)) return [`${file} is missing`];
  const found = hashFile(file).sha256;
  return found === sha256 ? [] : [
    `${file} has SHA-256 ${found.slice(0, 12)}…, expected ${
      sha256.slice(0, 12)
    }…`,
  ];
}

/** What became of the files that a run was trained on. */
function changes(
  { packs, from }: RunConfig,
  sources: Sources,
): ReadonlyArray<string> {
  const begun = from && sources.from
    ? fileProblem(path.join(sources.from, "model.safetensors"), from.sha256)
    : [];
  const packed = packs.files.flatMap(({ file, sha256 }) =>
    fileProblem(path.join(sources.packs, file), sha256)
  );
  return [...begun, ...packed];
}

/** What differs between two checkpoints. */
function differences(one: string, other: string): ReadonlyArray<string> {
  return REPEATABLE.filter((name) => {
    const [a, b] = [one, other].map((folder) => {
      const file = path.join(folder, name);
      return fs.existsSync(file) ? hashFile(file).sha256 : "none";
    });
    return a !== b;
  });
}

function checkMade(folder: string, config: RunConfig, sources: Sources): void {
  const { device } = config.options;
  if (device !== "cpu") {
    throw new UsageError({
      message:
        `Cannot replay ${folder}: it was trained on ${device}, and only the CPU gives the same bytes each time`,
    });
  }
  const found = changes(config, sources);
  if (found.length > 0) {
    throw new DataError({
      message: `Cannot replay ${folder}: ${found.join("; ")}`,
    });
  }
}

/** Trains again up to the last checkpoint, in a folder of its own. */
async function trainAgain(
  folder: string,
  config: RunConfig,
  { packs, from }: Sources,
): Promise<string> {
  const name = checkpointsIn(folder).at(-1);
  if (name === undefined) {
    throw new DataError({
      message: `Cannot replay ${folder}: it has no checkpoint`,
    });
  }
  const update = lastUpdate(folder);
  const out = fs.mkdtempSync(path.join(os.tmpdir(), "retrial-"));
  try {
    const { objective, options } = config;
    const same = { ...options, objective, out, save: Infinity, from };
    // Its options were those of a run: it wrote them.
    await runUpdate(packs, same as unknown as UpdateOptions, update);
    const found = differences(path.join(folder, name), path.join(out, name));
    if (found.length === 0) return `update ${update}`;
    const hint = options["threads"] === undefined
      ? "; it was trained without --threads, on which results depend"
      : "";
    throw new DataError({
      message:
        `Cannot replay ${folder}: ${found} of ${name} come out other${hint}`,
    });
  } finally {
    fs.rmSync(out, { recursive: true });
  }
}

/** Makes a run again; `undefined` for folders that are none. */
export function remakeRun(
  folder: string,
): Effect.Effect<string, StageError> | undefined {
  const config = readRun(folder);
  if (config === undefined) return undefined;
  const sources = sourcesOf(folder, config);
  return Effect.flatMap(
    attempt(
      `replay ${folder}`,
      () => checkMade(folder, config, sources),
    ),
    () =>
      Effect.tryPromise({
        try: () => trainAgain(folder, config, sources),
        catch: stageError,
      }),
  );
}
