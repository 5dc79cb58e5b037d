/**
 * The credit of one trial as equations with the numbers put in, for a person to
 * check by hand.
 *
 * @module
 */
import { EPSILON, type Moments } from "../../../kernels/advantages/outcome.ts";
import type { WeightedMoments } from "../../../kernels/advantages/whiten.ts";
import { trialReturns } from "../../../kernels/returns.ts";
import { hasReflection, type RowIndex } from "../../scan.ts";
import { idOf } from "../../keyed.ts";
import { entriesOf, poolGroup, stepReturnsOf } from "./estimate.ts";
import type { Group } from "./group.ts";
import { type CreditOptions, READS_POOL } from "./options.ts";
import { isTemporal } from "./temporal.ts";

/** Entries that are listed of a group. */
const LISTED = 32;

/** A number as it is shown: negative ones in brackets, so that signs stay apart. */
function shown(x: number): string {
  const text = String(Math.round(x * 1e9) / 1e9 + 0);
  return x < 0 ? `(${text})` : text;
}

/** A group that is whole, and which of its trials is asked for. */
export interface Explained {
  readonly group: Group;
  readonly row: RowIndex;
  /** Index of the trial in the group. */
  readonly trial: number;
  /** Of the batch that it was whitened with. */
  readonly whitening: WeightedMoments | undefined;
}

/** Where the trial's steps and episodes begin in the group's arrays. */
function origin({ group, trial }: Explained) {
  const { trialEnds, episodeEnds } = group.shape;
  const episode = trial === 0 ? 0 : trialEnds[trial - 1]!;
  return { episode, step: episode === 0 ? 0 : episodeEnds[episode - 1]! };
}

/** How the return of a step is made, for each form. */
function returnLines(
  { row, group, trial, whitening }: Explained,
  options: CreditOptions,
): (e: number, i: number) => string {
  const { gamma, gammaTrial, cross } = options;
  const { step } = origin({ row, group, trial, whitening });
  const G = group.returns.subarray(step);
  const { rewards: { values: r }, ends, episodes, success } = row;
  const columns = { rewards: r, ends, episodes, success };
  const g = new Float64Array(ends[episodes - 1]!);
  trialReturns(columns, { gamma, gammaTrial: 0, cross: "paper" }, g);
  const first = (e: number) => e === 0 ? 0 : ends[e - 1]!;
  const at = (e: number) => first(e) < ends[e]! ? g[first(e)]! : 0;
  const terms = (e: number) => {
    const all: Array<string> = [];
    for (let m = e + 1; m < episodes && gammaTrial > 0; m++) {
      const last = cross === "differential" ? at(m - 1) : 0;
      // What is 0 is left out: most of a long trial may be.
      if (at(m) - last === 0) continue;
      const gain = cross === "differential"
        ? `(${shown(at(m))} - ${shown(at(m - 1))})`
        : shown(at(m));
      all.push(`${gammaTrial}^${m - e} ${gain}`);
    }
    return all.length > 0 ? ` + ${all.join(" + ")}` : "";
  };
  return (e, i) => {
    const end = `= ${shown(G[i]!)}`;
    if (cross === "orbit") return `G = successes ${end}`;
    if (cross === "lamer") {
      const isLast = i === ends[e]! - 1;
      const next = i + 1 < g.length ? G[i + 1]! : 0;
      const discount = isLast ? gammaTrial : gamma;
      return `G = r + ${isLast ? "Γ" : "γ"} G' = ${
        shown(r[i]!)
      } + ${discount} ${shown(next)} ${end}`;
    }
    const less = cross === "differential" && e > 0
      ? ` - ${shown(at(e - 1))}`
      : "";
    const next = i + 1 < ends[e]! ? g[i + 1]! : 0;
    const own = `g = r + γ g' = ${shown(r[i]!)} + ${gamma} ${shown(next)} = ${
      shown(g[i]!)
    }`;
    const others = less + terms(e);
    return others === ""
      ? `${own}, G = g`
      : `${own}, G = g${others} = ${shown(g[i]!)}${others} ${end}`;
  };
}

/** Count and mean of what was returned from each anchor. */
function anchorStatistics(group: Group, returns: Float64Array) {
  const rows = group.steps + group.reflections;
  const byAnchor = new Map<number, Array<number>>();
  for (let i = 0; i < rows; i++) {
    const list = byAnchor.get(group.anchors[i]!) ?? [];
    byAnchor.set(group.anchors[i]!, list);
    list.push(returns[i]!);
  }
  return (i: number) => {
    const list = byAnchor.get(group.anchors[i]!)!;
    const count = list.length;
    const mean = list.reduce((a, b) => a + b, 0) / count;
    const squares = list.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    const deviation = count > 1 ? Math.sqrt(squares / (count - 1)) : 0;
    return { count, mean, deviation };
  };
}

/** An equation, and what it comes to. */
interface Equation {
  readonly text: string;
  readonly value: number;
}

