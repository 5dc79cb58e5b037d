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
  reserve,
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
  readonly episodes: number;
}

/** A trial under way. */
export interface Playing {
  readonly seat: Seat;
  readonly record: TrialRecord;
  observation: Observation;
  /** Of the step before; none before the first. */
  previousAction: number | undefined;
  previousReward: number;
  /** All of its episodes are over. */
  isOver: boolean;
  /** Takes an action; begins the next episode where that ended one. */
  readonly take: (action: number) => void;
}

/** Where the columns of a record are written. */
interface Cursor {
  steps: number;
  length: number;
  solved: boolean;
}

/** Notes what is seen before step `at.steps`. */
function see(record: TrialRecord, at: Cursor, observation: Observation): void {
  const i = at.steps + record.episodes;
  if (typeof observation === "number") record.codes[i] = observation;
  else {
    record.values![i] = observation;
    record.codes[i] = i;
  }
}

/** Sits a trial down; its first observation is there. */
export function sitDown(seat: Seat): Playing {
  const { env, task, episodes } = seat;
  const key = rootKey(seat.seed);
  const [starts, dynamics]: [Generator, Generator] = [
    generator(foldIn(key, "starts")),
    generator(foldIn(key, "dynamics")),
  ];
  const record = emptyRecord();
  const isDiscrete = env.observations(task).kind === "discrete";
  record.values = isDiscrete ? undefined : [];
  record.episodes = 0;
  const horizon = env.horizon(task);
  const at: Cursor = { steps: 0, length: 0, solved: false };
  let { state, observation } = env.reset(task, starts);
  reserve(record, 0, horizon);
  see(record, at, observation);
  const end = (terminated: boolean) => {
    record.ends[record.episodes] = at.steps;
    record.flags[record.episodes] = (terminated ? TERMINATED : TRUNCATED) |
      (at.solved ? SUCCESS : 0);
    record.episodes++;
    at.length = 0;
    at.solved = false;
    playing.isOver = record.episodes === episodes;
    if (playing.isOver) return;
    ({ state, observation } = env.reset(task, starts));
    reserve(record, at.steps, horizon);
    see(record, at, observation);
  };
  const take = (action: number) => {
    const moved = env.step(task, state, action, dynamics);
    record.actions[at.steps] = action;
    record.rewards[at.steps] = moved.reward;
    at.steps++;
    at.length++;
    if (moved.success !== undefined) {
      record.solvable = true;
      at.solved ||= moved.success;
    }
    ({ state, observation } = moved);
    see(record, at, observation);
    playing.previousAction = action;
    playing.previousReward = moved.reward;
    if (moved.terminated || at.length === horizon) end(moved.terminated);
    playing.observation = observation;
  };
  const playing: Playing = {
    seat,
    record,
    observation,
    previousAction: undefined,
    previousReward: 0,
    isOver: false,
    take,
  };
  return playing;
}
