import { deepEqual, equal, ok } from "node:assert/strict";
import type { Environment } from "../../envs/env.ts";
import { resolveParams } from "../../envs/params.ts";
import { findEnvironment, findPolicy } from "../../envs/registry.ts";
import { drawTask, emptyRecord, playTrial } from "../../envs/rollout.ts";
import { blankTable, defineTabular } from "../../envs/tabular.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";

const cases = [
  ["key-to-door", {}],
  ["frozen-lake-gym", {}],
  ["frozen-lake", { slippery: true }],
  ["bandit-gaussian", { horizon: 50 }],
  ["tabular-mdp", {}],
  ["anymdp", {}],
] as const;

for (const [name, given] of cases) {
  Deno.test(`${name}: step() and the table draw the same trials`, () => {
    const env = findEnvironment(name)!;
    const params = resolveParams(env.params, given);
    const { table: _, ...bare } = env;
    const policy = findPolicy("q-learning")!;
    for (let seed = 0; seed < 5; seed++) {
      const { task } = drawTask(env, params, String(seed));
      const [fast, slow] = [env, bare as Environment].map((env) => {
        const record = emptyRecord();
        playTrial({
          env,
          task,
          policy,
          params: resolveParams(policy.params),
          episodes: 4,
          stopOnSuccess: false,
          seed: String(seed),
        }, record);
        const steps = record.ends[record.episodes - 1]!;
        return {
          ends: record.ends.slice(0, 4),
          flags: record.flags.slice(0, 4),
          codes: record.codes.slice(0, steps + 4),
          actions: record.actions.slice(0, steps),
          rewards: record.rewards.slice(0, steps),
        };
      });
      deepEqual(fast, slow);
    }
  });
}

Deno.test("defineTabular() shows indices, or what they stand for", () => {
  const two = (change: object) =>
    defineTabular({
      name: "two",
      version: 1,
      summary: "Two states",
      params: {},
      sampleTask: () => ({}),
      horizon: () => 1,
      table: () => ({ ...blankTable(2, 1, 1, [1]), ...change }),
    });
  const random = generator(rootKey(1));
  const shown = (env: Environment) => {
    const task = env.sampleTask(random, {});
    return [env.observations(task), env.reset(task, random).observation];
  };
  deepEqual(shown(two({})), [{ kind: "discrete", n: 2 }, 1]);
  const merged = { observation: Int32Array.of(0, 0), observationCount: 1 };
  deepEqual(shown(two(merged)), [{ kind: "discrete", n: 1 }, 0]);
  const vectors = { width: 1, values: Float64Array.of(0.5, 2) };
  deepEqual(shown(two({ vectors })), [{ kind: "box", shape: [1] }, [2]]);
  const both = { ...merged, vectors: { width: 1, values: Float64Array.of(7) } };
  deepEqual(shown(two(both)), [{ kind: "box", shape: [1] }, [7]]);
});

Deno.test("a table says how noisy each outcome is, and how likely each start", () => {
  const env = defineTabular({
    name: "two",
    version: 1,
    summary: "Two states, of which the second is noisy",
    params: {},
    sampleTask: () => ({}),
    horizon: () => 1,
    table: () => ({
      ...blankTable(2, 1, 1, [0, 1]),
      startProbability: Float64Array.of(0.2, 0.8),
      rewardDeviation: 5,
      rewardDeviations: Float64Array.of(0, 2),
    }),
  });
  const random = generator(rootKey(3));
  const task = env.sampleTask(random, {});
  equal(env.step(task, 0, 0, random).reward, 0);
  let [square, seconds] = [0, 0];
  for (let i = 0; i < 10_000; i++) {
    square += env.step(task, 1, 0, random).reward ** 2 / 10_000;
    seconds += env.reset(task, random).state as number;
  }
  ok(Math.abs(square - 4) < 0.3);
  ok(Math.abs(seconds - 8000) < 200);
});

Deno.test("defineTabular() starts anywhere that the table says", () => {
  const env = findEnvironment("key-to-door")!;
  const params = resolveParams(env.params, { size: 3 });
  const { task } = drawTask(env, params, "1");
  const random = generator(rootKey(2));
  const seen = new Set<unknown>();
  for (let i = 0; i < 200; i++) seen.add(env.reset(task, random).state);
  deepEqual([...seen].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
});
