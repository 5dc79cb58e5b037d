/**
 * Advantages by their definitions, a list of rows at a time: slow, and apart from
 * the program's own arithmetic.
 */
import type { Trial } from "../../../../pipeline/schema.ts";

/** Choices under the names of the flags. */
export interface Choices {
  readonly gamma: number;
  readonly "gamma-trial": number;
  readonly cross: "lamer" | "paper";
  readonly advantage: string;
  readonly score: string;
  readonly pool: string;
  readonly norm: string;
  readonly anchor: string;
  readonly "step-weight": number;
  readonly "invalid-penalty": number;
  readonly penalise: string;
  readonly reflections: string;
  readonly greedy: number;
}

/** A step or, behind the steps of an episode, its reflection. */
interface Row {
  readonly trial: number;
  readonly episode: number;
  readonly isReflection: boolean;
  readonly score: number;
  readonly returned: number;
  readonly anchor: string;
  /** Taken off the step term. */
  readonly off: number;
}

const sum = (xs: ReadonlyArray<number>) => xs.reduce((a, b) => a + b, 0);
export const mean = (xs: ReadonlyArray<number>): number => sum(xs) / xs.length;
export const deviation = (xs: ReadonlyArray<number>): number =>
  Math.sqrt(sum(xs.map((x) => (x - mean(xs)) ** 2)) / (xs.length - 1));

/** Sum of discounted rewards from step `t` on. */
export const within = (
  rewards: ReadonlyArray<number>,
  t: number,
  gamma: number,
): number => sum(rewards.slice(t).map((r, k) => gamma ** k * r));

/** G[n,t] of the two forms that LaMer's text and code have. */
export function returnAt(
  { episodes }: Trial,
  n: number,
  t: number,
  { gamma, "gamma-trial": gammaTrial, cross }: Choices,
): number {
  const own = within(episodes[n]!.rewards, t, gamma);
  const left = episodes[n]!.rewards.length - 1 - t;
  if (cross === "paper") {
    const later = episodes.slice(n + 1).map(({ rewards }, k) =>
      gammaTrial ** (k + 1) * within(rewards, 0, gamma)
    );
    return own + sum(later);
  }
  // Each later episode is discounted by its place, and by the steps before it.
  let [total, weight] = [own, gamma ** left * gammaTrial];
  for (const { rewards } of episodes.slice(n + 1)) {
    total += weight * within(rewards, 0, gamma);
    weight *= rewards.length === 0
      ? gammaTrial
      : gamma ** (rewards.length - 1) * gammaTrial;
  }
  return total;
}

/** G of the first step behind episode `n`. */
function returnBehind(trial: Trial, n: number, choices: Choices): number {
  const next = trial.episodes.findIndex(({ rewards }, m) =>
    m > n && rewards.length > 0
  );
  return next < 0 ? 0 : returnAt(trial, next, 0, choices);
}

function scoreOf(trial: Trial, n: number, { score }: Choices): number {
  const played = trial.episodes[n];
  if (played === undefined) return 0;
  if (score === "success") return Number(played.success);
  if (score === "episode") return sum(played.rewards);
  return trial.episodes.filter(({ success }) => success).length;
}

function rowsOf(trial: Trial, k: number, choices: Choices): Array<Row> {
  const { score, penalise, "invalid-penalty": penalty } = choices;
  return trial.episodes.flatMap((played, n): Array<Row> => {
    const { reflection } = played;
    const rowOf = (
      isReflection: boolean,
      returned: number,
      scored: number,
      anchor: string,
      isValid: boolean,
    ) => ({
      trial: k,
      episode: n,
      isReflection,
      returned,
      score: scored - (isValid || penalise === "step" ? 0 : penalty),
      anchor,
      off: isValid || penalise === "episode" ? 0 : penalty,
    });
    const rows = played.rewards.map((_, t) => {
      const returned = returnAt(trial, n, t, choices);
      const scored = score === "return" ? returned : scoreOf(trial, n, choices);
      const anchor = played.anchors
        ? `stored ${JSON.stringify(played.anchors[t])}`
        : `seen ${JSON.stringify(played.observations[t])}`;
      return rowOf(
        false,
        returned,
        scored,
        anchor,
        Boolean(played.valid?.[t] ?? true),
      );
    });
    if (!reflection) return rows;
    const returned = returnBehind(trial, n, choices);
    const scored = choices.reflections === "zero"
      ? 0
      : score === "return"
      ? returned
      : scoreOf(trial, n + 1, choices);
    const valid = Boolean(reflection.valid ?? true);
    return [...rows, rowOf(true, returned, scored, "of reflections", valid)];
  });
}

