/**
 * The sampler of linear systems: sizes, matrices, a target, and a test that the
 * task is worth something.
 *
 * @module
 */
import { product, rowNorm } from "../../kernels/linear/matrix.ts";
import { normal } from "../../kernels/random/distributions.ts";
import {
  type Generator,
  integer,
  uniform,
} from "../../kernels/random/generator.ts";
import type { Refusal } from "../env.ts";
import { num, type Params } from "../params.ts";
import {
  LARGEST_ERROR,
  type LinearTask,
  motionOf,
  move,
  regulated,
  startAt,
  type Wave,
} from "./system.ts";

/** Sizes that are drawn where none is given. */
export const STATES = [2, 8] as const;
export const INPUTS = [1, 4] as const;
export const DELAYS = [0, 29] as const;
/** Periods of a moving target's slowest wave, in steps, and how many waves. */
export const PERIODS = [50, 200] as const;
export const WAVES = 3;
/** How much a system left alone may grow in 2^7 steps. */
const DOUBLINGS = 7;
export const LARGEST_GROWTH = 10;
/** Steps that the reference is judged by, at least. */
const JUDGED = 200;
/** What the reference may cost, of what doing nothing costs. */
export const WORTH = 0.5;

/** What is drawn once, and stands when a system is refused. */
interface Frame {
  readonly states: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly delay: number;
  readonly moves: boolean;
  /** Entries of A this far below the diagonal at most, and above. */
  readonly band: readonly [below: number, above: number];
}

function within(random: Generator, [low, high]: readonly [number, number]) {
  return low + integer(random, high - low + 1);
}

function drawFrame(random: Generator, params: Params): Frame {
  const given = (name: string) => num(params, name);
  const states = given("states") || within(random, STATES);
  const inputs = given("inputs") ||
    within(random, [INPUTS[0], Math.min(INPUTS[1], states)]);
  const outputs = given("observations") || within(random, [1, inputs]);
  const delay = given("delay") < 0 ? within(random, DELAYS) : given("delay");
  const moves = params.target === "auto"
    ? integer(random, 2) === 1
    : params.target === "fourier";
  const width = 1 + integer(random, 2);
  const isBanded = integer(random, 2) === 1;
  const band = isBanded ? [width, width] as const : [states, 0] as const;
  return { states, inputs, outputs, delay, moves, band };
}

function normals(random: Generator, n: number, scale: number): Array<number> {
  return Array.from({ length: n }, () => scale * normal(random));
}

function drawRate(random: Generator, { states, band }: Frame): Array<number> {
  const rate = new Array<number>(states ** 2).fill(0);
  for (let i = 0; i < states; i++) {
    const last = Math.min(states - 1, i + band[1]);
    for (let j = Math.max(0, i - band[0]); j <= last; j++) {
      rate[i * states + j] = i === j
        ? -(0.05 + 0.95 * uniform(random))
        : 0.5 * normal(random);
    }
  }
  return rate;
}

function drawWaves(random: Generator, outputs: number): Array<Wave> {
  const [low, high] = PERIODS;
  const slowest = low + (high - low) * uniform(random);
  return Array.from({ length: WAVES }, (_, k) => ({
    period: slowest / (k + 1),
    sine: normals(random, outputs, 1 / (k + 1)),
    cosine: normals(random, outputs, 1 / (k + 1)),
  }));
}

function drawSystem(
  random: Generator,
  frame: Frame,
  params: Params,
): LinearTask {
  const { states, inputs, outputs, delay, moves } = frame;
  return {
    states,
    inputs,
    outputs,
    rate: drawRate(random, frame),
    drive: normals(random, states * inputs, 1),
    drift: normals(random, states, 0.2),
    readout: normals(random, outputs * states, 1 / Math.sqrt(states)),
    shift: normals(random, outputs, 0.5),
    centre: normals(random, outputs, 1),
    waves: moves ? drawWaves(random, outputs) : [],
    delay,
    horizon: num(params, "horizon"),
    shown: params["show-target"] === true,
  };
}

function isUnstable(task: LinearTask): boolean {
  const { a, states } = motionOf(task);
  let power = a;
  for (let i = 0; i < DOUBLINGS; i++) {
    power = product(power, power, states, states, states);
  }
  // Also where it overflowed.
  return !(rowNorm(power, states) <= LARGEST_GROWTH);
}

/** What an episode from rest costs, and whether it lasts. */
function costOf(
  task: LinearTask,
  isRegulated: boolean,
): { cost: number; lasts: boolean } {
  const still = new Array<number>(task.inputs).fill(0);
  let state = startAt(task, new Array<number>(task.states).fill(0));
  let [cost, lasts] = [0, true];
  for (let t = 0; t < task.horizon; t++) {
    const moved = move(
      task,
      state,
      isRegulated ? regulated(task, state) : still,
    );
    state = moved.state;
    cost += moved.cost;
    lasts &&= moved.error <= LARGEST_ERROR;
  }
  return { cost, lasts };
}

function isOutOfReach(task: LinearTask): boolean {
  // In a few steps nobody comes far, which says nothing against the system.
  const judged = task.horizon < JUDGED ? { ...task, horizon: JUDGED } : task;
  const { cost, lasts } = costOf(judged, true);
  return !lasts || !(cost <= WORTH * costOf(judged, false).cost);
}

/**
 * One draw of a task: refused as `unstable` where the system left alone may grow
 * more than tenfold in 128 steps (by the largest row sum of the power), and as
 * `out-of-reach` where the reference, from rest, loses the target or costs more
 * than half of what doing nothing costs, over the horizon or 200 steps if that is
 * less. Refusals keep the sizes.
 */
export function sampleLinear(
  random: Generator,
  params: Params,
  kept?: unknown,
): LinearTask | Refusal {
  // What a refusal kept is a frame, since it comes from here.
  const frame = kept as Frame | undefined ?? drawFrame(random, params);
  const task = drawSystem(random, frame, params);
  if (isUnstable(task)) return { refused: "unstable", kept: frame };
  if (isOutOfReach(task)) return { refused: "out-of-reach", kept: frame };
  return task;
}
