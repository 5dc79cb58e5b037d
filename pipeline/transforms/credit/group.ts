/**
 * The trials of a group, as the numbers that advantages are worked out from.
 *
 * Steps are flat, trial after trial; reflections stand behind all of them in the
 * arrays of rows, since both are compared together.
 *
 * @module
 */
import type { GroupShape } from "../../../kernels/advantages/outcome.ts";
import { reflectionReturn, trialReturns } from "../../../kernels/returns.ts";
import { needColumn } from "../../columns.ts";
import { numbers } from "../../json_numbers.ts";
import { REFLECTION, REFLECTION_VALID } from "../../row_index.ts";
import {
  columnStart,
  fieldSpan,
  hasReflection,
  Malformed,
  type RowIndex,
} from "../../scan.ts";
import { columnIndex } from "../../schema.ts";
import {
  clearKeys,
  forEachInvalid,
  type Keys,
  keys,
  readKeys,
} from "./columns.ts";
import type { CreditOptions } from "./options.ts";
import { addTemporal, checkTemporal, isTemporal } from "./temporal.ts";

const OBSERVATIONS = columnIndex("observations");
const ANCHORS = columnIndex("anchors");
const LETTER_F = 0x66;

/** See the module's own words. */
export interface Group {
  readonly shape: {
    episodeEnds: Int32Array;
    episodes: number;
    trialEnds: Int32Array;
    trials: number;
  } & GroupShape;
  steps: number;
  reflections: number;
  /** Of steps; reflections are put behind them when the group is whole. */
  returns: Float64Array;
  scores: Float64Array;
  advantages: Float64Array;
  /** What is taken off the step term of each. */
  penalties: Float64Array;
  anchors: Int32Array;
  readonly anchorKeys: Keys;
  /** Which sample of its task each trial is. */
  samples: Int32Array;
  /** The episode before each reflection, and what the reflection has. */
  reflectionEpisode: Int32Array;
  /** The next step of its trial; -1 behind the last one. */
  reflectionStep: Int32Array;
  reflectionReturn: Float64Array;
  reflectionScore: Float64Array;
  reflectionPenalty: Float64Array;
  /** By episode, for what is written. */
  episodeReturns: Float64Array;
  episodeAdvantages: Float64Array;
}

export function emptyGroup(): Group {
  const doubles = () => new Float64Array(64);
  const integers = () => new Int32Array(64);
  return {
    shape: {
      episodeEnds: integers(),
      episodes: 0,
      trialEnds: integers(),
      trials: 0,
    },
    steps: 0,
    reflections: 0,
    returns: doubles(),
    scores: doubles(),
    advantages: doubles(),
    penalties: doubles(),
    anchors: integers(),
    anchorKeys: keys(),
    samples: integers(),
    reflectionEpisode: integers(),
    reflectionStep: integers(),
    reflectionReturn: doubles(),
    reflectionScore: doubles(),
    reflectionPenalty: doubles(),
    episodeReturns: doubles(),
    episodeAdvantages: doubles(),
  };
}

export function clearGroup(group: Group): void {
  group.shape.episodes = group.shape.trials = 0;
  group.steps = group.reflections = 0;
  clearKeys(group.anchorKeys);
}

function grown<A extends Float64Array | Int32Array>(array: A, size: number): A {
  if (array.length >= size) return array;
  const make = array.constructor as new (n: number) => A;
  const larger = new make(2 * size);
  larger.set(array);
  return larger;
}

