/**
 * Linear systems as tasks: what is hidden, how it moves, where it should be.
 *
 * @module
 */
import { held, type Motion } from "../../kernels/linear/exponential.ts";
import {
  regulate,
  type Regulator,
  type Tracked,
} from "../../kernels/linear/regulator.ts";
import type { Transition } from "../env.ts";
import { roundReward } from "../reward.ts";

/** One swing of the target: `sine` sin(2πt / period) + `cosine` cos(...). */
export interface Wave {
  /** In steps. */
  readonly period: number;
  /** [outputs] */
  readonly sine: ReadonlyArray<number>;
  /** [outputs] */
  readonly cosine: ReadonlyArray<number>;
}

/** A hidden system, in continuous time; matrices are stored row by row. */
export interface LinearTask {
  readonly states: number;
  readonly inputs: number;
  readonly outputs: number;
  /** A of x' = A x + B u + c: [states, states] */
  readonly rate: ReadonlyArray<number>;
  /** B: [states, inputs] */
  readonly drive: ReadonlyArray<number>;
  /** c: [states] */
  readonly drift: ReadonlyArray<number>;
  /** C of y = C x + d: [outputs, states] */
  readonly readout: ReadonlyArray<number>;
  /** d: [outputs] */
  readonly shift: ReadonlyArray<number>;
  /** Where the target stays, or what it swings about: [outputs] */
  readonly centre: ReadonlyArray<number>;
  /** None where the target stays. */
  readonly waves: ReadonlyArray<Wave>;
  /** Steps until an action is felt. */
  readonly delay: number;
  readonly horizon: number;
  /** Whether the target is seen behind the output. */
  readonly shown: boolean;
}

/** Where the system is, and the actions that are yet to be felt, oldest first. */
export interface LinearState {
  readonly t: number;
  readonly x: ReadonlyArray<number>;
  readonly queue: ReadonlyArray<ReadonlyArray<number>>;
}

/** Time that a step takes. */
export const TIME_STEP = 0.1;
/** An error above this ends the episode. */
export const LARGEST_ERROR = 10;
/** What a step costs: of the squared error, and of the squared action. */
export const WEIGHTS = { error: 1 / LARGEST_ERROR ** 2, effort: 0.001 };
/** Rows hold what the agent saw, in few digits. */
const DIGITS = 1e6;

/** What is worked out from a task once. */
interface Known {
  readonly tracked: Tracked;
  /** [horizon + 1, outputs] */
  readonly targets: Float64Array;
  regulator?: Regulator;
}

const known = new WeakMap<LinearTask, Known>();

function swing({ period, sine, cosine }: Wave, t: number, i: number): number {
  const angle = 2 * Math.PI * t / period;
  return sine[i]! * Math.sin(angle) + cosine[i]! * Math.cos(angle);
}

function targetsOf(task: LinearTask): Float64Array {
  const { outputs, centre, waves, horizon } = task;
  const targets = new Float64Array((horizon + 1) * outputs);
  for (let t = 0; t <= horizon; t++) {
    for (let i = 0; i < outputs; i++) {
      let target = centre[i]!;
      for (const wave of waves) target += swing(wave, t, i);
      targets[t * outputs + i] = target;
    }
  }
  return targets;
}

function look(task: LinearTask): Known {
  let own = known.get(task);
  if (own === undefined) {
    const { states, inputs, outputs } = task;
    const [a, b, c] = [task.rate, task.drive, task.drift].map((values) =>
      Float64Array.from(values)
    ) as [Float64Array, Float64Array, Float64Array];
    const motion = held({ states, inputs, a, b, c }, TIME_STEP);
    const readout = Float64Array.from(task.readout);
    const shift = Float64Array.from(task.shift);
    const tracked = { motion, outputs, readout, shift };
    own = { tracked, targets: targetsOf(task) };
    known.set(task, own);
  }
  return own;
}

/** How a task moves in a step. */
export function motionOf(task: LinearTask): Motion {
  return look(task).tracked.motion;
}

