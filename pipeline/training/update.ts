/**
 * `update`: trains an in-context learner on packed windows.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { UsageError } from "../errors.ts";
import { stageKey } from "../keyed.ts";
import { say } from "../progress.ts";
import { keeper } from "../stage.ts";
import { remakeRun } from "./remake.ts";
import { runUpdate, stageError } from "./trainer.ts";
import { flags } from "./update_flags.ts";

export const update = keeper({
  name: "update",
  summary: "Train an in-context learner on packed windows",
  details:
    `PACKS is a folder that pack wrote. A causal transformer reads, at each step, what is
seen and the action and reward before, and learns what to do: what was done (ad,
Algorithm Distillation), or labels at every position (dpt; omnirl, which learns the
next observation and reward too); or it is paid for it (pg, a clipped policy gradient
on packed advantages and logprobs; dqn, double DQN on rewards). Where packs have tags
the model reads them too. DIR then holds the last checkpoint, as safetensors and as
policy.onnx, and log.jsonl. A run that was stopped goes on from its last checkpoint by
the same command, to the same weights on the CPU.`,
  flags,
  operands: "PACKS",
  native: true,
  examples: [
    "retrial update packs --objective dpt --updates 2000 --out run",
    "retrial update packs --width 128 --layers 4 --heads 4 --batch 32 --rate 3e-4 --out run",
    "retrial update packs --from run --objective pg --updates 200 --rate 1e-4 --out better",
  ],
}, (options, operands) =>
  Effect.gen(function* () {
    const [folder] = operands;
    if (folder === undefined || operands.length > 1) {
      return yield* new UsageError({
        message: "Cannot update: one folder of packs expected",
      });
    }
    stageKey(options.seed, "update");
    const { out } = options;
    const { update, updates, size } = yield* Effect.tryPromise({
      try: () => runUpdate(folder, options),
      catch: stageError,
    });
    const rest = size === undefined
      ? ": there is nothing to do"
      : update < updates
      ? ` of ${updates}; the same command goes on`
      : `, ${size} weights`;
    say(`${out} is at update ${update}${rest}\n`);
  }), { remake: remakeRun });
