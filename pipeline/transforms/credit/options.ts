/**
 * The options of `credit`: published recipes, and what flags come to.
 *
 * @module
 */
import type { Pool } from "../../../kernels/advantages/outcome.ts";
import type { Cut } from "../../../kernels/advantages/temporal.ts";
import type { CrossForm, ReturnOptions } from "../../../kernels/returns.ts";
import { UsageError } from "../../errors.ts";
import type { Options } from "../../flags.ts";
import type { flags } from "./flags.ts";

/** Estimators of advantages. */
export const ADVANTAGES = [
  "none",
  "grpo",
  "dr-grpo",
  "rloo",
  "gigpo",
  "reinforce++",
  "reinforce++-baseline",
  "pass-at-k",
  "remax",
  "gae",
  "vtrace",
] as const;
export type Advantage = typeof ADVANTAGES[number];

/** What a step is compared by. */
export const SCORES = ["return", "episode", "success", "orbit"] as const;
export const NORMS = ["mean", "mean-std"] as const;
export const ANCHORS = ["observation", "none"] as const;
export const PENALISED = ["episode", "step", "both"] as const;
export const REFLECTIONS = ["next", "zero", "none"] as const;

/** Every choice, made. */
export interface CreditOptions extends ReturnOptions {
  readonly advantage: Advantage;
  readonly score: typeof SCORES[number];
  readonly pool: Pool;
  readonly group: string;
  readonly norm: typeof NORMS[number];
  readonly anchor: typeof ANCHORS[number];
  readonly stepWeight: number;
  readonly invalidPenalty: number;
  readonly penalise: typeof PENALISED[number];
  readonly reflections: typeof REFLECTIONS[number];
  readonly lambda: number;
  readonly cut: Cut;
  readonly rhoClip: number;
  readonly cClip: number;
  readonly greedy: number;
  readonly whiten: boolean;
  /** Groups that are whitened together. */
  readonly batch: number;
  /** Bound of what is written, either way; Infinity for none. */
  readonly clip: number;
  /** Print to the last bit rather than to nine decimals. */
  readonly exact: boolean;
}

/** Without a preset. */
const DEFAULTS: CreditOptions = {
  gamma: 0.95,
  gammaTrial: 0.6,
  cross: "lamer",
  advantage: "none",
  score: "episode",
  pool: "trials",
  group: "task",
  norm: "mean",
  anchor: "observation",
  stepWeight: 1,
  invalidPenalty: 0,
  penalise: "episode",
  reflections: "next",
  lambda: 1,
  cut: "episode",
  rhoClip: 1,
  cClip: 1,
  greedy: 0,
  whiten: false,
  batch: 16,
  clip: Infinity,
  exact: false,
};

/** Within episodes alone, undiscounted. */
const EPISODIC = { gamma: 1, gammaTrial: 0, cross: "paper" } as const;

/** What each recipe changes in {@linkcode DEFAULTS}. */
export const PRESETS = {
  // As its scripts run it: arXiv 2512.16848 and its release.
  "lamer-code": {
    advantage: "gigpo",
    pool: "rows",
    invalidPenalty: 0.5,
    reflections: "zero",
  },
  // As its text has it: the return across episodes is what is compared.
  "lamer-paper": { advantage: "gigpo", cross: "paper", score: "return" },
  "orbit": {
    ...EPISODIC,
    advantage: "grpo",
    score: "orbit",
    cross: "orbit",
  },
  "grpo": { ...EPISODIC, advantage: "grpo" },
  "dr-grpo": { ...EPISODIC, advantage: "dr-grpo" },
  "rloo": { ...EPISODIC, advantage: "rloo" },
  "gigpo": { ...EPISODIC, gamma: 0.95, advantage: "gigpo" },
  "reinforce++": { ...EPISODIC, advantage: "reinforce++", score: "return" },
  "reinforce++-baseline": { ...EPISODIC, advantage: "reinforce++-baseline" },
  "pass-at-k": { ...EPISODIC, advantage: "pass-at-k", norm: "mean-std" },
  "remax": { ...EPISODIC, advantage: "remax", score: "return" },
  "ppo": { ...EPISODIC, advantage: "gae", whiten: true },
  "impala": { ...EPISODIC, gamma: 0.99, advantage: "vtrace" },
} as const satisfies { readonly [name: string]: Partial<CreditOptions> };

/** Estimators that are whitened, or are not what they are called. */
const WHITENED: ReadonlySet<Advantage> = new Set([
  "reinforce++",
  "reinforce++-baseline",
]);

/** What an estimator compares where nothing is said. */
function scoreFor(advantage: Advantage): CreditOptions["score"] {
  return advantage === "reinforce++" || advantage === "remax"
    ? "return"
    : "episode";
}

