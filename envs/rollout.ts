/**
 * Playing trials: one actor, one task, several episodes, recorded in columns
 * that are reused from trial to trial.
 *
 * A finite environment is stepped from its {@linkcode Table}, any other through
 * its own `step`. Three streams of random numbers are kept apart (starts,
 * dynamics, policy), so that where an episode starts never depends on what was
 * done before it.
 *
 * @module
 */
import { foldIn, type Key, rootKey } from "../kernels/random/key.ts";
import { type Generator, generator } from "../kernels/random/generator.ts";
import { normal } from "../kernels/random/distributions.ts";
import {
  type Action,
  actionCount,
  type Box,
  boxOf,
  isAction,
  roundAction,
} from "./actions.ts";
import {
  type Environment,
  isRefusal,
  type Observation,
  type Space,
} from "./env.ts";
import type { Actor, Policy } from "./policies/policy.ts";
import type { Params } from "./params.ts";
import { drawOutcome, drawStart, outcomesOf } from "./outcomes.ts";
import { REWARD_PARTS, roundReward } from "./reward.ts";
import type { Table } from "./table.ts";

/** Bits of {@linkcode TrialRecord.flags}. */
export const TERMINATED = 1;
export const TRUNCATED = 2;
export const SUCCESS = 4;

/** Draws of a task after which the sampler is given up. */
const DRAW_BUDGET = 1_000_000;

/**
 * The columns of one trial. Episode `e` has steps `ends[e - 1]` to `ends[e]`,
 * and one observation more than steps: its observations start at
 * `ends[e - 1] + e`.
 */
export interface TrialRecord {
  episodes: number;
  /** Steps up to the end of each episode. */
  ends: Int32Array;
  /** TERMINATED, TRUNCATED and SUCCESS of each episode. */
  flags: Uint8Array;
  /** Discrete observations, or indices into `vectors`. */
  codes: Int32Array;
  /** Other observations, where they are not discrete. */
  values: Array<Observation> | undefined;
  /** What a code reads as, where observations are vectors. */
  vectors: Table["vectors"] | undefined;
  actions: Int32Array;
  /** The actions, where they are vectors. */
  actionVectors: Array<ReadonlyArray<number>> | undefined;
  rewards: Float64Array;
  /** Whether the environment says when a task is solved. */
  solvable: boolean;
  /** 0 where an action was not legal; absent where all were. */
  valid: Uint8Array | undefined;
  /** Which source of the actor each action came from, where it says. */
  sources: Uint8Array | undefined;
  /** ln of the probability that each action was drawn with, where it is kept. */
  logprobs: Float64Array | undefined;
}

/** A task, with the count of draws that it took. */
export interface Draw {
  readonly task: unknown;
  readonly draws: number;
  /** How often each reason refused a draw. */
  readonly refusals: ReadonlyMap<string, number>;
}

/** The task of a seed: equal seeds give equal tasks, whatever else goes on. */
export function drawTask(
  env: Environment,
  params: Params,
  seed: string,
): Draw {
  const random = generator(foldIn(rootKey(seed), "task", env.name));
  const refusals = new Map<string, number>();
  let kept: unknown;
  for (let draws = 1; draws <= DRAW_BUDGET; draws++) {
    const draw = env.sampleTask(random, params, kept);
    if (!isRefusal(draw)) return { task: draw, draws, refusals };
    kept = draw.kept;
    refusals.set(draw.refused, (refusals.get(draw.refused) ?? 0) + 1);
  }
  const reasons = [...refusals].map(([why, n]) => `${why} ${n} times`);
  throw new RangeError(
    `Cannot draw a task of ${env.name}: ${DRAW_BUDGET} draws refused (${
      reasons.join(", ")
    })`,
  );
}

/** An empty record; it grows to the largest trial played into it. */
export function emptyRecord(): TrialRecord {
  return {
    episodes: 0,
    ends: new Int32Array(16),
    flags: new Uint8Array(16),
    codes: new Int32Array(0),
    values: undefined,
    vectors: undefined,
    actions: new Int32Array(0),
    actionVectors: undefined,
    rewards: new Float64Array(0),
    solvable: false,
    valid: undefined,
    sources: undefined,
    logprobs: undefined,
  };
}

function grown<A extends Int32Array | Float64Array | Uint8Array>(
  array: A,
  length: number,
): A {
  if (array.length >= length) return array;
  const size = Math.max(length, array.length * 2, 64);
  const larger = new (array.constructor as new (n: number) => A)(size);
  larger.set(array);
  return larger;
}

