/**
 * Tasks sampled, shaped and accepted, and solved at the discounts that labels
 * are made for; and OmniRL's mixture on new tasks with a label at each step, in
 * memory; on one core.
 *
 * @module
 */
import { bandsOf } from "../../envs/anymdp/table.ts";
import type { AnyMdpTask } from "../../envs/anymdp/task.ts";
import { resolveParams } from "../../envs/params.ts";
import { findEnvironment } from "../../envs/registry.ts";
import { solutionsOf } from "../../envs/planning.ts";
import { omnirl } from "../../envs/policies/omnirl.ts";
import { drawTask, emptyRecord, playTrial } from "../../envs/rollout.ts";
import { linearScratch } from "../../kernels/solvers/elimination.ts";
import { solveDiscounts } from "../../kernels/solvers/policy_iteration.ts";
import { compare, report } from "./measure.ts";

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