/** Rows by what `key` says of them, without those of which it says nothing. */
function by(
  rows: ReadonlyArray<Row>,
  key: (row: Row) => string | undefined,
): ReadonlyArray<ReadonlyArray<Row>> {
  const found = new Map<string, Array<Row>>();
  for (const row of rows) {
    const name = key(row);
    if (name !== undefined) found.set(name, [...found.get(name) ?? [], row]);
  }
  return [...found.values()];
}

/** What mean and deviation are taken of, and the rows of each. */
function entriesOf(rows: ReadonlyArray<Row>, { pool, reflections }: Choices) {
  if (pool === "rows") {
    return rows
      .filter(({ isReflection }) => !isReflection || reflections !== "none")
      .map((row) => ({ value: row.score, rows: [row] }));
  }
  const steps = rows.filter(({ isReflection }) => !isReflection);
  const valueOf = (own: ReadonlyArray<Row>) =>
    mean(
      by(own, ({ episode }) => `${episode}`).map((episode) =>
        mean(episode.map(({ score }) => score))
      ),
    );
  return by(
    steps,
    ({ trial, episode }) =>
      pool === "trials" ? `${trial}` : `${trial} ${episode}`,
  ).map((own) => ({
    value: valueOf(own),
    rows: own,
  }));
}

const EPSILON = 1e-6;

function stepTerms(rows: ReadonlyArray<Row>, choices: Choices) {
  const terms = new Map<Row, number>();
  for (const own of by(rows, ({ anchor }) => anchor)) {
    const compared = own.map(({ returned, off }) => returned - off);
    own.forEach((row, i) => {
      const apart = own.length < 2 ? 0 : compared[i]! - mean(compared);
      const scale = choices.norm === "mean" || own.length < 2
        ? 1
        : deviation(compared) + EPSILON;
      terms.set(row, apart / scale);
    });
  }
  return (row: Row) => terms.get(row)!;
}

/** Whose lead a row has: its entry's, of a reflection that of the step behind. */
function passAtK(rows: ReadonlyArray<Row>, choices: Choices) {
  const entries = entriesOf(rows, choices);
  if (entries.length < 2) return () => 0;
  const values = entries.map(({ value }) => value);
  const [first, second] = values.toSorted((a, b) => b - a);
  const best = entries[values.indexOf(first!)]!.rows;
  const scale = choices.norm === "mean" ? 1 : deviation(values) + EPSILON;
  return (row: Row) => {
    const counted = !row.isReflection || choices.pool === "rows"
      ? row
      : rows.find(({ trial, episode, isReflection }) =>
        !isReflection && trial === row.trial && episode > row.episode
      );
    return best.includes(counted!) ? (first! - second!) / scale : 0;
  };
}

function remax(trials: ReadonlyArray<Trial>, choices: Choices) {
  const k = trials.findIndex(({ sample }) => sample === choices.greedy);
  const greedy = rowsOf(trials[k]!, k, choices).filter((row) =>
    !row.isReflection
  );
  return (row: Row) => {
    const n = row.isReflection ? row.episode + 1 : row.episode;
    const last = greedy.findLast(({ episode }) => episode <= n);
    const first = greedy.find(({ episode }) => episode === last?.episode);
    return row.score - (first?.score ?? 0);
  };
}

function estimator(
  trials: ReadonlyArray<Trial>,
  rows: ReadonlyArray<Row>,
  choices: Choices,
): (row: Row) => number {
  const { advantage, norm, anchor, "step-weight": weight } = choices;
  if (advantage === "reinforce++") return ({ score }) => score;
  if (advantage === "remax") return remax(trials, choices);
  if (advantage === "pass-at-k") return passAtK(rows, choices);
  const values = entriesOf(rows, choices).map(({ value }) => value);
  const n = values.length;
  const m = n < 2 ? 0 : mean(values);
  const d = n < 2 ? 1 : deviation(values);
  const grpo = (row: Row) => (row.score - m) / (n === 0 ? 1 : d + EPSILON);
  const centred = (row: Row) => row.score - m;
  if (advantage === "grpo") return grpo;
  if (advantage === "rloo") {
    return (row) => centred(row) * (n < 2 ? 1 : n / (n - 1));
  }
  if (advantage !== "gigpo") return centred;
  const episodic = norm === "mean" ? centred : grpo;
  if (anchor === "none") return episodic;
  const term = stepTerms(rows, choices);
  return (row) => episodic(row) + weight * term(row);
}

/** The advantages of a group, steps and reflections in the order of the trials. */
export function plain(
  trials: ReadonlyArray<Trial>,
  choices: Choices,
): Array<number> {
  const rows = trials.flatMap((trial, k) => rowsOf(trial, k, choices));
  return rows.map(estimator(trials, rows, choices));
}