/** Room for a trial, and for all reflections behind the steps. */
function reserve(group: Group, row: RowIndex): void {
  const { shape } = group;
  const episodes = shape.episodes + row.episodes;
  const rows = group.steps + row.ends[row.episodes - 1]! + episodes;
  shape.episodeEnds = grown(shape.episodeEnds, episodes);
  shape.trialEnds = grown(shape.trialEnds, shape.trials + 1);
  group.returns = grown(group.returns, rows);
  group.scores = grown(group.scores, rows);
  group.advantages = grown(group.advantages, rows);
  group.penalties = grown(group.penalties, rows);
  group.samples = grown(group.samples, shape.trials + 1);
  group.anchors = grown(group.anchors, rows);
  group.reflectionEpisode = grown(group.reflectionEpisode, episodes);
  group.reflectionStep = grown(group.reflectionStep, episodes);
  group.reflectionReturn = grown(group.reflectionReturn, episodes);
  group.reflectionScore = grown(group.reflectionScore, episodes);
  group.reflectionPenalty = grown(group.reflectionPenalty, episodes);
  group.episodeReturns = grown(group.episodeReturns, episodes);
  group.episodeAdvantages = grown(group.episodeAdvantages, episodes);
}

/** Rewards near the largest double can add up to more than that. */
export function needFinite(
  { ends, episodes }: RowIndex,
  values: Float64Array,
  what = "rewards",
): void {
  const steps = ends[episodes - 1]!;
  let zero = 0;
  for (let i = 0; i < steps; i++) zero += values[i]! * 0;
  if (zero === 0) return;
  const e = ends.findIndex((end) =>
    !values.subarray(0, end).every(Number.isFinite)
  );
  throw new Malformed(`episodes[${e}].${what} add up to no finite number`);
}

/** The score of each step of episode `e` where all of them have the same. */
function episodeScore(
  row: RowIndex,
  e: number,
  score: CreditOptions["score"],
): number {
  if (score === "success") return row.success[e]!;
  const first = score === "orbit" || e === 0 ? 0 : row.ends[e - 1]!;
  if (score === "orbit") {
    let solved = 0;
    for (let n = 0; n < row.episodes; n++) solved += row.success[n]!;
    return solved;
  }
  let sum = 0;
  for (let i = first; i < row.ends[e]!; i++) sum += row.rewards.values[i]!;
  if (Number.isFinite(sum)) return sum;
  throw new Malformed(`episodes[${e}].rewards add up to no finite number`);
}

function addScores(
  group: Group,
  row: RowIndex,
  options: CreditOptions,
  returns: Float64Array,
): void {
  const { scores, steps } = group;
  if (options.score === "return") {
    scores.set(returns.subarray(0, row.ends[row.episodes - 1]!), steps);
    return;
  }
  for (let e = 0; e < row.episodes; e++) {
    const from = steps + (e === 0 ? 0 : row.ends[e - 1]!);
    const score = episodeScore(row, e, options.score);
    scores.fill(score, from, steps + row.ends[e]!);
  }
}

/** What the reflection after episode `e` scores. */
function reflectionScore(
  row: RowIndex,
  e: number,
  { score, reflections }: CreditOptions,
  returned: number,
): number {
  if (reflections === "zero") return 0;
  if (score === "return") return returned;
  return e + 1 < row.episodes ? episodeScore(row, e + 1, score) : 0;
}

function isInvalidReflection(row: RowIndex, e: number): boolean {
  const from = row.reflections[REFLECTION * e + REFLECTION_VALID]!;
  return from !== 0 && row.bytes[from] === LETTER_F;
}

/** The return of the reflection after episode `e`; of orbit that of all steps. */
export function returnOfReflection(
  row: RowIndex,
  returns: Float64Array,
  e: number,
  { cross }: CreditOptions,
): number {
  if (cross !== "orbit") return reflectionReturn(row, returns, e);
  return row.ends[row.episodes - 1] === 0 ? 0 : returns[0]!;
}

