/**
 * What can be done in a step: one of some integers, or a vector out of a box.
 *
 * @module
 */
import {
  type Generator,
  integer,
  uniform,
} from "../kernels/random/generator.ts";

/** An integer, or a vector where actions are vectors. */
export type Action = number | ReadonlyArray<number>;

/** Vectors of `shape[0]` numbers, each from `low` to `high`. */
export interface Box {
  readonly kind: "box";
  readonly low: number;
  readonly high: number;
  readonly shape: readonly [number];
}

/** The integers below a number, or the vectors of a box. */
export type Actions = number | Box;

/** How many actions there are; 0 where they are vectors. */
export function actionCount(actions: Actions): number {
  return typeof actions === "number" ? actions : 0;
}

/** The box that actions are out of, where they are vectors. */
export function boxOf(actions: Actions): Box | undefined {
  return typeof actions === "number" ? undefined : actions;
}

function isVectorOf({ low, high, shape }: Box, value: unknown): boolean {
  return Array.isArray(value) && value.length === shape[0] &&
    value.every((x) => typeof x === "number" && x >= low && x <= high);
}

/** Whether a value, from wherever it came, is one of the actions. */
export function isAction(actions: Actions, value: unknown): value is Action {
  if (typeof actions !== "number") return isVectorOf(actions, value);
  return Number.isInteger(value) && (value as number) >= 0 &&
    (value as number) < actions;
}

/** The actions in words, as in "7 is not one of 5". */
export function actionsInWords(actions: Actions): string {
  if (typeof actions === "number") return `one of ${actions}`;
  const { low, high, shape } = actions;
  return `a vector of ${shape[0]} from ${low} to ${high}`;
}

/**
 * A vector to six decimals, within its box: what is done is then exactly what a
 * row says, in few digits, and is done again when the row is played again.
 *
 * @example
 * ```ts
 * import { deepEqual } from "node:assert/strict";
 *
 * const box = { kind: "box", low: -1, high: 1, shape: [2] } as const;
 * deepEqual(roundAction(box, [0.12345678, -1e-9]), [0.123457, 0]);
 * ```
 */
export function roundAction(
  { low, high }: Box,
  action: ReadonlyArray<number>,
): ReadonlyArray<number> {
  return action.map((x) => {
    // Adding 0 makes of -0, which JSON readers tell from 0, a plain 0.
    const rounded = Math.round(x * 1e6) / 1e6 + 0;
    // A bound of more decimals stays as it is.
    return rounded < low ? low : rounded > high ? high : rounded;
  });
}

/** A uniform action. */
export function drawAction(actions: Actions, random: Generator): Action {
  if (typeof actions === "number") return integer(random, actions);
  const { low, high, shape } = actions;
  return Array.from(
    { length: shape[0] },
    () => low + (high - low) * uniform(random),
  );
}
