/**
 * The flags of `update`.
 *
 * @module
 */
import { DEVICES } from "../../kernels/onnx/session.ts";
import { OUTPUT_FLAGS } from "../chain.ts";
import type { Options } from "../flags.ts";
import { SEED_FLAG } from "../keyed.ts";
import { OBJECTIVES } from "./objectives.ts";

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
    summary: "ad imitates what was done; dpt, omnirl predict labels",
  },
  updates: {
    type: "count",
    default: 1000,
    min: 1,
    value: "N",
    summary: "updates in all",
  },
  batch: {
    type: "count",
    default: 16,
    min: 1,
    value: "B",
    summary: "windows of an update",
  },
  width: { type: "count", default: 64, min: 2, summary: "width of the model" },
  layers: { type: "count", default: 3, min: 1, summary: "blocks" },
  heads: { type: "count", default: 2, min: 1, summary: "heads of attention" },
  tokens: {
    type: "text",
    choices: ["step", "three"],
    default: "step",
    value: "HOW",
    summary: "one token a step, or three as Algorithm Distillation has it",
  },
  positions: {
    type: "text",
    choices: ["rotary", "learned"],
    default: "rotary",
    value: "HOW",
    summary: "how positions are told",
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
