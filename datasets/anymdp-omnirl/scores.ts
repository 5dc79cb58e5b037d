/**
 * How well behaviours do: scores of episodes, 0 for uniform play and 1 for the
 * best reference, exact on both ends.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import {
  generate,
  label,
  normalisedScore,
  rowsFrom,
  through,
  toTrials,
} from "../../mod.ts";
import type { Episode, Trial } from "../../mod.ts";

/** What is played. */
export interface Played {
  readonly params: ReadonlyArray<string>;
  readonly policy: string;
  readonly policyParams: ReadonlyArray<string>;
  readonly tasks: number;
  readonly steps: number;
  readonly seed: string;
}

/** A mean over tasks, with its standard error. */
export interface Mean {
  readonly mean: number;
  readonly se: number;
}

/** Normalised scores of one behaviour. */
export interface Scores {
  /** Of the first tenth of the steps, of the last tenth, and of all. */
  readonly first: Mean;
  readonly last: Mean;
  readonly all: Mean;
  readonly episodes: number;
  /** Steps by tag, as shares; of policies that write tags. */
  readonly tags: ReadonlyArray<number>;
  /** Share of steps at which the action is the label. */
  readonly labelled: number;
}

const REFERENCE = "oracle@0.994";

function meanOf(values: ReadonlyArray<number>): Mean {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, se: Math.sqrt(squares / (n - 1) / n) };
}

function scoreOf({ rewards }: Episode, { baselines }: Trial): number {
  const paid = rewards.reduce((a, b) => a + b, 0);
  const { random, [REFERENCE]: oracle } = baselines!;
  return normalisedScore(paid, { random: random!, oracle: oracle! });
}

/** Mean scores of a trial: episodes that begin in the share of its steps. */
function between(trial: Trial, from: number, to: number): number | undefined {
  const total = trial.episodes.reduce((n, e) => n + e.actions.length, 0);
  let [at, sum, count] = [0, 0, 0];
  for (const episode of trial.episodes) {
    if (at >= from * total && at < to * total) {
      sum += scoreOf(episode, trial);
      count++;
    }
    at += episode.actions.length;
  }
  return count === 0 ? undefined : sum / count;
}

/** Plays a policy on tasks and scores it, every task weighing the same. */
export async function scoresOf(played: Played): Promise<Scores> {
  const rows = rowsFrom(generate, {
    env: "anymdp",
    param: played.params,
    policy: played.policy,
    "policy-param": played.policyParams,
    tasks: played.tasks,
    steps: played.steps,
    seed: played.seed,
  }).pipe(
    through(label, { reference: "oracle", baselines: true }),
    toTrials,
  );
  const [first, last, all]: [number[], number[], number[]] = [[], [], []];
  const tags = new Array<number>(8).fill(0);
  let [steps, same, episodes] = [0, 0, 0];
  const take = (trial: Trial) => {
    const [early, late] = [between(trial, 0, 0.1), between(trial, 0.9, 1)];
    if (early !== undefined) first.push(early);
    if (late !== undefined) last.push(late);
    all.push(between(trial, 0, 1)!);
    for (const { actions, labels, tags: sources } of trial.episodes) {
      const best = labels![REFERENCE]!;
      episodes++;
      steps += actions.length;
      actions.forEach((action, t) => {
        if (action === best[t]) same++;
        const tag = sources?.[t];
        if (tag !== undefined) tags[tag] = tags[tag]! + 1;
      });
    }
  };
  await Effect.runPromise(
    Stream.runForEach(rows, (trial) => Effect.sync(() => take(trial))),
  );
  return {
    first: meanOf(first),
    last: meanOf(last),
    all: meanOf(all),
    episodes,
    tags: tags.map((count) => count / steps),
    labelled: same / steps,
  };
}
