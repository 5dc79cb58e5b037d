/**
 * Recipes as the commands that they are.
 *
 * @module
 */
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import { run } from "../mod.ts";
import { exitCode, isStageError } from "../pipeline/errors.ts";
import { say as tell } from "../pipeline/progress.ts";

/** What is said before a step, and its words. */
export type Step = readonly [why: string, words: ReadonlyArray<string>];

/** Writes on standard output. */
export function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

/** A word as it would be typed. */
function typed(word: string): string {
  const one = word.replaceAll(/\s+/g, " ");
  const quote = one.includes("'") ? '"' : "'";
  return /[^\w./=,:-]/.test(one) ? quote + one + quote : one;
}

/** Runs commands one after the other; the first that fails ends the program. */
export async function runSteps(steps: ReadonlyArray<Step>): Promise<void> {
  for (const [why, words] of steps) {
    say(`\n${why}\n  $ retrial ${words.map(typed).join(" ")}\n`);
    const exit = await Effect.runPromiseExit(run(words));
    if (Exit.isSuccess(exit)) continue;
    const error = Cause.squash(exit.cause);
    if (!isStageError(error)) throw error;
    tell(`retrial: ${error.message}\n`);
    Deno.exit(exitCode(error));
  }
}
