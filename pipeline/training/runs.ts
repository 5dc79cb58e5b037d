/**
 * The folder of a run: what it trains, its checkpoints, its log.
 *
 *     config.json              model, objective, options, packs
 *     log.jsonl                one line an update: loss, its terms, gradient norm
 *     timing.jsonl             how long it took; not the same the next time
 *     checkpoint-000500/       model.safetensors, optimiser.safetensors,
 *                              delayed.safetensors where there are such weights,
 *                              state.json, policy.onnx
 *
 * @module
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { modelBytes } from "../../kernels/onnx/bytes.ts";
import type { Weights } from "../../kernels/onnx/parameters.ts";
import {
  forwardGraph,
  parametersOf,
  type TransformerConfig,
} from "../../kernels/onnx/transformer.ts";
import { encodeSafetensors } from "../../kernels/safetensors.ts";
import { DataError } from "../errors.ts";
import {
  checkpointsIn,
  CONFIG,
  readWeights,
  WEIGHTS,
} from "../playing/checkpoint.ts";
import { writeFolder } from "../shard.ts";

export const LOG = "log.jsonl";
export const TIMING = "timing.jsonl";
export const RUN_SCHEMA = "retrial/run@1";
const DELAYED = "delayed.safetensors";
/** Files of a checkpoint that are the same when a run is made again. */
export const REPEATABLE = [
  WEIGHTS,
  "optimiser.safetensors",
  DELAYED,
] as const;
const utf8 = new TextEncoder();

/** What a run trains, and how. */
export interface RunConfig {
  readonly schema: typeof RUN_SCHEMA;
  readonly model: TransformerConfig;
  readonly objective: string;
  readonly options: { readonly [name: string]: unknown };
  /** The packs, their folder as seen from that of the run. */
  readonly packs: {
    readonly folder: string;
    readonly files: ReadonlyArray<
      { readonly file: string; readonly sha256: string }
    >;
  };
  /** The checkpoint whose weights it began with, and their digest. */
  readonly from?: { readonly folder: string; readonly sha256: string };
}

/** Whether two are the same run: where packs and checkpoints lie is no matter. */
export function isSameRun(a: RunConfig, b: RunConfig): boolean {
  const bare = ({ packs, from, ...rest }: RunConfig) =>
    JSON.stringify({ ...rest, packs: packs?.files, from: from?.sha256 });
  return bare(a) === bare(b);
}

/** What a folder says that it trains; `undefined` if it is no run. */
export function readRun(folder: string): RunConfig | undefined {
  const file = path.join(folder, CONFIG);
  if (!fs.existsSync(file)) return undefined;
  try {
    const config: RunConfig | null = JSON.parse(fs.readFileSync(file, "utf8"));
    const isRun = config?.schema === RUN_SCHEMA &&
      typeof config.packs?.folder === "string";
    return isRun ? config : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** What training goes on from. */
export interface Checkpoint {
  readonly update: number;
  readonly weights: Weights;
  readonly moments: Weights;
  readonly delayed?: Weights | undefined;
}

function tensorsOf(
  weights: Weights,
  shapes: ReadonlyMap<string, ReadonlyArray<number>>,
) {
  return Object.fromEntries(
    Object.entries(weights).map(([name, data]) =>
      [name, { shape: shapes.get(name) ?? [data.length], data }] as const
    ),
  );
}

/** Writes a checkpoint, whole or not at all; the one before it is then deleted. */
export function writeCheckpoint(
  folder: string,
  model: TransformerConfig,
  { update, weights, moments, delayed }: Checkpoint,
): void {
  const before = checkpointsIn(folder);
  const name = `checkpoint-${String(update).padStart(6, "0")}`;
  if (before.includes(name)) return;
  const shapes = new Map(
    parametersOf(model).map(({ name, shape }) => [name, shape]),
  );
  const graph = forwardGraph(model, { batch: 1, weights });
  writeFolder(path.join(folder, name), {
    [WEIGHTS]: encodeSafetensors(tensorsOf(weights, shapes)),
    "optimiser.safetensors": encodeSafetensors(tensorsOf(moments, new Map())),
    ...(delayed && {
      [DELAYED]: encodeSafetensors(tensorsOf(delayed, shapes)),
    }),
    "policy.onnx": modelBytes(graph),
    [CONFIG]: utf8.encode(JSON.stringify(model, null, 2) + "\n"),
    "state.json": utf8.encode(JSON.stringify({ update }) + "\n"),
  });
  for (const old of before) {
    fs.rmSync(path.join(folder, old), { recursive: true });
  }
}

/** The update of the last checkpoint of a run, 0 if there is none. */
export function lastUpdate(folder: string): number {
  const name = checkpointsIn(folder).at(-1);
  if (name === undefined) return 0;
  const file = path.join(folder, name, "state.json");
  return JSON.parse(fs.readFileSync(file, "utf8")).update;
}

/** The last checkpoint of a run. */
export function lastCheckpoint(folder: string): Checkpoint | undefined {
  const name = checkpointsIn(folder).at(-1);
  if (name === undefined) return undefined;
  const own = path.join(folder, name);
  return {
    update: lastUpdate(folder),
    weights: readWeights(path.join(own, WEIGHTS)),
    moments: readWeights(`${own}/optimiser.safetensors`),
    ...(fs.existsSync(`${own}/${DELAYED}`) && {
      delayed: readWeights(`${own}/${DELAYED}`),
    }),
  };
}
