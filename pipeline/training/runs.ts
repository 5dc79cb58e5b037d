/**
 * The folder of a run: what it trains, its checkpoints, its log.
 *
 *     config.json              model, objective, options, packs
 *     log.jsonl                one line an update: loss, its terms, gradient norm
 *     checkpoint-000500/       model.safetensors, optimiser.safetensors,
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
import {
  decodeSafetensors,
  encodeSafetensors,
  SafetensorsError,
} from "../../kernels/safetensors.ts";
import { DataError } from "../errors.ts";
import { writeFolder } from "../shard.ts";

export const CONFIG = "config.json";
export const LOG = "log.jsonl";
const CHECKPOINT = /^checkpoint-(\d{6,})$/;
const utf8 = new TextEncoder();

/** What a run trains, and how; equal ones are the same run. */
export interface RunConfig {
  readonly schema: "retrial/run@1";
  readonly model: TransformerConfig;
  readonly objective: string;
  readonly options: { readonly [name: string]: unknown };
  readonly packs: ReadonlyArray<
    { readonly file: string; readonly sha256: string }
  >;
}

/** What training goes on from. */
export interface Checkpoint {
  readonly update: number;
  readonly weights: Weights;
  readonly moments: Weights;
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

/** Checkpoints of a folder, the last one last. */
export function checkpointsIn(folder: string): ReadonlyArray<string> {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).filter((name) => CHECKPOINT.test(name)).sort(
    (a, b) => Number(CHECKPOINT.exec(a)![1]) - Number(CHECKPOINT.exec(b)![1]),
  );
}

/** Writes a checkpoint, whole or not at all; the one before it is then deleted. */
export function writeCheckpoint(
  folder: string,
  model: TransformerConfig,
  { update, weights, moments }: Checkpoint,
): void {
  const before = checkpointsIn(folder);
  const name = `checkpoint-${String(update).padStart(6, "0")}`;
  if (before.includes(name)) return;
  const shapes = new Map(
    parametersOf(model).map(({ name, shape }) => [name, shape]),
  );
  const graph = forwardGraph(model, { batch: 1, weights });
  writeFolder(path.join(folder, name), {
    "model.safetensors": encodeSafetensors(tensorsOf(weights, shapes)),
    "optimiser.safetensors": encodeSafetensors(tensorsOf(moments, new Map())),
    "policy.onnx": modelBytes(graph),
    "config.json": utf8.encode(JSON.stringify(model, null, 2) + "\n"),
    "state.json": utf8.encode(JSON.stringify({ update }) + "\n"),
  });
  for (const old of before) {
    fs.rmSync(path.join(folder, old), { recursive: true });
  }
}

function readWeights(file: string): Weights {
  try {
    const bytes = new Uint8Array(fs.readFileSync(file));
    return Object.fromEntries(
      Object.entries(decodeSafetensors(bytes).tensors).map(([name, { data }]) =>
        [name, data as Float32Array] as const
      ),
    );
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw new DataError({ message: `${file}: ${error.message}` });
  }
}

/** The last checkpoint of a run. */
export function lastCheckpoint(folder: string): Checkpoint | undefined {
  const name = checkpointsIn(folder).at(-1);
  if (name === undefined) return undefined;
  const own = path.join(folder, name);
  return {
    update: JSON.parse(fs.readFileSync(`${own}/state.json`, "utf8")).update,
    weights: readWeights(`${own}/model.safetensors`),
    moments: readWeights(`${own}/optimiser.safetensors`),
  };
}

/** The last checkpoint of a run; a checkpoint is its own. */
export function modelFolder(folder: string): string {
  const name = checkpointsIn(folder).at(-1);
  return name === undefined ? folder : path.join(folder, name);
}

/** The files that a model is read from. */
export function modelFiles(folder: string): readonly [string, string] {
  const own = modelFolder(folder);
  return [path.join(own, CONFIG), path.join(own, "model.safetensors")];
}

/** The model of a run, or of a checkpoint, with its weights. */
export function readModel(
  folder: string,
): { readonly model: TransformerConfig; readonly weights: Weights } {
  const [config, weights] = modelFiles(folder);
  for (const file of [config, weights]) {
    if (fs.existsSync(file)) continue;
    throw new DataError({
      message: `${file}: is not there; retrial update writes such folders`,
    });
  }
  return {
    model: JSON.parse(fs.readFileSync(config, "utf8")),
    weights: readWeights(weights),
  };
}
