/**
 * Recorded trials, played again by their own actions.
 *
 * @module
 */
import { type Action, actionsInWords, isAction } from "../envs/actions.ts";
import type { Environment } from "../envs/env.ts";
import type {
  Actor,
  Policy,
  Trial as PolicyTrial,
} from "../envs/policies/policy.ts";
import { playTrial, type TrialRecord } from "../envs/rollout.ts";
import { Malformed } from "./scan.ts";
import type { TaskRow, Trial } from "./schema.ts";

/** An actor that goes along: it is asked and told, and what it says not done. */
export type Beside = (trial: PolicyTrial) => Actor<Action>;

/** A policy that takes the actions of one trial, and no others. */
function recordedPolicy(
  { episodes }: Trial,
  beside: Beside | undefined,
): Policy {
  return {
    name: "replay",
    summary: "Take the actions of recorded trials",
    params: {},
    start: (trial) => {
      const actions = trial.box ?? trial.actions;
      const other = beside?.(trial);
      let e = -1;
      return {
        begin: () => {
          e++;
          other?.begin?.();
        },
        act: (observation, state, t) => {
          other?.act(observation, state, t);
          const action = episodes[e]!.actions[t];
          if (isAction(actions, action)) return action;
          throw new Malformed(
            action === undefined
              ? `episodes[${e}].actions ends at ${t}, where the environment goes on`
              : `episodes[${e}].actions[${t}] is ${
                JSON.stringify(action)
              }, not ${actionsInWords(actions)}`,
          );
        },
        ...(other?.learn && {
          learn: (...step: Parameters<typeof other.learn>) =>
            other.learn!(...step),
        }),
      };
    },
  };
}

/** Recorded actions that were left over are a difference too. */
function checkLengths(trial: Trial, record: TrialRecord): void {
  trial.episodes.forEach(({ actions }, e) => {
    const steps = record.ends[e]! - (e === 0 ? 0 : record.ends[e - 1]!);
    if (actions.length === steps) return;
    throw new Malformed(
      `episodes[${e}].actions has ${actions.length} entries, and the environment ended it after ${steps}`,
    );
  });
}

/** Plays a trial again, on its task, into `record`. */
export function playAgain(
  env: Environment,
  task: unknown,
  trial: Trial,
  record: TrialRecord,
  beside?: Beside,
): void {
  if (trial.seed === undefined) throw new Malformed("seed is missing");
  playTrial({
    env,
    task,
    policy: recordedPolicy(trial, beside),
    params: {},
    episodes: trial.episodes.length,
    stopOnSuccess: false,
    seed: trial.seed,
  }, record);
  checkLengths(trial, record);
}

/** What a note of `boundary` says of a stretch that can be played again. */
interface Stretch {
  readonly episode: number;
  readonly seed: string;
  readonly drawn: TaskRow;
}

function isStretch(note: unknown): note is Stretch {
  const { episode, seed, drawn } = (note ?? {}) as Partial<Stretch>;
  return Number.isSafeInteger(episode) && typeof seed === "string" &&
    typeof drawn?.id === "string";
}

/**
 * The trials that a trial on several tasks is made of, where its boundary notes
 * say which they were, as `evaluate --change` has them; else itself.
 */
export function stretchesOf(trial: Trial): ReadonlyArray<Trial> {
  const { boundary, episodes, task } = trial;
  if (task.seed !== undefined || !Array.isArray(boundary)) return [trial];
  if (boundary.length === 0 || !boundary.every(isStretch)) return [trial];
  return boundary.map(({ episode, seed, drawn }: Stretch, i) => ({
    ...trial,
    task: drawn,
    seed,
    episodes: episodes.slice(episode, boundary[i + 1]?.episode),
  }));
}
