/**
 * Advantages of a whole group.
 *
 * @module
 */
import {
  addStepTerms,
  anchorScratch,
} from "../../../kernels/advantages/gigpo.ts";
import {
  centre,
  type Centred,
  entryOfRows,
  type Moments,
  momentsOf,
  passAtK,
  poolScores,
} from "../../../kernels/advantages/outcome.ts";
import { Malformed } from "../../scan.ts";
import { textKey } from "./columns.ts";
import type { Group } from "./group.ts";
import type { CreditOptions } from "./options.ts";
import { isTemporal } from "./temporal.ts";

/** No stored anchor or text has this key: theirs are JSON. */
const REFLECTION_KEY = "reflection";

const scratch = {
  entries: new Float64Array(64),
  entryOf: new Int32Array(64),
  stepReturns: new Float64Array(64),
  anchors: anchorScratch(),
};

function makeRoom(rows: number): void {
  if (scratch.entries.length >= rows) return;
  scratch.entries = new Float64Array(2 * rows);
  scratch.entryOf = new Int32Array(2 * rows);
  scratch.stepReturns = new Float64Array(2 * rows);
}

/** Reflections behind the steps, in the arrays of rows. */
function joinReflections(group: Group, { penalise }: CreditOptions): void {
  const { steps, reflections, scores, penalties } = group;
  for (let r = 0; r < reflections; r++) {
    const off = group.reflectionPenalty[r]!;
    scores[steps + r] = group.reflectionScore[r]! -
      (penalise === "step" ? 0 : off);
    penalties[steps + r] = penalise === "episode" ? 0 : off;
  }
}

/** The moments of the group's scores; its entries are then in the scratch. */
export function poolGroup(
  group: Group,
  { pool, reflections }: CreditOptions,
): Moments {
  makeRoom(group.steps + group.reflections);
  const { steps, scores, shape } = group;
  const { entries } = scratch;
  let count = poolScores(scores, shape, pool, entries);
  if (pool === "rows" && reflections !== "none") {
    entries.set(scores.subarray(steps, steps + group.reflections), count);
    count += group.reflections;
  }
  const moments = momentsOf(entries, count);
  needFinite(moments.mean + moments.deviation);
  return moments;
}

/** Scores that are numbers can have a mean or a deviation that is none. */
function needFinite(moments: number): void {
  if (Number.isFinite(moments)) return;
  throw new Malformed("its scores are too far apart for numbers");
}

/** The entries that {@linkcode poolGroup} has just made. */
export function entriesOf(count: number): Float64Array {
  return scratch.entries.subarray(0, count);
}

/** Which kernel centres the scores of an estimator. */
function centredBy({ advantage, norm }: CreditOptions): Centred {
  if (advantage === "gigpo") return norm === "mean" ? "dr-grpo" : "grpo";
  return advantage === "reinforce++-baseline"
    ? "dr-grpo"
    : advantage as Centred;
}

/** What each row returned, less its penalty: what step terms compare. */
export function stepReturnsOf(group: Group): Float64Array {
  const { steps, reflections, returns, penalties } = group;
  makeRoom(steps + reflections);
  const { stepReturns } = scratch;
  for (let i = 0; i < steps; i++) stepReturns[i] = returns[i]! - penalties[i]!;
  for (let r = 0; r < reflections; r++) {
    stepReturns[steps + r] = group.reflectionReturn[r]! - penalties[steps + r]!;
  }
  return stepReturns;
}

function addAnchored(group: Group, options: CreditOptions): void {
  const { anchors, anchorKeys, steps, reflections, advantages } = group;
  const rows = steps + reflections;
  if (reflections > 0) {
    anchors.fill(textKey(anchorKeys, REFLECTION_KEY), steps, rows);
  }
  addStepTerms(
    stepReturnsOf(group),
    { anchors, anchorCount: anchorKeys.count, rows },
    { weight: options.stepWeight, normalised: options.norm === "mean-std" },
    scratch.anchors,
    advantages,
  );
}

