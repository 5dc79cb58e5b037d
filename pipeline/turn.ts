/**
 * Giving the event loop its turn: a signal is heard only there, and rows are
 * made in long runs without one.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import type { StageError } from "./errors.ts";
import { attempt } from "./jsonl.ts";

const INTERVAL_MS = 50;
let last = performance.now();

/** Waits for a timer, if none was waited for lately; an immediate does not do. */
const takeTurns: Effect.Effect<void> = Effect.suspend(() => {
  const now = performance.now();
  if (now - last < INTERVAL_MS) return Effect.void;
  last = now;
  return Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 0)));
});

/** {@linkcode attempt} for work that is done again and again in a long run. */
export function takingTurns<A>(
  what: string,
  run: () => A,
): Effect.Effect<A, StageError> {
  return Effect.flatMap(takeTurns, () => attempt(what, run));
}
