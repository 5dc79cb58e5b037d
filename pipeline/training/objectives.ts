/**
 * What is learned from packed windows: the loss, and what it reads of them.
 *
 * @module
 */
import {
  imitation,
  type Loss,
  positionWeights,
} from "../../kernels/onnx/losses.ts";
import type {
  Head,
  TransformerConfig,
} from "../../kernels/onnx/transformer.ts";
import type { Data } from "../../kernels/onnx/graph.ts";
import { UsageError } from "../errors.ts";
import type { PackDescription } from "../pack_layout.ts";
import { gather, type Packs } from "./packs.ts";

export const OBJECTIVES = ["ad", "dpt", "omnirl"] as const;
export type ObjectiveName = typeof OBJECTIVES[number];

/** Positions over which OmniRL's weights rise. */
const WARM_POSITIONS = 512;

export interface Objective {
  readonly outputs: ReadonlyArray<Head>;
  readonly loss: Loss;
  /** Whether labels are those of a reference, rather than what was done. */
  readonly labelled: boolean;
}

/** The objective of that name, for packs that have what it reads. */
export function objectiveOf(
  name: ObjectiveName,
  { label }: PackDescription,
): Objective {
  if (name !== "ad" && label === undefined) {
    throw new UsageError({
      message:
        `Cannot train ${name}: the packs have no labels; pack them with --label`,
    });
  }
  if (name !== "omnirl") {
    return {
      outputs: ["action"],
      loss: imitation({ action: 1 }),
      labelled: name === "dpt",
    };
  }
  return {
    outputs: ["action", "nextObservation", "reward"],
    loss: imitation({ action: 0.2, nextObservation: 0.4, reward: 0.4 }),
    labelled: true,
  };
}

const int32 = (length: number) => new Int32Array(length);
const float32 = (length: number) => new Float32Array(length);

/** Puts another number in place of -1. */
function instead(column: Int32Array, other: number): Int32Array {
  for (let i = 0; i < column.length; i++) {
    if (column[i] === -1) column[i] = other;
  }
  return column;
}

/** 1 for a step, 0 for padding; by position for OmniRL. */
function weightsOf(
  packs: Packs,
  windows: Int32Array,
  name: ObjectiveName,
): Float32Array {
  const weights = gather(packs, windows, "mask", float32)!;
  if (name !== "omnirl") return weights;
  const { context } = packs.description;
  const rising = positionWeights(WARM_POSITIONS, WARM_POSITIONS);
  const top = rising[WARM_POSITIONS - 1]!;
  return weights.map((mask, i) => {
    const at = Math.min(i % context, WARM_POSITIONS - 1);
    return mask * rising[at]! / top;
  });
}

/** What a training step reads of some windows. */
export function batchOf(
  packs: Packs,
  windows: Int32Array,
  config: TransformerConfig,
  name: ObjectiveName,
  objective: Objective,
): Readonly<Record<string, Data>> {
  const { actions, observations } = config;
  const isVector = typeof observations !== "number";
  const seen = (column: string) =>
    gather<Int32Array | Float32Array>(
      packs,
      windows,
      column,
      isVector ? float32 : int32,
    )!;
  const done = gather(packs, windows, "actions", int32)!;
  const labels = objective.labelled
    ? gather(packs, windows, "labels", int32)!
    : done.slice();
  const before = gather(packs, windows, "previous_actions", int32)!;
  return {
    observation: seen("observations"),
    previousAction: instead(before, actions),
    previousReward: gather(packs, windows, "previous_rewards", float32)!,
    label: labels,
    weight: weightsOf(packs, windows, name),
    ...(config.outputs.includes("nextObservation") && {
      action: instead(done, 0),
      nextObservation: seen("next_observations"),
      reward: gather(packs, windows, "rewards", float32)!,
    }),
  };
}
