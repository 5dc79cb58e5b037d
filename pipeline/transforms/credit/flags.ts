/**
 * The flags of `credit`.
 *
 * @module
 */
import { POOLS } from "../../../kernels/advantages/outcome.ts";
import { CUTS } from "../../../kernels/advantages/temporal.ts";
import { CROSS_FORMS } from "../../../kernels/returns.ts";
import type { Flags } from "../../flags.ts";
import {
  ADVANTAGES,
  ANCHORS,
  NORMS,
  PENALISED,
  PRESETS,
  REFLECTIONS,
  SCORES,
} from "./options.ts";

/** What is not given is the preset's, or as below. */
export const flags = {
  "preset": {
    type: "text",
    value: "NAME",
    choices: Object.keys(PRESETS),
    summary: "options of a published recipe; flags beside it win",
  },
  "gamma": {
    type: "number",
    min: 0,
    max: 1,
    value: "G",
    summary: "discount from step to step (0.95)",
  },
  "gamma-trial": {
    type: "number",
    min: 0,
    max: 1,
    value: "T",
    summary: "discount from episode to episode (0.6)",
  },
  "cross": {
    type: "text",
    choices: CROSS_FORMS,
    value: "FORM",
    summary: "form of credit across episodes (lamer)",
  },
  "advantage": {
    type: "text",
    choices: ADVANTAGES,
    value: "NAME",
    summary: "estimator of advantages (none)",
  },
  "score": {
    type: "text",
    choices: SCORES,
    value: "WHAT",
    summary: "what is compared (episode; of reinforce++ and remax return)",
  },
  "pool": {
    type: "text",
    choices: POOLS,
    value: "BY",
    summary: "what weighs the same in means and deviations (trials)",
  },
  "group": {
    type: "text",
    value: "KEY,…",
    summary: "fields whose values name a group (task)",
  },
  "norm": {
    type: "text",
    choices: NORMS,
    value: "BY",
    summary: "of gigpo and pass-at-k: mean, or mean-std (mean)",
  },
  "anchor": {
    type: "text",
    choices: ANCHORS,
    value: "WHAT",
    summary: "steps that gigpo compares; stored anchors win (observation)",
  },
  "step-weight": {
    type: "number",
    min: 0,
    value: "W",
    summary: "weight of gigpo's step term (1)",
  },
  "invalid-penalty": {
    type: "number",
    min: 0,
    value: "X",
    summary: "taken off where an action was not valid (0)",
  },
  "penalise": {
    type: "text",
    choices: PENALISED,
    value: "TERM",
    summary: "the term that it is taken off (episode)",
  },
  "reflections": {
    type: "text",
    choices: REFLECTIONS,
    value: "AS",
    summary: "what reflections score: as the next episode, zero, or no part",
  },
  "lambda": {
    type: "number",
    min: 0,
    max: 1,
    value: "L",
    summary: "of gae and vtrace (1)",
  },
  "cut": {
    type: "text",
    choices: CUTS,
    value: "AT",
    summary: "where gae and vtrace end credit (episode)",
  },
  "rho-clip": {
    type: "number",
    min: 0,
    value: "X",
    summary: "of vtrace's ratio in a step's own term (1)",
  },
  "c-clip": {
    type: "number",
    min: 0,
    value: "X",
    summary: "of vtrace's ratio in what is handed back (1)",
  },
  "greedy": {
    type: "count",
    value: "S",
    summary: "sample whose score is remax's baseline (0)",
  },
  "whiten": {
    type: "switch",
    summary: "advantages to mean 0 and deviation 1 over --batch groups",
  },
  "batch": {
    type: "count",
    min: 1,
    value: "N",
    summary: "groups that are whitened together (16)",
  },
  "clip": {
    type: "number",
    min: 0,
    value: "C",
    summary: "largest advantage that is written, either way",
  },
  "exact": { type: "switch", summary: "print numbers to the last bit" },
  "explain": {
    type: "text",
    value: "ID",
    summary: "print how this trial's numbers are made, instead of rows",
  },
} as const satisfies Flags;
