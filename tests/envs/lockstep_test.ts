/** Trials played in step are the trials of the rollout. */
import { deepEqual, equal } from "node:assert/strict";
import type { Environment } from "../../envs/env.ts";
import { frozenLake } from "../../envs/frozen_lake.ts";
import { sitDown } from "../../envs/lockstep.ts";
import { resolveParams } from "../../envs/params.ts";
import { environments } from "../../envs/registry.ts";
import { drawTask, emptyRecord, playTrial } from "../../envs/rollout.ts";
import type { TrialRecord } from "../../envs/rollout.ts";
import { generator, integer } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";

/** What rows are printed from. */
function columnsOf(env: Environment, record: TrialRecord) {
  const { episodes, ends, vectors, values, codes, solvable } = record;
  const steps = ends[episodes - 1]!;
  const seen = Array.from(codes.subarray(0, steps + episodes), (code, i) => {
    if (values) return values[i];
    if (!vectors) return code;
    const { width, values: all } = vectors;
    return Array.from(all.subarray(code * width, (code + 1) * width));
  });
  return {
    env: env.name,
    episodes,
    ends: [...ends.subarray(0, episodes)],
    flags: [...record.flags.subarray(0, episodes)],
    actions: [...record.actions.subarray(0, steps)],
    rewards: [...record.rewards.subarray(0, steps)],
    valid: record.valid && [...record.valid.subarray(0, steps)],
    seen,
    solvable,
  };
}

/** A world in which action 0 is no legal one, and that has no table. */
const { table: _table, ...plain } = frozenLake;
const strict: Environment = {
  ...plain,
  name: "strict lake",
  step: (task, state, action, random) => ({
    ...frozenLake.step(task, state, action, random),
    valid: action !== 0,
  }),
};

for (const env of [...environments, strict]) {
  Deno.test(`${env.name} is played in step as it is alone`, () => {
    const { task } = drawTask(env, resolveParams(env.params, {}), "3");
    const count = env.actions(task);
    if (typeof count !== "number") return;
    const episodes = 3;
    const choices = generator(rootKey("9"));
    const chosen: Array<number> = [];
    const policy = {
      name: "any",
      summary: "",
      params: {},
      start: () => ({
        act: () => {
          chosen.push(integer(choices, count));
          return chosen.at(-1)!;
        },
      }),
    };
    const record = emptyRecord();
    const seat = { env, task, seed: "5", episodes };
    playTrial({ ...seat, policy, params: {}, stopOnSuccess: false }, record);
    const playing = sitDown(seat);
    equal(playing.before.action, undefined);
    for (const action of chosen) {
      equal(playing.isOver, false);
      playing.take(action);
      equal(playing.before.action, action);
    }
    equal(playing.isOver, true);
    deepEqual(columnsOf(env, playing.record), columnsOf(env, record));
  });
}