function moved(
  { states, inputs, a, b, c }: Motion,
  x: ReadonlyArray<number>,
  u: ReadonlyArray<number>,
): Array<number> {
  const next = new Array<number>(states);
  for (let i = 0; i < states; i++) {
    let sum = c[i]!;
    for (let j = 0; j < states; j++) sum += a[i * states + j]! * x[j]!;
    for (let j = 0; j < inputs; j++) sum += b[i * inputs + j]! * u[j]!;
    next[i] = sum;
  }
  return next;
}

function outputOf({ readout, shift, states }: LinearTask, { x }: LinearState) {
  return shift.map((d, i) => {
    let sum = d;
    for (let j = 0; j < states; j++) sum += readout[i * states + j]! * x[j]!;
    return sum;
  });
}

function targetAt(task: LinearTask, t: number): Float64Array {
  const { outputs } = task;
  // Beyond the horizon nothing is asked, so the target stands still.
  const row = Math.min(t, task.horizon) * outputs;
  return look(task).targets.subarray(row, row + outputs);
}

/** The output, and the target behind it where it is shown. */
export function observe(
  task: LinearTask,
  state: LinearState,
): ReadonlyArray<number> {
  const output = outputOf(task, state);
  const seen = task.shown ? [...output, ...targetAt(task, state.t)] : output;
  // Adding 0 makes of -0, which JSON readers tell from 0, a plain 0.
  return seen.map((y) => Math.round(y * DIGITS) / DIGITS + 0);
}

/** The start of an episode at `x`: nothing was done before. */
export function startAt(
  { inputs, delay }: LinearTask,
  x: ReadonlyArray<number>,
): LinearState {
  const still = new Array<number>(inputs).fill(0);
  return { t: 0, x, queue: new Array(delay).fill(still) };
}

function square(values: ReadonlyArray<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return sum;
}

/** What {@linkcode move} finds: the next state, and how far off it is. */
interface Moved {
  readonly state: LinearState;
  readonly error: number;
  readonly cost: number;
}

/** One step: the oldest action that was not felt yet is felt now. */
export function move(
  task: LinearTask,
  { t, x, queue }: LinearState,
  action: ReadonlyArray<number>,
): Moved {
  const waiting = [...queue, action];
  const state = {
    t: t + 1,
    x: moved(motionOf(task), x, waiting[0]!),
    queue: waiting.slice(1),
  };
  const target = targetAt(task, t + 1);
  const off = square(outputOf(task, state).map((y, i) => y - target[i]!));
  const cost = WEIGHTS.error * off + WEIGHTS.effort * square(action);
  return { state, error: Math.sqrt(off), cost };
}

/** A step as the agent meets it. */
export function step(
  task: LinearTask,
  from: LinearState,
  action: ReadonlyArray<number>,
): Transition<LinearState> {
  const { state, error, cost } = move(task, from, action);
  return {
    state,
    observation: observe(task, state),
    reward: roundReward(1 - cost),
    terminated: error > LARGEST_ERROR,
  };
}

function regulatorOf(task: LinearTask): Regulator {
  const own = look(task);
  const after = own.targets.subarray(task.outputs);
  return own.regulator ??= regulate(own.tracked, after, WEIGHTS);
}

/**
 * The action of the regulator, cut to the box. What was done in the last `delay`
 * steps cannot be changed, so the regulator without delay acts on where that will
 * have led when the action is felt: the optimum of the delayed system too.
 */
export function regulated(
  task: LinearTask,
  state: LinearState,
): ReadonlyArray<number> {
  const { states, inputs, horizon } = task;
  const t = state.t + task.delay;
  // What is felt behind the horizon is effort alone.
  if (t >= horizon) return new Array<number>(inputs).fill(0);
  const motion = motionOf(task);
  let { x } = state;
  for (const action of state.queue) x = moved(motion, x, action);
  const { gain, offset } = regulatorOf(task);
  return Array.from({ length: inputs }, (_, i) => {
    let u = -offset[t * inputs + i]!;
    for (let j = 0; j < states; j++) {
      u -= gain[(t * inputs + i) * states + j]! * x[j]!;
    }
    return Math.max(-1, Math.min(1, u));
  });
}
