/**
 * Tasks sampled, shaped and accepted, and solved at the discounts that labels
 * are made for; steps alone; and OmniRL's mixture on new tasks with a label at
 * each step, in memory and to JSONL on disk; on one core.
 *
 * @module
 */
import { bandsOf } from "../../envs/anymdp/table.ts";
import type { AnyMdpTask } from "../../envs/anymdp/task.ts";
import { resolveParams } from "../../envs/params.ts";
import { findEnvironment } from "../../envs/registry.ts";
import { solutionsOf } from "../../envs/planning.ts";
import { omnirl } from "../../envs/policies/omnirl.ts";
import { drawOutcome, outcomesOf } from "../../envs/outcomes.ts";
import { randomPolicy } from "../../envs/policies/random.ts";
import { drawTask, emptyRecord, playTrial } from "../../envs/rollout.ts";
import { normal } from "../../kernels/random/distributions.ts";
import { generator, integer } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { linearScratch } from "../../kernels/solvers/elimination.ts";
import { solveDiscounts } from "../../kernels/solvers/policy_iteration.ts";
import { command, compare, report } from "./measure.ts";

const env = findEnvironment("anymdp")!;
const DISCOUNTS = [0, 0.5, 0.93, 0.994];

for (const [states, work] of [[16, 500], [64, 200], [128, 100]] as const) {
  const params = resolveParams(env.params, { states });
  let seed = 0;
  // The tasks are other ones in each run: some take many times as long.
  const draw = () => drawTask(env, params, String(seed++)).task as AnyMdpTask;
  const tasks = Array.from({ length: work }, draw);
  const scratch = linearScratch(states);
  report(
    await compare(`anymdp ${states}x5`, { work, unit: "tasks/s" }, [
      {
        name: "accepted",
        run: () => {
          for (let i = 0; i < work; i++) draw();
        },
      },
      {
        name: "solved at 4 discounts",
        run: () => {
          for (const task of tasks) {
            solveDiscounts(bandsOf(task), DISCOUNTS, scratch);
          }
        },
      },
      {
        name: "made a table",
        run: () => {
          for (const task of tasks) env.table!({ ...task });
        },
      },
    ]),
  );
}

/** About this many steps on each new task. */
const STEPS = 12_000;
const record = emptyRecord();

/** Best actions at a discount of 0.994, by what is seen. */
function labelsOf(task: AnyMdpTask): Int32Array {
  const { policy } = solutionsOf(env.table!(task), [0.994])[0]!;
  const labels = new Int32Array(task.states);
  task.mapping.forEach((id, s) => labels[id] = policy[s]!);
  return labels;
}

/** Plays a new task with a label at each step; gives the steps. */
function play(states: number, planning: string, seed: string): number {
  const params = resolveParams(env.params, { states });
  const task = drawTask(env, params, seed).task as AnyMdpTask;
  const labels = labelsOf(task);
  const column = new Int32Array(2 * STEPS);
  let steps = 0;
  for (let i = 0; steps < STEPS; i++) {
    playTrial({
      env,
      task,
      policy: omnirl,
      params: resolveParams(omnirl.params, { planning }),
      episodes: Math.ceil((STEPS - steps) / env.horizon(task)),
      stopOnSuccess: false,
      seed: `${i}`,
    }, record);
    const own = record.ends[record.episodes - 1]!;
    const seen = own + record.episodes;
    for (let k = 0; k < seen; k++) column[k] = labels[record.codes[k]!]!;
    steps += own;
  }
  return steps;
}

for (const states of [16, 64, 128]) {
  const seeds = Array.from({ length: 20 }, (_, i) => String(i));
  const count = (planning: string) => () =>
    seeds.reduce((sum, seed) => sum + play(states, planning, seed), 0);
  const work = count("all")() / 1e6;
  report(
    await compare(`omnirl on new ${states}x5`, { work, unit: "M steps/s" }, [
      { name: "all plan", run: () => void count("all")() },
      { name: "the active plans", run: () => void count("active")() },
    ]),
  );
}

/** Uniform play without a record, episode after episode. */
function walk(states: number, steps: number, noisy: boolean): number {
  const params = resolveParams(env.params, { states });
  const table = env.table!(drawTask(env, params, "1").task);
  const outcomes = outcomesOf(table);
  const { actions, next, reward, terminal, starts } = table;
  const deviations = table.rewardDeviations!;
  const random = generator(rootKey(1));
  let [state, paid] = [starts[0]!, 0];
  for (let i = 0; i < steps; i++) {
    const row = state * actions + integer(random, actions);
    const k = drawOutcome(outcomes, row, random);
    paid += reward[k]!;
    if (noisy && deviations[k]! > 0) paid += deviations[k]! * normal(random);
    state = terminal[k] ? starts[0]! : next[k]!;
  }
  return paid;
}

/** Uniform play as it is recorded, noise and all. */
function recorded(states: number, episodes: number): number {
  const params = resolveParams(env.params, { states });
  const { task } = drawTask(env, params, "1");
  const policy = randomPolicy;
  const play = {
    env,
    task,
    policy,
    params: {},
    episodes,
    stopOnSuccess: false,
  };
  playTrial({ ...play, seed: "1" }, record);
  return record.ends[episodes - 1]!;
}

for (const states of [16, 64, 128]) {
  // As many steps in all three.
  const episodes = Math.ceil(5e9 / recorded(states, 1000));
  const steps = recorded(states, episodes);
  const work = steps / 1e6;
  report(
    await compare(`stepping alone ${states}x5`, { work, unit: "M steps/s" }, [
      { name: "mean rewards", run: () => void walk(states, steps, false) },
      { name: "noisy rewards", run: () => void walk(states, steps, true) },
      { name: "recorded", run: () => void recorded(states, episodes) },
    ]),
  );
}

const FOLDER = Deno.makeTempDirSync({ prefix: "retrial-bench-" });
let seed = 0;

/** New tasks in each run, labelled, hashed and fsynced. */
function toDisk(states: number, tasks: number, planning: string) {
  return () =>
    command(
      `generate --env anymdp --param states=${states} --tasks ${tasks} ` +
        `--steps ${STEPS} --policy omnirl --policy-param planning=${planning} ` +
        `--seed ${seed++} --shards 1 then label --reference oracle ` +
        `--overwrite --out ${FOLDER}/out`,
    )();
}

for (const [states, tasks] of [[16, 100], [64, 50], [128, 30]] as const) {
  await toDisk(states, tasks, "all")();
  const { totals } = JSON.parse(
    Deno.readTextFileSync(`${FOLDER}/out/manifest.json`),
  );
  const work = totals.steps / 1e6;
  report(
    await compare(`to disk, new ${states}x5`, { work, unit: "M steps/s" }, [
      { name: "all plan", run: toDisk(states, tasks, "all") },
      { name: "the active plans", run: toDisk(states, tasks, "active") },
    ]),
  );
}
Deno.removeSync(FOLDER, { recursive: true });
