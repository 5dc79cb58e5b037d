/**
 * Turns of the event loop: signals and messages are heard only there, and work on
 * one batch after another may never come back to it.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import type { StageError } from "./errors.ts";
import { attempt } from "./jsonl.ts";

const OFTEN_ENOUGH_MS = 40;

let last = performance.now();

/**
 * Gives the event loop a turn if it had none for a while. It takes a timer:
 * immediates, which `Effect.yieldNow` uses, are run many times before the host
 * looks for signals.
 */
const turn: Effect.Effect<void> = Effect.suspend(() => {
  if (performance.now() - last < OFTEN_ENOUGH_MS) return Effect.void;
  return Effect.callback<void>((resume) => {
    const timer = setTimeout(() => {
      last = performance.now();
      resume(Effect.void);
    }, 0);
    return Effect.sync(() => clearTimeout(timer));
  });
});

/** {@linkcode attempt} for work that is done again and again in a long run. */
export function takingTurns<A>(
  what: string,
  run: () => A,
): Effect.Effect<A, StageError> {
  return Effect.flatMap(turn, () => attempt(what, run));
}
