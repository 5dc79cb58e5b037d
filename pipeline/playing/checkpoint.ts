/**
 * A trained model as it is found on disk: in the folder of a run, whose last
 * checkpoint is meant, in the folder of a checkpoint, or by its config.json.
 *
 * @module
 */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Weights } from "../../kernels/onnx/parameters.ts";
import {
  parametersOf,
  type TransformerConfig,
} from "../../kernels/onnx/transformer.ts";
import {
  decodeSafetensors,
  SafetensorsError,
} from "../../kernels/safetensors.ts";
import { DataError } from "../errors.ts";

export const CONFIG = "config.json";
export const WEIGHTS = "model.safetensors";
const CHECKPOINT = /^checkpoint-(\d{6,})$/;

/** A model, its weights, and what rows call it. */
export interface Model {
  readonly config: TransformerConfig;
  readonly weights: Weights;
  readonly run: string;
  readonly checkpoint: string;
}

/** Checkpoints of a folder, the last one last. */
export function checkpointsIn(folder: string): ReadonlyArray<string> {
  if (!fs.existsSync(folder)) return [];
  const update = (name: string) => Number(CHECKPOINT.exec(name)![1]);
  return fs.readdirSync(folder).filter((name) => CHECKPOINT.test(name)).sort(
    (a, b) => update(a) - update(b),
  );
}

/** The folder of a model: that of the last checkpoint of a run, or its own. */
export function modelFolder(name: string): string {
  const folder = path.basename(name) === CONFIG ? path.dirname(name) : name;
  const last = checkpointsIn(folder).at(-1);
  return last === undefined ? folder : path.join(folder, last);
}

/** The files that a model is read from; a DataError if one is not there. */
export function modelFiles(name: string): readonly [string, string] {
  const folder = modelFolder(name);
  const files = [
    path.join(folder, CONFIG),
    path.join(folder, WEIGHTS),
  ] as const;
  for (const file of files) {
    if (fs.existsSync(file)) continue;
    throw new DataError({
      message: `${file}: is not there; retrial update writes such folders`,
    });
  }
  return files;
}

/** Tensors of a file of safetensors; a DataError where it is none. */
export function readWeights(file: string): Weights {
  try {
    const { tensors } = decodeSafetensors(
      new Uint8Array(fs.readFileSync(file)),
    );
    return Object.fromEntries(
      Object.entries(tensors).map(([name, { data }]) =>
        [name, data as Float32Array] as const
      ),
    );
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw new DataError({ message: `${file}: ${error.message}` });
  }
}

function readConfig(file: string): TransformerConfig {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new DataError({ message: `${file}: ${error.message}` });
  }
}

/** Refuses weights that are not those of the model beside them. */
function checkWeights(
  config: TransformerConfig,
  weights: Weights,
  file: string,
): void {
  for (const { name, shape } of parametersOf(config)) {
    const size = shape.reduce((a, b) => a * b, 1);
    const found = weights[name]?.length;
    if (found === size) continue;
    const has = found === undefined ? "is missing" : `holds ${found} numbers`;
    throw new DataError({
      message:
        `${file}: ${name} ${has}, and ${CONFIG} beside it asks for ${size}`,
    });
  }
}

/** The model of a run, of a checkpoint, or of the config.json of one. */
export function readModel(name: string): Model {
  const [config, weights] = modelFiles(name);
  const own = path.resolve(path.dirname(config));
  const model = { config: readConfig(config), weights: readWeights(weights) };
  checkWeights(model.config, model.weights, weights);
  return {
    ...model,
    run: path.basename(path.dirname(own)),
    checkpoint: path.basename(own),
  };
}
