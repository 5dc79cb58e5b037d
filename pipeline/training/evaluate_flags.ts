/**
 * The flags of `evaluate`.
 *
 * @module
 */
import type { Options } from "../flags.ts";
import { SEED_FLAG } from "../keyed.ts";
import { PLAY_FLAGS } from "../playing/rows.ts";
import { WORLD_FLAGS } from "../worlds.ts";
import { PROTOCOLS } from "./protocols.ts";

export const flags = {
  protocol: {
    type: "text",
    choices: Object.keys(PROTOCOLS),
    value: "NAME",
    summary: "tests of arXiv 2501.14176; flags beside it change what it sets",
  },
  ...WORLD_FLAGS,
  episodes: {
    type: "count",
    min: 1,
    value: "E",
    summary: "episodes in each trial",
  },
  samples: {
    type: "count",
    min: 1,
    value: "G",
    summary: "trials on each task (1)",
  },
  temperature: {
    type: "number",
    min: 0,
    value: "T",
    summary:
      "of the choice among actions; 0 takes the likeliest, or that of the largest Q (1, or 0 where a model has Q-values alone)",
  },
  logprobs: {
    type: "switch",
    summary: "record ln of the probability that each action was drawn with",
  },
  "warm-up": {
    type: "count",
    value: "E",
    summary:
      "play each trial twice: with E episodes of forced exploration first, and without",
  },
  change: {
    type: "count",
    min: 1,
    value: "E",
    summary: "go on, unannounced, on another task after E episodes",
  },
  "restart-warm-up": {
    type: "switch",
    summary: "begin the forced exploration anew where the task changes",
  },
  prompt: {
    type: "text",
    path: true,
    value: "FILE|DIR",
    summary: "trials to be shown to the model before it plays, by their task",
  },
  tag: {
    type: "count",
    value: "N",
    summary: "tag that each step bears, for models that know some (none)",
  },
  seed: SEED_FLAG,
  ...PLAY_FLAGS,
} as const;

export type EvaluateOptions = Options<typeof flags>;