function addReflections(
  group: Group,
  row: RowIndex,
  options: CreditOptions,
  returns: Float64Array,
): void {
  for (let e = 0; e < row.episodes; e++) {
    const returned = returnOfReflection(row, returns, e, options);
    const episode = group.shape.episodes + e;
    group.episodeReturns[episode] = returned;
    group.episodeAdvantages[episode] = 0;
    if (!hasReflection(row, e)) continue;
    const r = group.reflections++;
    group.reflectionEpisode[r] = episode;
    const next = row.ends[e]!;
    const isLast = next === row.ends[row.episodes - 1]!;
    group.reflectionStep[r] = isLast ? -1 : group.steps + next;
    group.reflectionReturn[r] = returned;
    group.reflectionScore[r] = reflectionScore(row, e, options, returned);
    group.reflectionPenalty[r] = isInvalidReflection(row, e)
      ? options.invalidPenalty
      : 0;
  }
}

function addAnchors(group: Group, row: RowIndex): void {
  const { anchors, anchorKeys, steps } = group;
  for (let e = 0; e < row.episodes; e++) {
    const stored = columnStart(row, e, ANCHORS) !== 0;
    const [column, prefix] = stored ? [ANCHORS, "="] : [OBSERVATIONS, ""];
    const at = steps + (e === 0 ? 0 : row.ends[e - 1]!);
    readKeys(row, e, column, prefix, anchorKeys, scratch, anchors, at);
  }
}
const scratch = numbers();

/** Takes the penalty off the terms that are penalised. */
function penalise(group: Group, row: RowIndex, options: CreditOptions): void {
  const { invalidPenalty, penalise } = options;
  forEachInvalid(row, (step) => {
    const i = group.steps + step;
    if (penalise !== "step") {
      group.scores[i] = group.scores[i]! - invalidPenalty;
    }
    if (penalise !== "episode") group.penalties[i] = invalidPenalty;
  });
}

/** Returns, and advantages where they follow from the trial alone. */
function addReturns(group: Group, row: RowIndex, options: CreditOptions): void {
  const returns = group.returns.subarray(group.steps);
  if (isTemporal(options)) {
    const advantages = group.advantages.subarray(group.steps);
    addTemporal(row, options, returns, advantages);
    needFinite(row, returns, "rewards and values");
    return needFinite(row, advantages, "rewards and values");
  }
  const { ends, episodes, success } = row;
  const columns = { rewards: row.rewards.values, ends, episodes, success };
  trialReturns(columns, options, returns);
  needFinite(row, returns);
  if (options.advantage !== "none") addScores(group, row, options, returns);
}

function sampleOf(row: RowIndex): number {
  const [from, to] = fieldSpan(row, "sample")!;
  return Number(decoder.decode(row.bytes.subarray(from, to)));
}
const decoder = new TextDecoder();

/** What a row must have for the options; says which column it has not. */
export function checkRow(row: RowIndex, options: CreditOptions): void {
  const { score, cross, advantage } = options;
  if (cross === "orbit") {
    needColumn(row, "success", "--cross orbit counts successes");
  }
  const compares = advantage !== "none" && !isTemporal(options);
  if (compares && (score === "success" || score === "orbit")) {
    needColumn(row, "success", `--score ${score} counts successes`);
  }
  if (isTemporal(options)) checkTemporal(row, options);
}

/** Adds a trial to the group: its returns, scores and anchors. */
export function addTrial(
  group: Group,
  row: RowIndex,
  options: CreditOptions,
): void {
  checkRow(row, options);
  reserve(group, row);
  const steps = row.ends[row.episodes - 1]!;
  addReturns(group, row, options);
  group.penalties.fill(0, group.steps, group.steps + steps);
  if (options.invalidPenalty > 0) penalise(group, row, options);
  addReflections(group, row, options, group.returns.subarray(group.steps));
  if (options.advantage === "gigpo" && options.anchor !== "none") {
    addAnchors(group, row);
  }
  const { shape } = group;
  for (let e = 0; e < row.episodes; e++) {
    shape.episodeEnds[shape.episodes + e] = group.steps + row.ends[e]!;
  }
  group.samples[shape.trials] = sampleOf(row);
  shape.episodes += row.episodes;
  shape.trialEnds[shape.trials++] = shape.episodes;
  group.steps += steps;
}
