/**
 * What is learned from packed windows: the loss, and what it reads of them.
 *
 * @module
 */
import {
  imitation,
  type Loss,
  policyGradient,
  positionWeights,
} from "../../kernels/onnx/losses.ts";
import { doubleDqn } from "../../kernels/onnx/q_learning.ts";
import type {
  Head,
  TransformerConfig,
} from "../../kernels/onnx/transformer.ts";
import { UsageError } from "../errors.ts";
import type { FloatColumn, PackDescription } from "../pack_layout.ts";
import {
  type Batch,
  float32,
  instead,
  int32,
  readings,
  seen,
  uint8,
} from "./batches.ts";
import { bootstrapOf } from "./bootstrap.ts";
import { gather, type Packs } from "./packs.ts";
import {
  DQN,
  filled,
  type ObjectiveName,
  type ObjectiveOptions,
  POLICY_GRADIENT,
} from "./settings.ts";

/** Positions over which OmniRL's weights rise. */
const WARM_POSITIONS = 512;

export interface Objective {
  /** What the model is to say. */
  readonly outputs: ReadonlyArray<Head>;
  readonly loss: Loss;
  /** Of delayed weights, where the loss wants them. */
  readonly polyak?: number;
  /** What the loss reads of some windows, beside what the model does. */
  readonly targets: (
    packs: Packs,
    windows: Int32Array,
    config: TransformerConfig,
  ) => Batch;
}

type Make = (
  description: PackDescription,
  options: ObjectiveOptions,
) => Objective;

function needLabels(name: ObjectiveName, { label }: PackDescription): void {
  if (label !== undefined) return;
  throw new UsageError({
    message:
      `Cannot train ${name}: the packs have no labels; pack them with --label`,
  });
}

function needColumns(
  name: ObjectiveName,
  { columns }: PackDescription,
  wanted: ReadonlyArray<FloatColumn>,
): void {
  const missing = wanted.find((column) => !columns.includes(column));
  if (missing === undefined) return;
  throw new UsageError({
    message:
      `Cannot train ${name}: the packs have no ${missing}; pack --columns ${wanted}`,
  });
}

/** Labels of a reference, or what was done, and the weight of each step. */
function imitated(column: "labels" | "actions"): Objective["targets"] {
  return (packs, windows) => ({
    label: gather(packs, windows, column, int32),
    weight: gather(packs, windows, "mask", float32),
  });
}

const algorithmDistillation: Make = () => ({
  outputs: ["action"],
  loss: imitation({ action: 1 }),
  targets: imitated("actions"),
});

const decisionPretrained: Make = (description) => {
  needLabels("dpt", description);
  return {
    outputs: ["action"],
    loss: imitation({ action: 1 }),
    targets: imitated("labels"),
  };
};

/** The same weights in each window: less, where little has been seen. */
function rising(mask: Float32Array, context: number): Float32Array {
  const weights = positionWeights(WARM_POSITIONS, WARM_POSITIONS);
  const top = weights[WARM_POSITIONS - 1]!;
  return mask.map((isThere, i) => {
    const at = Math.min(i % context, WARM_POSITIONS - 1);
    return isThere * weights[at]! / top;
  });
}

const omnirl: Make = (description) => {
  needLabels("omnirl", description);
  const { context } = description;
  return {
    outputs: ["action", "nextObservation", "reward"],
    loss: imitation({ action: 0.2, nextObservation: 0.4, reward: 0.4 }),
    targets: (packs, windows, config) => ({
      label: gather(packs, windows, "labels", int32),
      weight: rising(gather(packs, windows, "mask", float32), context),
      action: instead(gather(packs, windows, "actions", int32), 0),
      nextObservation: seen(packs, windows, "next_observations", config),
      reward: gather(packs, windows, "rewards", float32),
    }),
  };
};

const clippedGradient: Make = (description, options) => {
  const given = filled(POLICY_GRADIENT, options);
  const { value, entropy, kl } = given;
  const hasValue = value > 0;
  needColumns("pg", description, [
    "advantages",
    "logprobs",
    ...(hasValue ? ["returns"] as const : []),
  ]);
  return {
    outputs: hasValue ? ["action", "value"] : ["action"],
    loss: policyGradient({
      low: given["clip-low"],
      high: given["clip-high"],
      dual: given["dual-clip"],
      aggregation: given.aggregation,
      entropy,
      kl,
      ...(hasValue && { value }),
    }),
    targets: (packs, windows) => ({
      action: instead(gather(packs, windows, "actions", int32), 0),
      mask: gather(packs, windows, "mask", float32),
      advantage: gather(packs, windows, "advantages", float32),
      oldLogProbability: gather(packs, windows, "logprobs", float32),
      ...(hasValue && { target: gather(packs, windows, "returns", float32) }),
    }),
  };
};

const doubleQ: Make = ({ context }, options) => {
  const { gamma, relative, polyak, ...given } = filled(DQN, options);
  const discounts = { gamma, gammaTrial: given["gamma-trial"] };
  return {
    outputs: ["q"],
    loss: doubleDqn({ rewardScale: given["reward-scale"], relative }),
    polyak,
    targets: (packs, windows) => {
      const read = (name: string) => gather(packs, windows, name, uint8);
      const bounds = {
        starts: read("starts"),
        ends: read("ends"),
        mask: read("mask"),
      };
      return {
        action: instead(gather(packs, windows, "actions", int32), 0),
        reward: gather(packs, windows, "rewards", float32),
        ...bootstrapOf(bounds, context, discounts),
      };
    },
  };
};

const MAKE: Readonly<Record<ObjectiveName, Make>> = {
  ad: algorithmDistillation,
  dpt: decisionPretrained,
  omnirl,
  pg: clippedGradient,
  dqn: doubleQ,
};

/**
 * The objective of that name.
 *
 * @throws UsageError if the packs do not have what it reads.
 */
export function objectiveOf(
  name: ObjectiveName,
  description: PackDescription,
  options: ObjectiveOptions,
): Objective {
  return MAKE[name](description, options);
}

/** All inputs of a training step, beside the weights and rates. */
export function batchOf(
  packs: Packs,
  windows: Int32Array,
  config: TransformerConfig,
  { targets }: Objective,
): Batch {
  return {
    ...readings(packs, windows, config),
    ...targets(packs, windows, config),
  };
}