/** Makes room for one more episode of at most `horizon` steps. */
export function reserve(
  record: TrialRecord,
  steps: number,
  horizon: number,
): void {
  const { episodes } = record;
  record.ends = grown(record.ends, episodes + 1);
  record.flags = grown(record.flags, episodes + 1);
  record.codes = grown(record.codes, steps + horizon + episodes + 2);
  record.actions = grown(record.actions, steps + horizon);
  record.rewards = grown(record.rewards, steps + horizon);
  if (record.valid) record.valid = grown(record.valid, steps + horizon);
  if (record.sources) record.sources = grown(record.sources, steps + horizon);
  if (record.logprobs) {
    record.logprobs = grown(record.logprobs, steps + horizon);
  }
}

/** Tables are asked once: they may hold hundreds of thousands of outcomes. */
const solvable = new WeakMap<Table, boolean>();

/** Whether some outcome of a table solves the task. */
function isSolvable(table: Table): boolean {
  const known = solvable.get(table) ?? table.success.includes(1);
  solvable.set(table, known);
  return known;
}

/** What a trial is played with. */
export interface Play {
  readonly env: Environment;
  readonly task: unknown;
  readonly policy: Policy;
  readonly params: Params;
  /** The most that are played; may be infinite where `steps` is given. */
  readonly episodes: number;
  readonly stopOnSuccess: boolean;
  /** No episode is begun after so many steps; no limit if absent. */
  readonly steps?: number | undefined;
  /** Seed of the trial: its three streams are derived from it. */
  readonly seed: string;
}

/** The three streams of a trial. */
interface Streams {
  readonly starts: Generator;
  readonly dynamics: Generator;
}

/** Plays a trial into `record`, which holds only this trial afterwards. */
export function playTrial(play: Play, record: TrialRecord): void {
  const { env, task, policy, params, steps: enough = Infinity } = play;
  const key: Key = rootKey(play.seed);
  const table = env.table?.(task);
  const space = env.observations(task);
  const horizon = env.horizon(task);
  const actions = env.actions(task);
  const trial = {
    env,
    task,
    table,
    params,
    // As many as are sure to be played, where they are counted by their steps.
    episodes: Math.min(play.episodes, Math.ceil(enough / horizon)),
    actions: actionCount(actions),
    box: boxOf(actions),
    observations: table
      ? table.observationCount ?? table.states
      : space.kind === "discrete"
      ? space.n
      : 0,
    horizon,
  };
  const refused = policy.refuses?.(trial);
  if (refused !== undefined) throw new PolicyRefusal(policy.name, refused);
  const random = generator(foldIn(key, "policy"));
  const actor = policy.start({ ...trial, random });
  const streams = {
    starts: generator(foldIn(key, "starts")),
    dynamics: generator(foldIn(key, "dynamics")),
  };
  record.episodes = 0;
  record.valid = undefined;
  record.logprobs = undefined;
  record.sources = actor.source && (record.sources ?? new Uint8Array(64));
  record.vectors = table?.vectors;
  record.actionVectors = trial.box && [];
  record.solvable = table !== undefined && isSolvable(table);
  record.values = !table && space.kind !== "discrete" ? [] : undefined;
  const runEpisode = table
    ? stepTable(table, trial.horizon, actor, streams)
    : stepEnvironment(env, task, space, trial.horizon, actor, streams);
  let steps = 0;
  for (let e = 0; e < play.episodes && steps < enough; e++) {
    reserve(record, steps, trial.horizon);
    actor.begin?.();
    const end = runEpisode(record, steps);
    record.ends[e] = steps = end;
    record.episodes = e + 1;
    if (play.stopOnSuccess && record.flags[e]! & SUCCESS) break;
  }
}

/** A policy that cannot play a task. */
export class PolicyRefusal extends RangeError {
  override readonly name = "PolicyRefusal";
  constructor(policy: string, why: string) {
    super(`Cannot play with policy ${policy}: ${why}`);
  }
}

/** Plays one episode from `steps` on; gives the step that it ended at. */
type RunEpisode = (record: TrialRecord, steps: number) => number;

