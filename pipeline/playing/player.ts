/**
 * A trained model at play, many trials in step.
 *
 * @module
 */
import type { Observation } from "../../envs/env.ts";
import {
  type Before,
  NOTHING,
  type Playing,
  type Seat,
  sitDown,
} from "../../envs/lockstep.ts";
import type { TrialRecord } from "../../envs/rollout.ts";
import {
  chooseAction,
  logProbability,
  modelShare,
} from "../../kernels/choose.ts";
import { startPlay } from "../../kernels/onnx/play.ts";
import type { Weights } from "../../kernels/onnx/parameters.ts";
import type { Device } from "../../kernels/onnx/session.ts";
import type { TransformerConfig } from "../../kernels/onnx/transformer.ts";
import {
  type Generator,
  generator,
  integer,
  uniform,
} from "../../kernels/random/generator.ts";
import { foldIn, rootKey } from "../../kernels/random/key.ts";
import { DataError } from "../errors.ts";
import {
  checkSeats,
  chooserOf,
  type Inputs,
  inputsFor,
  putInputs,
} from "./inputs.ts";
import {
  move,
  type Room,
  type Rooms,
  roomsOf,
  sizeFor,
  stepRoom,
} from "./rooms.ts";

export interface PlayerOptions {
  /** Trials at once. */
  readonly batch: number;
  /** Of the softmax over logits or Q-values; 0 takes the largest. */
  readonly temperature: number;
  /** What each step bears, where the model knows tags; none if not given. */
  readonly tag?: number | undefined;
  readonly device: Device;
  readonly threads: number | undefined;
}

/** Steps that a model is shown before it plays, one entry a step. */
export interface Prompt {
  /** What was seen before each action. */
  readonly observations: ReadonlyArray<Observation>;
  readonly actions: ReadonlyArray<number>;
  readonly rewards: ReadonlyArray<number>;
  /** How each step ended its episode: see {@linkcode Before}. */
  readonly ends: ReadonlyArray<number>;
}

/** What one trial of a model is. */
export interface Sitting {
  /** Played one behind the other, with nothing to say that the task changes. */
  readonly seats: ReadonlyArray<Seat>;
  readonly prompt?: Prompt | undefined;
  /** Episodes of forced exploration, see {@linkcode modelShare}; 0 if not given. */
  readonly warmUp?: number;
  /** Whether they are counted anew from each seat. */
  readonly restart?: boolean;
}

/** How far play is. */
export interface Reached {
  /** That are over. */
  readonly trials: number;
  readonly episodes: number;
  /** Episodes that the trial has which has the fewest. */
  readonly slowest: number;
}

/** Plays trials; `release` it when it is done with. */
export interface Player {
  /**
   * As many sittings as the batch, or fewer, all played to their ends: a record
   * for each seat of each. What the model cannot play is a DataError.
   */
  readonly play: (
    sittings: ReadonlyArray<Sitting>,
    onStep?: (reached: Reached) => void,
  ) => Promise<ReadonlyArray<ReadonlyArray<TrialRecord>>>;
  readonly release: () => Promise<void>;
}

/** A sitting under way. */
interface Sitter {
  readonly sitting: Sitting;
  /** For the model's own choices. */
  readonly policy: Generator;
  /** For those that are forced: the first stream is the same without them. */
  readonly forced: Generator;
  readonly records: Array<TrialRecord>;
  playing: Playing;
  /** Actions that the task at play has. */
  actions: number;
  /** Steps of the prompt that were shown. */
  shown: number;
  /** Episodes of the seats before. */
  played: number;
  before: Before;
  isOver: boolean;
}

function takeSeat(sitter: Sitter, seat: Seat): void {
  sitter.playing = sitDown(seat);
  sitter.actions = seat.env.actions(seat.task) as number;
  sitter.records.push(sitter.playing.record);
}

function begin(sitting: Sitting): Sitter {
  const [first] = sitting.seats;
  const key = rootKey(first!.seed);
  const playing = sitDown(first!);
  return {
    sitting,
    policy: generator(foldIn(key, "policy")),
    forced: generator(foldIn(key, "warm-up")),
    records: [playing.record],
    playing,
    actions: first!.env.actions(first!.task) as number,
    shown: 0,
    played: 0,
    before: NOTHING,
    isOver: false,
  };
}

/** Puts what a sitter sees, or what it is shown, into row `b`. */
function show(
  config: TransformerConfig,
  inputs: Inputs,
  b: number,
  { sitting: { prompt }, playing, shown, before }: Sitter,
): void {
  const observation = prompt && shown < prompt.actions.length
    ? prompt.observations[shown]!
    : playing.observation;
  putInputs(config, inputs, b, observation, before);
}

