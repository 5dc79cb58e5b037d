/**
 * The sampler of continuous AnyMDP tasks. What the source gives and what is ours
 * is said where the environment is.
 *
 * @module
 */
import { normal } from "../../../kernels/random/distributions.ts";
import {
  type Generator,
  integer,
  uniform,
} from "../../../kernels/random/generator.ts";
import { num, type Params } from "../../params.ts";
import { between, exponentialOf, integerIn } from "../draws.ts";
import {
  type Aim,
  apart,
  type Ball,
  type Bump,
  type ContinuousTask,
  EDGE,
  type Field,
  type Layer,
  type Path,
  type Start,
} from "./task.ts";

const MODES = ["static", "dynamic", "universal"] as const;
/** Waves of a moving goal. */
const WAVES = 3;
/** Units of a random field: half of them bend by sin, half by tanh. */
export const FIELD_UNITS = 16;

function normals(random: Generator, n: number, scale: number): Array<number> {
  return Array.from({ length: n }, () => scale * normal(random));
}

/** A place that is `share` of the way to the edge at most, in each direction. */
function place(
  random: Generator,
  latent: number,
  share: number,
): Array<number> {
  return Array.from(
    { length: latent },
    () => between(random, -share * EDGE, share * EDGE),
  );
}

function layer(
  random: Generator,
  [outputs, inputs]: readonly [number, number],
  scale: number,
): Layer {
  return {
    weights: normals(random, outputs * inputs, scale / Math.sqrt(inputs)),
    bias: normals(random, outputs, 0.5),
  };
}

/** A drift that pulls each place back to the middle, were it not for the rest. */
function drawDrift(random: Generator, latent: number): Layer {
  const { weights, bias } = layer(random, [latent, latent], 1);
  const pulled = weights.map((w, at) => at % (latent + 1) === 0 ? w - 1 : w);
  return { weights: pulled, bias };
}

function drawStarts(random: Generator, latent: number): Array<Start> {
  return Array.from({ length: integerIn(random, 1, 10) }, () => ({
    centre: place(random, latent, 0.5),
    spread: exponentialOf(random, 0.1),
  }));
}

/**
 * A ball that none of `away` is in or near. Starts are in the inner half of the
 * box, so there is always room.
 */
function drawBall(
  random: Generator,
  latent: number,
  { radii, away }: {
    readonly radii: readonly [number, number];
    readonly away: ReadonlyArray<ReadonlyArray<number>>;
  },
): Omit<Ball, "pays"> {
  // Distances grow with the root of the dimension.
  const unit = Math.sqrt(latent);
  const radius = unit * between(random, ...radii);
  for (;;) {
    const centre = place(random, latent, 0.9);
    const room = (radius + 0.1 * unit) ** 2;
    if (away.every((other) => apart(centre, other) > room)) {
      return { centre, radius };
    }
  }
}

function drawPath(random: Generator, latent: number): Path {
  const waves = () =>
    Array.from(
      { length: WAVES },
      (_, k) => normals(random, latent, 0.5 / (k + 1)),
    );
  return {
    period: between(random, 100, 1000),
    sine: waves(),
    cosine: waves(),
    height: between(random, 0.2, 1),
    width: Math.sqrt(latent) * between(random, 0.2, 0.5),
  };
}

function drawField(random: Generator, latent: number): Field {
  return {
    inner: layer(random, [FIELD_UNITS, latent], 2),
    outer: layer(random, [1, FIELD_UNITS], Math.SQRT2),
    factor: between(random, 0.5, 2),
  };
}

function drawAim(
  random: Generator,
  latent: number,
  mode: Aim["mode"],
  starts: ReadonlyArray<Start>,
): Aim {
  if (mode === "dynamic") return { mode, path: drawPath(random, latent) };
  if (mode === "universal") return { mode, field: drawField(random, latent) };
  const away = starts.map(({ centre }) => centre);
  const ball = drawBall(random, latent, { radii: [0.2, 0.4], away });
  return { mode, goal: { ...ball, pays: between(random, 1, 10) } };
}

function drawPitfalls(
  random: Generator,
  latent: number,
  away: ReadonlyArray<ReadonlyArray<number>>,
): Array<Ball> {
  if (uniform(random) >= 0.7) return [];
  return Array.from({ length: integerIn(random, 1, 150) }, () => ({
    ...drawBall(random, latent, { radii: [0.1, 0.3], away }),
    pays: -between(random, 0.5, 5),
  }));
}

function drawBumps(random: Generator, latent: number): Array<Bump> {
  if (uniform(random) >= 0.5) return [];
  return Array.from({ length: integerIn(random, 1, 5) }, () => ({
    centre: place(random, latent, 1),
    height: normal(random),
    width: Math.sqrt(latent) * between(random, 0.3, 1),
  }));
}

/** Draws a task; none is refused. */
export function sampleContinuous(
  random: Generator,
  params: Params,
): ContinuousTask {
  const [seen, done] = [num(params, "observation"), num(params, "action")];
  const horizon = num(params, "horizon") || integerIn(random, 100, 1000);
  const latent = num(params, "latent") || integerIn(random, 4, 16);
  const hidden = integerIn(random, Math.max(latent - 3, 3), latent + 1);
  // As uniform actions vary by a third, what they add up to varies by 1.
  const push = normals(random, latent * done, Math.sqrt(3 / done));
  const starts = drawStarts(random, latent);
  const mode = MODES.find((one) => one === params.mode) ??
    MODES[integer(random, MODES.length)]!;
  const aim = drawAim(random, latent, mode, starts);
  const away = starts.map(({ centre }) => centre);
  if (aim.mode === "static") away.push([...aim.goal.centre]);
  return {
    latent,
    seen,
    done,
    drift: drawDrift(random, latent),
    push,
    speed: Array.from({ length: latent }, () => between(random, 0.01, 0.05)),
    eyes: [
      layer(random, [hidden, latent], 1),
      layer(random, [seen, hidden], 1),
    ],
    starts,
    aim,
    pitfalls: drawPitfalls(random, latent, away),
    bumps: drawBumps(random, latent),
    constant: exponentialOf(random, 0.01) * integerIn(random, -2, 2),
    horizon,
  };
}
