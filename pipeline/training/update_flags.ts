/**
 * The flags of `update`.
 *
 * @module
 */
import { DEVICES } from "../../kernels/onnx/session.ts";
import { OUTPUT_FLAGS } from "../chain.ts";
import type { Options } from "../flags.ts";
import { SEED_FLAG } from "../keyed.ts";
import { AGGREGATIONS } from "../../kernels/policy_loss.ts";
import { OBJECTIVES } from "./settings.ts";

export const flags = {
  out: {
    type: "text",
    required: true,
    value: "DIR",
    summary: "folder of the run: checkpoints and log",
  },
  overwrite: OUTPUT_FLAGS.overwrite,
  objective: {
    type: "text",
    choices: OBJECTIVES,
    default: "ad",
    value: "NAME",
    summary:
      "ad imitates what was done; dpt, omnirl predict labels; pg, dqn learn from rewards",
  },
  from: {
    type: "text",
    value: "RUN|CHECKPOINT",
    summary: "model and weights to begin with",
  },
  updates: {
    type: "count",
    min: 1,
    value: "N",
    summary: "updates in all (1000)",
  },
  epochs: {
    type: "number",
    min: 0,
    value: "E",
    summary: "passes over all windows, in place of --updates",
  },
  until: {
    type: "text",
    value: "TIME",
    summary: "save and end after so long: 90s, 10m, 1h",
  },
  batch: {
    type: "count",
    default: 16,
    min: 1,
    value: "B",
    summary: "windows at once",
  },
  accumulate: {
    type: "count",
    default: 1,
    min: 1,
    value: "K",
    summary: "batches of an update, whose mean gradient it takes",
  },
  width: { type: "count", min: 2, summary: "width of the model (64)" },
  layers: { type: "count", min: 1, summary: "blocks (3)" },
  heads: { type: "count", min: 1, summary: "heads of attention (2)" },
  tokens: {
    type: "text",
    choices: ["step", "three"],
    value: "HOW",
    summary:
      "one token a step (step), or three as Algorithm Distillation has it",
  },
  positions: {
    type: "text",
    choices: ["rotary", "learned"],
    value: "HOW",
    summary: "how positions are told (rotary)",
  },
  tags: {
    type: "text",
    choices: ["on", "off"],
    value: "HOW",
    summary: "whether tags are read (where packs have them)",
  },
  "clip-low": {
    type: "number",
    min: 0,
    max: 1,
    value: "E",
    summary: "pg: ratios count from 1 - E on (0.2)",
  },
  "clip-high": {
    type: "number",
    min: 0,
    value: "E",
    summary: "pg: ratios count up to 1 + E (0.2)",
  },
  "dual-clip": {
    type: "number",
    min: 1,
    value: "C",
    summary: "pg: bound of the loss, in |A|, where A < 0 (3)",
  },
  aggregation: {
    type: "text",
    choices: AGGREGATIONS,
    value: "HOW",
    summary: "pg: how losses of steps are added up (token-mean)",
  },
  entropy: {
    type: "number",
    min: 0,
    value: "W",
    summary: "pg: weight of the entropy, which is taken off (0)",
  },
  kl: {
    type: "number",
    min: 0,
    value: "W",
    summary: "pg: weight of the divergence from the policy that acted (0)",
  },
  value: {
    type: "number",
    min: 0,
    value: "W",
    summary: "pg: weight of the value, learned from returns (0: none)",
  },
  gamma: {
    type: "number",
    min: 0,
    max: 1,
    value: "G",
    summary: "dqn: discount within an episode (0.9)",
  },
  "gamma-trial": {
    type: "number",
    min: 0,
    max: 1,
    value: "G",
    summary: "dqn: discount from an episode to the next (0)",
  },
  "reward-scale": {
    type: "number",
    value: "X",
    summary: "dqn: what rewards are multiplied by (1)",
  },
  relative: {
    type: "switch",
    summary: "dqn: errors of a window over the mean of its targets",
  },
  polyak: {
    type: "number",
    min: 0,
    max: 1,
    value: "A",
    summary: "dqn: how fast the delayed weights follow (0.1)",
  },
  rate: {
    type: "number",
    default: 1e-3,
    min: 0,
    value: "R",
    summary: "learning rate, at its highest",
  },
  schedule: {
    type: "text",
    choices: ["constant", "cosine", "noam"],
    default: "cosine",
    value: "NAME",
    summary: "what becomes of the rate",
  },
  "warm-up": {
    type: "count",
    default: 100,
    min: 1,
    value: "N",
    summary: "updates until the rate is at its highest",
  },
  decay: {
    type: "number",
    default: 0.01,
    min: 0,
    value: "D",
    summary: "weight decay",
  },
  clip: {
    type: "number",
    default: 1,
    min: 0,
    value: "C",
    summary: "longest gradient",
  },
  save: {
    type: "count",
    default: 500,
    min: 1,
    value: "N",
    summary: "updates from checkpoint to checkpoint",
  },
  seed: SEED_FLAG,
  device: {
    type: "text",
    choices: DEVICES,
    default: "cpu",
    value: "NAME",
    summary: "where it is trained",
  },
  threads: {
    type: "count",
    min: 1,
    value: "N",
    summary: "threads of an operator; results depend on them",
  },
} as const;

export type UpdateOptions = Options<typeof flags>;
