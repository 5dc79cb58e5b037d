/**
 * What a continuous AnyMDP pays for getting from one latent state to the next.
 *
 * @module
 */
import {
  type Aim,
  apart,
  type Ball,
  type Bump,
  type ContinuousState,
  type ContinuousTask,
  EDGE,
  type Field,
  type Path,
  through,
} from "./task.ts";

function bell(squared: number, width: number): number {
  return Math.exp(-squared / (2 * width * width));
}

/** Where a moving goal is at step t: within three quarters of the box. */
export function goalAt(
  { period, sine, cosine }: Path,
  t: number,
): ReadonlyArray<number> {
  return sine[0]!.map((_, i) => {
    let sum = 0;
    for (let k = 0; k < sine.length; k++) {
      const angle = 2 * Math.PI * (k + 1) * t / period;
      sum += sine[k]![i]! * Math.sin(angle) + cosine[k]![i]! * Math.cos(angle);
    }
    return 0.75 * EDGE * Math.tanh(sum);
  });
}

/** The value of a field at x, from -1 to 1. */
export function fieldAt(
  { inner, outer }: Field,
  x: ReadonlyArray<number>,
): number {
  const bent = through(inner, x).map((y, i) =>
    i % 2 === 0 ? Math.sin(y) : Math.tanh(y)
  );
  return Math.tanh(through(outer, bent)[0]!);
}

function isIn({ centre, radius }: Ball, x: ReadonlyArray<number>): boolean {
  return apart(centre, x) <= radius * radius;
}

/** How high the potential is at x. */
export function potentialAt(
  bumps: ReadonlyArray<Bump>,
  x: ReadonlyArray<number>,
): number {
  let sum = 0;
  for (const { centre, height, width } of bumps) {
    sum += height * bell(apart(centre, x), width);
  }
  return sum;
}

/** What the aim pays at a state. */
function aimPays(aim: Aim, { x, t }: ContinuousState): number {
  if (aim.mode === "static") return isIn(aim.goal, x) ? aim.goal.pays : 0;
  if (aim.mode === "dynamic") {
    const { path } = aim;
    return path.height * bell(apart(goalAt(path, t), x), path.width);
  }
  return aim.field.factor * Math.max(fieldAt(aim.field, x) - 0.5, 0);
}

/** What came of a step. */
export interface Outcome {
  readonly reward: number;
  readonly terminated: boolean;
  readonly reached: boolean;
}

/** What a step from `from` to `to` pays, and whether it was the last. */
export function outcomeOf(
  { aim, pitfalls, bumps, constant }: ContinuousTask,
  from: ContinuousState,
  to: ContinuousState,
): Outcome {
  const { x } = to;
  let reward = constant + aimPays(aim, to) +
    potentialAt(bumps, x) - potentialAt(bumps, from.x);
  const hit = pitfalls.find((ball) => isIn(ball, x));
  if (hit) reward += hit.pays;
  const reached = aim.mode === "static" && isIn(aim.goal, x);
  const left = x.some((value) => Math.abs(value) > EDGE);
  return { reward, terminated: left || reached || hit !== undefined, reached };
}