/** What follows from the score against the group. */
function centredEquation(
  s: number,
  { advantage, norm }: CreditOptions,
  { count: n, mean: m, deviation: d }: Moments,
): Equation {
  const off = `${shown(s)} - ${shown(m)}`;
  if (advantage === "grpo" || (advantage === "gigpo" && norm === "mean-std")) {
    const value = (s - m) / (d + EPSILON);
    return {
      text: `(s - m) / (d + ε) = (${off}) / ${shown(d + EPSILON)}`,
      value,
    };
  }
  if (advantage !== "rloo") return { text: `s - m = ${off}`, value: s - m };
  const scale = n === 1 ? 1 : n / (n - 1);
  const text = n === 1
    ? `s = ${shown(s)}`
    : `n/(n-1) (s - m) = ${n}/${n - 1} (${off})`;
  return { text, value: scale * (s - m) };
}

/** How the advantage of row `i` is made, before whitening and clipping. */
function advantageEquation(
  explained: Explained,
  options: CreditOptions,
): (i: number) => Equation {
  const { group } = explained;
  const { advantage, stepWeight, norm } = options;
  const { scores } = group;
  if (!READS_POOL.has(advantage) || advantage === "pass-at-k") {
    return (i) => ({
      text: advantage === "reinforce++"
        ? `G = ${shown(scores[i]!)}`
        : `${advantage} of s = ${shown(scores[i]!)}`,
      value: NaN,
    });
  }
  const moments = poolGroup(group, options);
  const returns = stepReturnsOf(group);
  const statistics = anchorStatistics(group, returns);
  return (i) => {
    const own = centredEquation(scores[i]!, options, moments);
    if (advantage !== "gigpo" || options.anchor === "none") return own;
    const { count, mean, deviation } = statistics(i);
    if (count < 2) return { ...own, text: `${own.text}, alone at its anchor` };
    const off = `${shown(returns[i]!)} - ${shown(mean)}`;
    const scale = norm === "mean" ? 1 : deviation + EPSILON;
    const term = norm === "mean" ? `(${off})` : `(${off}) / ${shown(scale)}`;
    return {
      text: `${own.text} + ${stepWeight} ${term} of ${count} at its anchor`,
      value: own.value + stepWeight * (returns[i]! - mean) / scale,
    };
  };
}

/** Whitened, clipped: what is done to it before it is written. */
function tail(
  { value }: Equation,
  written: number,
  { clip, whiten }: CreditOptions,
  whitening: WeightedMoments | undefined,
): string {
  let text = Number.isNaN(value) ? "" : ` = ${shown(value)}`;
  if (whiten && whitening) {
    const { weight, mean, squares } = whitening;
    const variance = weight > 1 ? squares / (weight - 1) : 0;
    text += `, whitened by mean ${shown(mean)} and variance ${shown(variance)}`;
  }
  if (clip < Infinity) text += `, within ±${clip}`;
  return `${text} → ${shown(written)}`;
}

function groupLines(
  explained: Explained,
  options: CreditOptions,
): ReadonlyArray<string> {
  const { group } = explained;
  if (!READS_POOL.has(options.advantage)) return [];
  const { count, mean, deviation } = poolGroup(group, options);
  const entries = Array.from(entriesOf(count).subarray(0, LISTED), shown);
  const more = count > LISTED ? ", …" : "";
  return [
    `entries x of the group, by ${options.pool}: ${entries.join(", ")}${more}`,
    `n = ${count}, m = ${shown(mean)}, d = ${shown(deviation)}` +
    (count === 1 ? " (a single entry has m 0 and d 1)" : ""),
  ];
}

/** The text of {@linkcode Explained}: a few lines, then one for each step. */
export function explainTrial(
  explained: Explained,
  options: CreditOptions,
): string {
  const { group, row, whitening } = explained;
  const { advantage, gamma, gammaTrial, cross } = options;
  const { step, episode } = origin(explained);
  const returns = isTemporal(options)
    ? (_: number, i: number) => `G = ${shown(group.returns[step + i]!)}`
    : returnLines(explained, options);
  const equation = isTemporal(options) || advantage === "none"
    ? undefined
    : advantageEquation(explained, options);
  const written = (i: number) => group.advantages[i]!;
  const advantageText = (i: number, last: number) => {
    if (advantage === "none") return "";
    if (!equation) return `; A = ${shown(last)}`;
    const made = equation(i);
    return `; A = ${made.text}${tail(made, last, options, whitening)}`;
  };
  const lines = [
    `trial ${idOf(row)}, one of ${group.shape.trials} in its group`,
    `γ = ${gamma}, Γ = ${gammaTrial}, returns ${cross}; advantage ${advantage}, score ${options.score}`,
    ...groupLines(explained, options),
  ];
  let r = 0;
  while (r < group.reflections && group.reflectionEpisode[r]! < episode) r++;
  for (let e = 0; e < row.episodes; e++) {
    lines.push(`episode ${e}`);
    for (let i = e === 0 ? 0 : row.ends[e - 1]!; i < row.ends[e]!; i++) {
      const t = i - (e === 0 ? 0 : row.ends[e - 1]!);
      const text = advantageText(step + i, written(step + i));
      lines.push(`  step ${t}: ${returns(e, i)}${text}`);
    }
    if (!hasReflection(row, e)) continue;
    const i = group.steps + r++;
    const G = shown(group.episodeReturns[episode + e]!);
    const last = group.episodeAdvantages[episode + e]!;
    lines.push(
      `  reflection: G of what follows = ${G}${advantageText(i, last)}`,
    );
  }
  return lines.join("\n") + "\n";
}