function stepTable(
  table: Table,
  horizon: number,
  actor: Actor<Action>,
  { starts, dynamics }: Streams,
): RunEpisode {
  const { actions: A, next, reward } = table;
  const outcomes = outcomesOf(table);
  const { terminal, success, observation } = table;
  const { rewardDeviation = 0, rewardDeviations } = table;
  const { rewardParts = REWARD_PARTS } = table;
  const act = actor.act;
  const { learn, source } = actor;
  return (record, first) => {
    const { codes, actions, rewards, sources } = record;
    let state = drawStart(table, starts);
    let seen = observation ? observation[state]! : state;
    let solved = 0;
    let ended = 0;
    let i = first;
    let at = first + record.episodes;
    codes[at++] = seen;
    const limit = first + horizon;
    while (i < limit && ended === 0) {
      // The actions of a table are integers.
      const action = act(seen, state, i - first) as number;
      const k = drawOutcome(outcomes, state * A + action, dynamics);
      let r = reward[k]!;
      const deviation = rewardDeviations === undefined
        ? rewardDeviation
        : rewardDeviations[k]!;
      if (deviation > 0) {
        r = roundReward(r + deviation * normal(dynamics), rewardParts);
      }
      state = next[k]!;
      const sees = observation ? observation[state]! : state;
      ended = terminal[k]!;
      solved |= success[k]!;
      if (learn !== undefined) learn(seen, action, r, sees, ended === 1);
      if (sources !== undefined) sources[i] = source!();
      actions[i] = action;
      rewards[i++] = r;
      codes[at++] = seen = sees;
    }
    record.flags[record.episodes] = (ended ? TERMINATED : TRUNCATED) |
      (solved ? SUCCESS : 0);
    return i;
  };
}

function stepEnvironment(
  env: Environment,
  task: unknown,
  space: Space,
  horizon: number,
  actor: Actor<Action>,
  { starts, dynamics }: Streams,
): RunEpisode {
  const box = boxOf(env.actions(task));
  return (record, first) => {
    let { state, observation } = env.reset(task, starts);
    let ended = false;
    let solved = false;
    let i = first;
    see(record, first + record.episodes, observation, env, space);
    while (i < first + horizon && !ended) {
      const chosen = actor.act(observation, state, i - first);
      const action = box ? vectorOf(env, box, chosen) : chosen as number;
      const moved = env.step(task, state, action, dynamics);
      ended = moved.terminated;
      if (moved.success !== undefined) {
        record.solvable = true;
        solved ||= moved.success;
      }
      const reward = finiteReward(env, moved.reward);
      actor.learn?.(observation, action, reward, moved.observation, ended);
      if (record.sources) record.sources[i] = actor.source!();
      if (typeof action === "number") record.actions[i] = action;
      else record.actionVectors![i] = action;
      record.rewards[i] = reward;
      if (record.valid !== undefined || moved.valid === false) {
        markValid(record, i, moved.valid !== false);
      }
      state = moved.state;
      observation = moved.observation;
      see(record, ++i + record.episodes, observation, env, space);
    }
    record.flags[record.episodes] = (ended ? TERMINATED : TRUNCATED) |
      (solved ? SUCCESS : 0);
    return i;
  };
}

/** The vector that is done and goes into rows; refuses what is out of the box. */
function vectorOf(
  env: Environment,
  box: Box,
  chosen: Action,
): ReadonlyArray<number> {
  if (!isAction(box, chosen)) throw refuse(env, "action", chosen);
  return roundAction(box, chosen as ReadonlyArray<number>);
}

/**
 * Notes what was seen, unless no row could hold it or no table be so large: that
 * is a RangeError.
 */
export function see(
  record: TrialRecord,
  at: number,
  observation: Observation,
  env: Environment,
  space: Space,
): void {
  if (!isIn(space, observation)) throw refuse(env, "observation", observation);
  if (record.values) record.values[at] = observation;
  else record.codes[at] = observation as number;
}

function isIn(space: Space, observation: Observation): boolean {
  if (space.kind === "text") return typeof observation === "string";
  return space.kind === "box"
    ? Array.isArray(observation) && observation.every(Number.isFinite)
    : Number.isInteger(observation) && (observation as number) >= 0 &&
      (observation as number) < space.n;
}

/** A reward that a row can hold; a RangeError if it is none. */
export function finiteReward(env: Environment, reward: number): number {
  if (Number.isFinite(reward)) return reward;
  throw refuse(env, "reward", reward);
}

function refuse(env: Environment, what: string, value: unknown): RangeError {
  const shown = typeof value === "number" ? value : JSON.stringify(value);
  return new RangeError(`Cannot play ${env.name}: ${what} ${shown}`);
}

/** Notes whether the action of step `i` was a legal one. */
export function markValid(
  record: TrialRecord,
  i: number,
  valid: boolean,
): void {
  record.valid ??= new Uint8Array(record.actions.length).fill(1);
  record.valid[i] = valid ? 1 : 0;
}