/** Does one step, by what the model says of the actions from `at` on. */
function act(
  sitter: Sitter,
  said: Float32Array,
  at: number,
  temperature: number,
): void {
  const { sitting, playing, policy, forced, actions } = sitter;
  const { warmUp = 0, restart = false } = sitting;
  const { record } = playing;
  const episode = record.episodes + (restart ? 0 : sitter.played);
  const share = modelShare(episode, warmUp);
  if (share < 1 && uniform(forced) >= share) {
    playing.take(integer(forced, actions), -Math.log(actions));
  } else {
    const action = chooseAction(said, at, actions, temperature, policy);
    const logprob = record.logprobs
      ? logProbability(said, at, actions, temperature, action)
      : 0;
    playing.take(action, logprob);
  }
  sitter.before = playing.before;
  if (!playing.isOver) return;
  const next = sitting.seats[sitter.records.length];
  if (next === undefined) {
    sitter.isOver = true;
    return;
  }
  sitter.played += record.episodes;
  takeSeat(sitter, next);
}

/** Takes note of a step of the prompt; false where it has none left. */
function read(sitter: Sitter): boolean {
  const { sitting: { prompt }, shown } = sitter;
  if (prompt === undefined || shown >= prompt.actions.length) return false;
  sitter.before = {
    action: prompt.actions[shown]!,
    reward: prompt.rewards[shown]!,
    end: prompt.ends[shown]!,
  };
  sitter.shown++;
  return true;
}

/** Learned positions are a table, and end with it. */
function checkPosition(
  { positions, context }: TransformerConfig,
  position: number,
): void {
  if (positions !== "learned" || position < context) return;
  throw new DataError({
    message:
      `Cannot play on after ${context} steps: the model has learned positions for so many; play fewer episodes, or train it with --positions rotary`,
  });
}

/** Moves those that are not over to a smaller room, where that is worth it. */
async function moveOn(
  rooms: Rooms,
  room: Room,
  seated: ReadonlyArray<Sitter>,
  device: Device,
): Promise<readonly [Room, ReadonlyArray<Sitter>]> {
  const rows = seated.flatMap(({ isOver }, b) => isOver ? [] : [b]);
  const size = sizeFor(room.batch, rows.length, device);
  if (size === room.batch || rows.length === 0) return [room, seated];
  const next = await rooms.room(size);
  move(room, next, rows);
  return [next, rows.map((b) => seated[b]!)];
}

/** Does a step of each, by what the model says of them, row by row. */
function actAll(
  seated: ReadonlyArray<Sitter>,
  said: Float32Array,
  actions: number,
  temperature: number,
): void {
  for (let b = 0; b < seated.length; b++) {
    const sitter = seated[b]!;
    if (sitter.isOver || read(sitter)) continue;
    act(sitter, said, b * actions, temperature);
  }
}

function reachedBy(sitters: ReadonlyArray<Sitter>): Reached {
  let [trials, episodes, slowest] = [0, 0, Infinity];
  for (const { played, playing, isOver } of sitters) {
    const own = played + playing.record.episodes;
    episodes += own;
    slowest = Math.min(slowest, own);
    if (isOver) trials++;
  }
  return { trials, episodes, slowest };
}

async function playAll(
  rooms: Rooms,
  config: TransformerConfig,
  sittings: ReadonlyArray<Sitting>,
  { batch, temperature, tag, device }: PlayerOptions,
  onStep: (reached: Reached) => void,
): Promise<ReadonlyArray<ReadonlyArray<TrialRecord>>> {
  checkSeats(config, sittings.flatMap(({ seats }) => seats));
  const head = `head.${chooserOf(config)}`;
  const sitters = sittings.map(begin);
  let seated: ReadonlyArray<Sitter> = sitters;
  let room = await rooms.room(sizeFor(batch, sitters.length, device));
  startPlay(room.session, room.play);
  let inputs = inputsFor(config, room.batch, tag);
  let over = 0;
  for (let position = 0; over < sitters.length; position++) {
    checkPosition(config, position);
    for (let b = 0; b < seated.length; b++) {
      if (!seated[b]!.isOver) show(config, inputs, b, seated[b]!);
    }
    const said = await stepRoom(room, position, inputs);
    const values = said[head] as Float32Array;
    actAll(seated, values, config.actions, temperature);
    const reached = reachedBy(sitters);
    onStep(reached);
    if (reached.trials === over) continue;
    over = reached.trials;
    [room, seated] = await moveOn(rooms, room, seated, device);
    if (inputs.previousAction.length === room.batch) continue;
    inputs = inputsFor(config, room.batch, tag);
  }
  return sitters.map(({ records }) => records);
}

/** A player of the model; a tag that it does not know is a DataError. */
export async function openPlayer(
  config: TransformerConfig,
  weights: Weights,
  options: PlayerOptions,
): Promise<Player> {
  const { batch, device, threads, tag } = options;
  if (tag !== undefined && !(tag < (config.tags ?? 0))) {
    throw new DataError({
      message: `Cannot play with tag ${tag}: the model knows ${
        config.tags ?? "no"
      } tags`,
    });
  }
  // What else it says is of no use here.
  const own = { ...config, outputs: [chooserOf(config)] };
  const rooms = roomsOf(own, weights, device, threads);
  await rooms.room(batch);
  return {
    play: (sittings, onStep = () => {}) =>
      playAll(rooms, own, sittings, options, onStep),
    release: rooms.release,
  };
}
