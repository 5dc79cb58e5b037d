/**
 * What training begins with: the model, from flags or from another run, and its
 * first weights.
 *
 * @module
 */
import { UNKNOWN } from "../../envs/policies/omnirl.ts";
import {
  initialise,
  type Parameter,
  type Weights,
} from "../../kernels/onnx/parameters.ts";
import { sizeOf } from "../../kernels/onnx/graph.ts";
import {
  type Head,
  parametersOf,
  type TransformerConfig,
} from "../../kernels/onnx/transformer.ts";
import type { Key } from "../../kernels/random/key.ts";
import { DataError, UsageError } from "../errors.ts";
import type { PackDescription } from "../pack_layout.ts";
import { modelFiles, modelFolder, readModel } from "../playing/checkpoint.ts";
import { hashFile } from "../digest.ts";
import { MODEL, type Settings } from "./settings.ts";

/** A model that was trained before. */
export interface Origin {
  /** Its checkpoint. */
  readonly folder: string;
  readonly sha256: string;
  readonly model: TransformerConfig;
  readonly weights: Weights;
}

/** The model of a run, or of a checkpoint, to go on from. */
export function originOf(folder: string): Origin {
  const own = modelFolder(folder);
  const [, file] = modelFiles(folder);
  const { config, weights } = readModel(own);
  const { sha256 } = hashFile(file);
  return { folder: own, sha256, model: config, weights };
}

function misfit(what: string): UsageError {
  return new UsageError({ message: `Cannot train: ${what}` });
}

/** Observations and actions of packs must be such as the model knows. */
function checkFit(
  { observations: known, actions, context, positions }: TransformerConfig,
  description: PackDescription,
): void {
  const { observations } = description;
  const shown = observations.kind === "discrete"
    ? `${observations.n} observations`
    : `vectors of ${observations.width} numbers`;
  const fits = observations.kind === "discrete"
    ? typeof known === "number" && observations.n <= known
    : typeof known !== "number" && observations.width === known.vector;
  if (!fits) {
    const own = typeof known === "number"
      ? known
      : `vectors of ${known.vector}`;
    throw misfit(`the packs hold ${shown}, and the model knows ${own}`);
  }
  if (description.actions > actions) {
    throw misfit(
      `the packs hold ${description.actions} actions, and the model knows ${actions}`,
    );
  }
  if (positions === "learned" && description.context !== context) {
    throw misfit(
      `the packs have windows of ${description.context} steps, and the model has learned positions of ${context}`,
    );
  }
}

/** Flags of the model that say other than the run to begin with. */
function checkFlags(model: TransformerConfig, settings: Settings): void {
  for (const name of Object.keys(MODEL) as Array<keyof typeof MODEL>) {
    const [given, own] = [settings[name], model[name]];
    if (given === undefined || given === own) continue;
    throw misfit(`--${name} is ${given}, and the model of --from has ${own}`);
  }
  const has = model.tags ? "on" : "off";
  if (settings.tags !== undefined && settings.tags !== has) {
    throw misfit(
      `--tags is ${settings.tags}, and the model of --from reads ${
        model.tags ? "tags" : "none"
      }`,
    );
  }
}

function freshModel(
  { observations, actions, context, tags }: PackDescription,
  outputs: ReadonlyArray<Head>,
  settings: Settings,
): TransformerConfig {
  const { width, layers, heads, tokens, positions } = settings;
  if (settings.tags === "on" && !tags) {
    throw misfit("the packs have no tags for --tags on");
  }
  return {
    observations: observations.kind === "discrete"
      ? observations.n
      : { vector: observations.width },
    actions,
    // The last tag says that there is none to be known.
    ...(tags && settings.tags !== "off" && { tags: UNKNOWN }),
    // Settings without --from have them all, of the choices that there are.
    width: width!,
    layers: layers!,
    heads: heads!,
    context,
    tokens: tokens as TransformerConfig["tokens"],
    positions: positions as TransformerConfig["positions"],
    outputs,
  };
}

/**
 * The model to train: of the flags, or that of another run with the heads that the
 * objective wants, over windows as long as those of the packs.
 *
 * @throws UsageError if the packs or flags do not fit that run's model.
 */
export function modelOf(
  description: PackDescription,
  outputs: ReadonlyArray<Head>,
  settings: Settings,
  origin: Origin | undefined,
): TransformerConfig {
  if (origin === undefined) return freshModel(description, outputs, settings);
  checkFlags(origin.model, settings);
  checkFit(origin.model, description);
  return { ...origin.model, context: description.context, outputs };
}

/** First values of all weights: drawn, or taken over where the origin has them. */
export function firstWeights(
  parameters: ReadonlyArray<Parameter>,
  key: Key,
  origin: Origin | undefined,
): Weights {
  const first = initialise(parameters, key);
  if (origin === undefined) return first;
  const { folder, model, weights } = origin;
  const known = new Set(parametersOf(model).map(({ name }) => name));
  return Object.fromEntries(parameters.map(({ name, shape }) => {
    if (!known.has(name)) return [name, first[name]!];
    const own = weights[name];
    if (own?.length === sizeOf(shape)) return [name, own];
    throw new DataError({
      message: `${folder}/model.safetensors: ${name} has ${
        own?.length ?? 0
      } numbers, expected ${sizeOf(shape)}`,
    });
  }));
}
