/**
 * Many trials at once, a step of each at a time, for policies that choose for all
 * of them together. Starts and dynamics draw from the same streams as in
 * `rollout.ts`, so that the same actions make the same trials.
 *
 * @module
 */
import { type Generator, generator } from "../kernels/random/generator.ts";
import { foldIn, rootKey } from "../kernels/random/key.ts";
import type { Environment, Observation } from "./env.ts";
import {
  emptyRecord,
  finiteReward,
  markValid,
  reserve,
  see as note,
  SUCCESS,
  TERMINATED,
  TRUNCATED,
} from "./rollout.ts";
import type { TrialRecord } from "./rollout.ts";

/** A trial to be played. */
export interface Seat {
  readonly env: Environment;
  readonly task: unknown;
  /** Seed of the trial: its streams are derived from it. */
  readonly seed: string;
  /** The most that are played; may be infinite where `steps` is given. */
  readonly episodes: number;
  /** No episode is begun after so many steps; no limit if absent. */
  readonly steps?: number | undefined;
  /** Whether the first success ends the trial. */
  readonly stopOnSuccess?: boolean;
  /** Whether ln of the probability of each action is kept. */
  readonly logprobs?: boolean;
}

/** The step before; none before the first. */
export interface Before {
  readonly action: number | undefined;
  readonly reward: number;
  /** TERMINATED or TRUNCATED where it ended an episode, else 0. */
  readonly end: number;
}

/** What is before the first step. */
export const NOTHING: Before = { action: undefined, reward: 0, end: 0 };

/** A trial under way. */
export interface Playing {
  readonly seat: Seat;
  readonly record: TrialRecord;
  observation: Observation;
  before: Before;
  /** All of its episodes are over. */
  isOver: boolean;
  /**
   * Takes an action, which was drawn with probability exp(`logprob`); begins the
   * next episode where that ended one.
   */
  readonly take: (action: number, logprob?: number) => void;
}

/** Where the columns of a record are written. */
interface Cursor {
  steps: number;
  length: number;
  solved: boolean;
}

/** Six decimals, as rewards have: what is behind them moves no gradient. */
const PARTS = 1e6;

/** Sits a trial down; its first observation is there. */
export function sitDown(seat: Seat): Playing {
  const { env, task, episodes, steps: enough = Infinity } = seat;
  const key = rootKey(seat.seed);
  const [starts, dynamics]: [Generator, Generator] = [
    generator(foldIn(key, "starts")),
    generator(foldIn(key, "dynamics")),
  ];
  const record = emptyRecord();
  const space = env.observations(task);
  record.values = space.kind === "discrete" ? undefined : [];
  record.logprobs = seat.logprobs ? new Float64Array(64) : undefined;
  record.episodes = 0;
  const horizon = env.horizon(task);
  const at: Cursor = { steps: 0, length: 0, solved: false };
  const see = () => {
    const i = at.steps + record.episodes;
    note(record, i, observation, env, space);
  };
  let { state, observation } = env.reset(task, starts);
  reserve(record, 0, horizon);
  see();
  const end = (how: number) => {
    record.ends[record.episodes] = at.steps;
    record.flags[record.episodes] = how | (at.solved ? SUCCESS : 0);
    record.episodes++;
    playing.isOver = record.episodes === episodes || at.steps >= enough ||
      (seat.stopOnSuccess === true && at.solved);
    at.length = 0;
    at.solved = false;
    if (playing.isOver) return;
    ({ state, observation } = env.reset(task, starts));
    reserve(record, at.steps, horizon);
    see();
  };
  const take = (action: number, logprob = 0) => {
    const moved = env.step(task, state, action, dynamics);
    const reward = finiteReward(env, moved.reward);
    record.actions[at.steps] = action;
    record.rewards[at.steps] = reward;
    if (record.logprobs) {
      // Adding 0 makes of -0 a plain 0.
      record.logprobs[at.steps] = Math.round(logprob * PARTS) / PARTS + 0;
    }
    if (record.valid !== undefined || moved.valid === false) {
      markValid(record, at.steps, moved.valid !== false);
    }
    at.steps++;
    at.length++;
    if (moved.success !== undefined) {
      record.solvable = true;
      at.solved ||= moved.success;
    }
    ({ state, observation } = moved);
    see();
    const isCut = at.length === horizon;
    const how = moved.terminated ? TERMINATED : isCut ? TRUNCATED : 0;
    playing.before = { action, reward, end: how };
    if (how !== 0) end(how);
    playing.observation = observation;
  };
  const playing: Playing = {
    seat,
    record,
    observation,
    before: NOTHING,
    isOver: false,
    take,
  };
  return playing;
}
