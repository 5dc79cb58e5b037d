import { type Generator, uniform } from "../kernels/random/generator.ts";
import { defineEnvironment, type Transition } from "./env.ts";
import { horizonParam, num } from "./params.ts";

/** Of the two links: lengths, masses, and where along them the mass is. */
interface Acrobot {
  readonly lengths: readonly [number, number];
  readonly masses: readonly [number, number];
  readonly centres: readonly [number, number];
  readonly gravity: number;
  readonly horizon: number;
}

/** Angles of the links (0 hangs; the second is from the first), and spins. */
type State = readonly [number, number, number, number];

const TIME_STEP = 0.2;
const FRAMES = 5;
const INERTIA = 1;
const FASTEST = [4 * Math.PI, 9 * Math.PI] as const;
/** Rows hold what the agent saw, in few digits. */
const DIGITS = 1e6;

function between(random: Generator, low: number, high: number): number {
  return low + (high - low) * uniform(random);
}

/** The rates of a state under a torque at the joint (Sutton and Barto's form). */
function rates(task: Acrobot, state: State, torque: number): State {
  const [a1, a2, s1, s2] = state;
  const [m1, m2] = task.masses;
  const l1 = task.lengths[0];
  const [c1, c2] = [l1 * task.centres[0], task.lengths[1] * task.centres[1]];
  const g = task.gravity;
  const cross = l1 * c2 * Math.cos(a2);
  const d1 = m1 * c1 ** 2 + m2 * (l1 ** 2 + c2 ** 2 + 2 * cross) + 2 * INERTIA;
  const d2 = m2 * (c2 ** 2 + cross) + INERTIA;
  const swing = m2 * l1 * c2 * Math.sin(a2);
  const phi2 = m2 * c2 * g * Math.cos(a1 + a2 - Math.PI / 2);
  const phi1 = -swing * s2 ** 2 - 2 * swing * s2 * s1 +
    (m1 * c1 + m2 * l1) * g * Math.cos(a1 - Math.PI / 2) + phi2;
  const turn2 = (torque + d2 / d1 * phi1 - swing * s1 ** 2 - phi2) /
    (m2 * c2 ** 2 + INERTIA - d2 ** 2 / d1);
  return [s1, s2, -(d2 * turn2 + phi1) / d1, turn2];
}

function moved(state: State, by: State, time: number): State {
  return [
    state[0] + time * by[0],
    state[1] + time * by[1],
    state[2] + time * by[2],
    state[3] + time * by[3],
  ];
}

function wrapped(angle: number): number {
  const turns = Math.round(angle / (2 * Math.PI));
  return angle - 2 * Math.PI * turns;
}

/** One frame, by the Runge-Kutta method of order 4. */
function frame(task: Acrobot, state: State, torque: number): State {
  const h = TIME_STEP;
  const k1 = rates(task, state, torque);
  const k2 = rates(task, moved(state, k1, h / 2), torque);
  const k3 = rates(task, moved(state, k2, h / 2), torque);
  const k4 = rates(task, moved(state, k3, h), torque);
  const mean = [0, 1, 2, 3].map((i) =>
    (k1[i]! + 2 * k2[i]! + 2 * k3[i]! + k4[i]!) / 6
  ) as [number, number, number, number];
  const [a1, a2, s1, s2] = moved(state, mean, h);
  const bound = (spin: number, most: number) =>
    Math.max(-most, Math.min(most, spin));
  return [
    wrapped(a1),
    wrapped(a2),
    bound(s1, FASTEST[0]),
    bound(s2, FASTEST[1]),
  ];
}

/** Whether the tip is higher above the joint than the first link is long. */
function isUp({ lengths }: Acrobot, [a1, a2]: State): boolean {
  const tip = -lengths[0] * Math.cos(a1) - lengths[1] * Math.cos(a1 + a2);
  // With links of length 1, as in Gymnasium, this is a height of 1.
  return tip > lengths[0];
}

function observe([a1, a2, s1, s2]: State): ReadonlyArray<number> {
  return [Math.cos(a1), Math.sin(a1), Math.cos(a2), Math.sin(a2), s1, s2].map(
    // Adding 0 makes of -0, which JSON readers tell from 0, a plain 0.
    (x) => Math.round(x * DIGITS) / DIGITS + 0,
  );
}

/** Five frames, fewer if the tip comes up. Costs 1 for each frame it is not. */
function step(task: Acrobot, from: State, action: number): Transition<State> {
  let [state, reward, up] = [from, 0, false];
  for (let i = 0; i < FRAMES && !up; i++) {
    state = frame(task, state, action - 1);
    up = isUp(task, state);
    if (!up) reward--;
  }
  const observation = observe(state);
  return { state, observation, reward, terminated: up, success: up };
}

/**
 * Two hanging links of random make, the joint between them to be driven (of the
 * worlds beside AnyMDP, Wang and others 2025, arXiv 2502.02869): lengths and
 * masses U(0.5, 3), centres of mass at U(0.25, 0.75) of the length, gravity
 * U(1, 15); an action is kept up for five frames. All else is as in Gymnasium's
 * Acrobot-v1, and the goal, one link's length above the joint, is of the first.
 */
export const randomAcrobot = defineEnvironment<Acrobot, State>({
  name: "random-acrobot",
  version: 1,
  summary: "Two hanging links of random make, to be swung up",
  params: {
    horizon: horizonParam(100, "Steps of an episode, of five frames each"),
  },
  sampleTask: (random, params) => {
    const pair = (low: number, high: number): [number, number] => [
      between(random, low, high),
      between(random, low, high),
    ];
    return {
      lengths: pair(0.5, 3),
      masses: pair(0.5, 3),
      centres: pair(0.25, 0.75),
      gravity: between(random, 1, 15),
      horizon: num(params, "horizon"),
    };
  },
  observations: () => ({ kind: "box", shape: [6] }),
  actions: () => 3,
  horizon: (task) => task.horizon,
  reset: (_, random) => {
    const draw = () => between(random, -0.1, 0.1);
    const state: State = [draw(), draw(), draw(), draw()];
    return { state, observation: observe(state) };
  },
  step,
});
