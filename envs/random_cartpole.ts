import type { Generator } from "../kernels/random/generator.ts";
import { uniform } from "../kernels/random/generator.ts";
import { defineEnvironment, type Transition } from "./env.ts";
import { horizonParam, num } from "./params.ts";

interface CartPole {
  readonly gravity: number;
  readonly cartMass: number;
  readonly poleMass: number;
  /** Half the length of the pole. */
  readonly halfLength: number;
  readonly horizon: number;
}

/** Position, velocity, angle (0 is upright) and its velocity. */
type State = readonly [x: number, v: number, angle: number, spin: number];

const FORCE = 10;
const TIME_STEP = 0.02;
const FRAMES = 5;
const FARTHEST = 2.4;
const STEEPEST = 12 * Math.PI / 180;
/** Rows hold what the agent saw, in few digits. */
const DIGITS = 1e6;

function between(random: Generator, low: number, high: number): number {
  return low + (high - low) * uniform(random);
}

/** One frame of Barto, Sutton and Anderson (1983), as Gymnasium steps it. */
function frame(
  { gravity, cartMass, poleMass, halfLength }: CartPole,
  [x, v, angle, spin]: State,
  force: number,
): State {
  const total = cartMass + poleMass;
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const push = (force + poleMass * halfLength * spin * spin * sin) / total;
  const turn = (gravity * sin - cos * push) /
    (halfLength * (4 / 3 - poleMass * cos * cos / total));
  const speedUp = push - poleMass * halfLength * turn * cos / total;
  return [
    x + TIME_STEP * v,
    v + TIME_STEP * speedUp,
    angle + TIME_STEP * spin,
    spin + TIME_STEP * turn,
  ];
}

function hasFallen([x, , angle]: State): boolean {
  return Math.abs(x) > FARTHEST || Math.abs(angle) > STEEPEST;
}

function observe(state: State): ReadonlyArray<number> {
  // Adding 0 makes of -0, which JSON readers tell from 0, a plain 0.
  return state.map((x) => Math.round(x * DIGITS) / DIGITS + 0);
}

/** Five frames, fewer if the pole falls. Pays 1 for each frame stood. */
function step(task: CartPole, from: State, action: number): Transition<State> {
  let [state, reward, terminated] = [from, 0, false];
  for (let i = 0; i < FRAMES && !terminated; i++) {
    state = frame(task, state, action === 1 ? FORCE : -FORCE);
    reward++;
    terminated = hasFallen(state);
  }
  return { state, observation: observe(state), reward, terminated };
}

/**
 * A cart and pole of random make (of the worlds beside AnyMDP, Wang and others
 * 2025, arXiv 2502.02869): gravity U(1, 11), mass of the cart U(0.5, 2) and of
 * the pole U(0.05, 0.2), half its length U(0.25, 1); an action is kept up for
 * five frames. All else is as in Gymnasium's CartPole-v1.
 */
export const randomCartpole = defineEnvironment<CartPole, State>({
  name: "random-cartpole",
  version: 1,
  summary: "A cart and pole of random masses, length and gravity",
  params: {
    horizon: horizonParam(200, "Steps of an episode, of five frames each"),
  },
  sampleTask: (random, params) => ({
    gravity: between(random, 1, 11),
    cartMass: between(random, 0.5, 2),
    poleMass: between(random, 0.05, 0.2),
    halfLength: between(random, 0.25, 1),
    horizon: num(params, "horizon"),
  }),
  observations: () => ({ kind: "box", shape: [4] }),
  actions: () => 2,
  horizon: (task) => task.horizon,
  reset: (_, random) => {
    const draw = () => between(random, -0.05, 0.05);
    const state: State = [draw(), draw(), draw(), draw()];
    return { state, observation: observe(state) };
  },
  step,
});