type Given = Options<typeof flags>;

/** Flags that were given, under the names of {@linkcode CreditOptions}. */
function givenOf(options: Given): Partial<CreditOptions> {
  const named = Object.entries(options).map(([name, value]) => [
    name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  // A switch that is not given is not a choice against the preset.
  return Object.fromEntries(
    named.filter(([, value]) => value !== undefined && value !== false),
  );
}

/** Estimators that compare the trials of a group. */
export const READS_POOL: ReadonlySet<Advantage> = new Set([
  "grpo",
  "dr-grpo",
  "rloo",
  "gigpo",
  "reinforce++-baseline",
  "pass-at-k",
]);

const ESTIMATORS = ADVANTAGES.filter((name) => name !== "none");
const COMPARING = ESTIMATORS.filter((name) =>
  name !== "gae" && name !== "vtrace"
);

/** Which flags an estimator does not read, and would be given in vain. */
const READERS: { readonly [flag: string]: ReadonlyArray<Advantage> } = {
  "cross": ["none", ...COMPARING],
  "score": COMPARING,
  "pool": [...READS_POOL],
  "group": ESTIMATORS,
  "reflections": COMPARING,
  "invalid-penalty": COMPARING,
  "penalise": ["gigpo"],
  "whiten": ESTIMATORS,
  "clip": ESTIMATORS,
  "norm": ["gigpo", "pass-at-k"],
  "anchor": ["gigpo"],
  "step-weight": ["gigpo"],
  "cut": ["gae", "vtrace"],
  "lambda": ["gae", "vtrace"],
  "rho-clip": ["vtrace"],
  "c-clip": ["vtrace"],
  "greedy": ["remax"],
};

function refuseVain(options: Given, advantage: Advantage): void {
  for (const [flag, readers] of Object.entries(READERS)) {
    const given = options[flag as keyof Given];
    if (given === undefined || given === false || readers.includes(advantage)) {
      continue;
    }
    throw new UsageError({
      message: `Cannot use --${flag} with advantage ${advantage}: it is for ${
        readers.join(", ")
      }`,
    });
  }
}

/** Every choice made: by flags, else by the preset, else as usual. */
export function creditOptions(options: Given): CreditOptions {
  const preset: Partial<CreditOptions> = options.preset === undefined
    ? {}
    : PRESETS[options.preset as keyof typeof PRESETS];
  const { preset: _, explain: __, ...given } = givenOf(options) as
    & Partial<CreditOptions>
    & { readonly preset?: string; readonly explain?: string };
  const advantage = given.advantage ?? preset.advantage ?? DEFAULTS.advantage;
  refuseVain(options, advantage);
  const made = {
    ...DEFAULTS,
    score: scoreFor(advantage),
    ...preset,
    ...given,
  };
  const whiten = made.whiten || WHITENED.has(advantage);
  if (options.batch !== undefined && !whiten) {
    throw new UsageError({
      message:
        "Cannot use --batch without --whiten: it is how many groups are whitened",
    });
  }
  return { ...made, whiten };
}

/** What the row keeps of the choices: those that its numbers depend on. */
export function noteOf(options: CreditOptions): string {
  const { gamma, gammaTrial, cross, advantage } = options;
  const isTemporal = advantage === "gae" || advantage === "vtrace";
  const discounts = { gamma, gamma_trial: gammaTrial };
  const returns = isTemporal ? discounts : { ...discounts, cross };
  if (advantage === "none") return JSON.stringify(returns);
  const { cut, lambda, rhoClip, cClip, whiten, batch, clip } = options;
  const { score, pool, group, reflections, invalidPenalty } = options;
  return JSON.stringify({
    ...returns,
    advantage,
    ...(isTemporal ? { lambda, cut } : { score, reflections }),
    ...(advantage === "vtrace" && { rho_clip: rhoClip, c_clip: cClip }),
    ...(READS_POOL.has(advantage) && { pool }),
    ...((whiten || !isTemporal) && { group }),
    ...(READERS.norm!.includes(advantage) && { norm: options.norm }),
    ...(advantage === "gigpo" && {
      anchor: options.anchor,
      step_weight: options.stepWeight,
    }),
    ...(advantage === "remax" && { greedy: options.greedy }),
    ...(invalidPenalty > 0 && { invalid_penalty: invalidPenalty }),
    ...(invalidPenalty > 0 && advantage === "gigpo" && {
      penalise: options.penalise,
    }),
    ...(whiten && { whiten_batch: batch }),
    ...(clip < Infinity && { clip }),
  });
}

/** Whether rows are looked at one by one. */
export function isRowwise({ advantage, whiten }: CreditOptions): boolean {
  return !whiten && (advantage === "none" || advantage === "gae" ||
    advantage === "vtrace");
}

export type { CrossForm };
