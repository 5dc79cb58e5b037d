/**
 * Tasks sampled, shaped and accepted, and solved at the discounts that labels
 * are made for; on one core.
 *
 * @module
 */
import { bandsOf } from "../../envs/anymdp/table.ts";
import type { AnyMdpTask } from "../../envs/anymdp/task.ts";
import { resolveParams } from "../../envs/params.ts";
import { findEnvironment } from "../../envs/registry.ts";
import { drawTask } from "../../envs/rollout.ts";
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