function best(group: Group, options: CreditOptions, moments: Moments): void {
  const { steps, reflections, shape } = group;
  entryOfRows(shape, options.pool, scratch.entryOf);
  for (let r = 0; r < reflections; r++) {
    // Of a reflection the entry is its own, or that of the step behind it.
    const step = group.reflectionStep[r]!;
    const pooled = step < 0 ? -2 : scratch.entryOf[step]!;
    scratch.entryOf[steps + r] = options.pool === "rows" ? steps + r : pooled;
  }
  const rows = steps + reflections;
  const { entryOf, entries } = scratch;
  const normalised = options.norm === "mean-std";
  passAtK(entryOf, rows, entries, moments, normalised, group.advantages);
}

/** The trial that was played greedily. */
function greedyTrial({ shape, samples }: Group, greedy: number): number {
  for (let k = 0; k < shape.trials; k++) if (samples[k] === greedy) return k;
  throw new Malformed(
    `no trial is sample ${greedy}, which --greedy says is the baseline`,
  );
}

/**
 * Scores less those of the first step of the greedy trial's episode of the same
 * number, or of the last one before that where it has none with steps.
 */
function lessGreedy(group: Group, { greedy }: CreditOptions): void {
  const { shape, scores, advantages } = group;
  const { episodeEnds, trialEnds } = shape;
  const base = greedyTrial(group, greedy);
  const first = base === 0 ? 0 : trialEnds[base - 1]!;
  const last = trialEnds[base]! - 1;
  const startOf = (e: number) => e === 0 ? 0 : episodeEnds[e - 1]!;
  const baseline = (n: number) => {
    let e = Math.min(first + n, last);
    while (e >= first && startOf(e) === episodeEnds[e]!) e--;
    return e < first ? 0 : scores[startOf(e)]!;
  };
  const numberOf = new Int32Array(shape.episodes + 1);
  for (let k = 0, e = 0; k < shape.trials; k++) {
    for (let n = 0; e < trialEnds[k]!; e++, n++) {
      numberOf[e] = n;
      for (let i = startOf(e); i < episodeEnds[e]!; i++) {
        advantages[i] = scores[i]! - baseline(n);
      }
    }
  }
  for (let r = 0; r < group.reflections; r++) {
    const n = numberOf[group.reflectionEpisode[r]!]! + 1;
    const i = group.steps + r;
    advantages[i] = scores[i]! - baseline(n);
  }
}

/** Reflections have the advantage of the step behind them. */
function takeBehind(group: Group): void {
  const { steps, reflections, advantages } = group;
  for (let r = 0; r < reflections; r++) {
    const step = group.reflectionStep[r]!;
    advantages[steps + r] = step < 0 ? 0 : advantages[step]!;
  }
}

/** Works out the advantages of a group, before whitening. */
export function estimate(group: Group, options: CreditOptions): void {
  const { advantage } = options;
  const { steps, reflections, scores, advantages } = group;
  const rows = steps + reflections;
  if (isTemporal(options)) return takeBehind(group);
  joinReflections(group, options);
  if (advantage === "reinforce++") {
    advantages.set(scores.subarray(0, rows));
  } else if (advantage === "remax") lessGreedy(group, options);
  else {
    const moments = poolGroup(group, options);
    if (advantage === "pass-at-k") return best(group, options, moments);
    centre(scores, rows, centredBy(options), moments, advantages);
    if (advantage === "gigpo" && options.anchor !== "none") {
      addAnchored(group, options);
    }
  }
  let zero = 0;
  for (let i = 0; i < rows; i++) zero += advantages[i]! * 0;
  needFinite(zero);
}

/** Bounds advantages, and gives reflections theirs: what is then written. */
export function finish(group: Group, { clip }: CreditOptions): void {
  const { steps, reflections, advantages } = group;
  if (clip < Infinity) {
    for (let i = 0; i < steps + reflections; i++) {
      advantages[i] = Math.max(-clip, Math.min(clip, advantages[i]!));
    }
  }
  for (let r = 0; r < reflections; r++) {
    group.episodeAdvantages[group.reflectionEpisode[r]!] = advantages[
      steps + r
    ]!;
  }
}
