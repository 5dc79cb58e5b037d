/**
 * What a task of the continuous AnyMDP is made of.
 *
 * @module
 */

/** The latent state stays within this of 0 in each place, or the episode ends. */
export const EDGE = 2;

/** weights [outputs, inputs] times what comes in, plus a bias: [outputs]. */
export interface Layer {
  readonly weights: ReadonlyArray<number>;
  readonly bias: ReadonlyArray<number>;
}

/** A place to start from, and how far about it. */
export interface Start {
  readonly centre: ReadonlyArray<number>;
  readonly spread: number;
}

/** Entering it ends the episode. */
export interface Ball {
  readonly centre: ReadonlyArray<number>;
  readonly radius: number;
  /** What entering it pays. */
  readonly pays: number;
}

/** A hill or a hollow: `height` at the centre, normal about it. */
export interface Bump {
  readonly centre: ReadonlyArray<number>;
  readonly height: number;
  readonly width: number;
}

/** A goal that swings: harmonics of `period` steps, [waves][latent]. */
export interface Path {
  readonly period: number;
  readonly sine: ReadonlyArray<ReadonlyArray<number>>;
  readonly cosine: ReadonlyArray<ReadonlyArray<number>>;
  /** What a step at the goal pays, and how far about it still pays. */
  readonly height: number;
  readonly width: number;
}

/** A random field: `factor` times what it is above 0.5. */
export interface Field {
  readonly inner: Layer;
  readonly outer: Layer;
  readonly factor: number;
}

/** What is to be done. */
export type Aim =
  | { readonly mode: "static"; readonly goal: Ball }
  | { readonly mode: "dynamic"; readonly path: Path }
  | { readonly mode: "universal"; readonly field: Field };

/** A task: how the latent state moves, how it is seen, what it pays. */
export interface ContinuousTask {
  readonly latent: number;
  /** Numbers of an observation, and of an action. */
  readonly seen: number;
  readonly done: number;
  /** W_s and b: [latent, latent] */
  readonly drift: Layer;
  /** W_a: [latent, done] */
  readonly push: ReadonlyArray<number>;
  /** w: [latent] */
  readonly speed: ReadonlyArray<number>;
  /** Hidden layer [hidden, latent], output layer [seen, hidden]. */
  readonly eyes: readonly [Layer, Layer];
  readonly starts: ReadonlyArray<Start>;
  readonly aim: Aim;
  readonly pitfalls: ReadonlyArray<Ball>;
  readonly bumps: ReadonlyArray<Bump>;
  /** What each step pays. */
  readonly constant: number;
  readonly horizon: number;
}

/** Where the world is; a moving goal goes by the clock. */
export interface ContinuousState {
  readonly x: ReadonlyArray<number>;
  readonly t: number;
}

/** What a layer makes of `x`, before any bending. */
export function through(
  { weights, bias }: Layer,
  x: ReadonlyArray<number>,
): Array<number> {
  const inputs = x.length;
  const out = new Array<number>(bias.length);
  for (let i = 0, at = 0; i < bias.length; i++) {
    let sum = bias[i]!;
    for (let j = 0; j < inputs; j++) sum += weights[at++]! * x[j]!;
    out[i] = sum;
  }
  return out;
}

/** The squared distance of two places. */
export function apart(
  a: ReadonlyArray<number>,
  b: ReadonlyArray<number>,
): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}
