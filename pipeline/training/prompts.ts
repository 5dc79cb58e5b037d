/**
 * What a model is shown before it plays: the episodes of trials on the same task.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import type { Observation } from "../../envs/env.ts";
import { TERMINATED, TRUNCATED } from "../../envs/rollout.ts";
import { DataError, type StageError } from "../errors.ts";
import { expandInputs, readFiles } from "../files.ts";
import { attempt, parseRow } from "../jsonl.ts";
import { forEachRow } from "../lines.ts";
import type { Prompt } from "../playing/player.ts";
import { Malformed, rowIndex } from "../scan.ts";
import type { Trial } from "../schema.ts";
import type { SetTask } from "./task_sets.ts";

/** A prompt, and what rows call it. */
export interface NamedPrompt {
  readonly name: string;
  readonly prompt: Prompt;
}

/** The prompt for a task; a DataError if it has none. */
export type Prompts = (task: SetTask) => NamedPrompt;

interface Growing {
  readonly ids: Array<string>;
  readonly observations: Array<Observation>;
  readonly actions: Array<number>;
  readonly rewards: Array<number>;
  readonly ends: Array<number>;
}

/** Adds the steps of a trial: an episode's last observation leads to none. */
function add(to: Growing, { id, episodes }: Trial): void {
  to.ids.push(id);
  episodes.forEach(({ observations, actions, rewards, terminated }, e) => {
    actions.forEach((action, t) => {
      const seen = observations[t]!;
      const isSeen = typeof seen === "number" ||
        (Array.isArray(seen) && seen.every((x) => typeof x === "number"));
      if (!isSeen) {
        throw new Malformed(
          `episodes[${e}].observations[${t}] is ${
            JSON.stringify(seen)
          }, not a number or a vector`,
        );
      }
      if (!Number.isInteger(action) || Number(action) < 0) {
        throw new Malformed(
          `episodes[${e}].actions[${t}] is ${
            JSON.stringify(action)
          }, not an action`,
        );
      }
      to.observations.push(seen);
      to.actions.push(action as number);
      to.rewards.push(rewards[t]!);
      const how = terminated ? TERMINATED : TRUNCATED;
      to.ends.push(t === actions.length - 1 ? how : 0);
    });
  });
}

/** Prompts out of rows: all trials on a task, in the order in which they come. */
export const promptsOf = Effect.fnUntraced(function* (
  name: string,
): Effect.fn.Return<Prompts, StageError> {
  const files = yield* expandInputs([name]);
  const row = rowIndex();
  const found = new Map<string, Growing>();
  yield* Stream.runForEach(
    readFiles(files),
    (batch) =>
      attempt("read prompts", () => {
        forEachRow(batch, row, () => {
          const trial = parseRow(row);
          const own = found.get(trial.task.id) ??
            { ids: [], observations: [], actions: [], rewards: [], ends: [] };
          found.set(trial.task.id, own);
          add(own, trial);
        });
        batch.release?.();
      }),
  );
  return ({ row: { id } }) => {
    const own = found.get(id);
    if (own !== undefined) return { name: own.ids.join(","), prompt: own };
    throw new DataError({
      message: `Cannot evaluate: ${name} holds no trial on task ${id}`,
    });
  };
});
