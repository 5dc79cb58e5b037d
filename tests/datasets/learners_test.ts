/** The recipes of learners: every command that they run, at a small size. */
import { equal, match, ok } from "node:assert/strict";
import { banditDpt } from "../../datasets/bandit-dpt/learner.ts";
import { darkroomAd } from "../../datasets/darkroom-ad/learner.ts";
import { frozenLakeIcrl } from "../../datasets/frozen-lake-icrl/learner.ts";
import type { Learner } from "../../datasets/learner.ts";
import { retrial, succeeded, withFolder } from "../shell.ts";

const MODEL = "--width 8 --layers 1 --heads 2";

/** Runs a recipe for two seeds; gives the table that it ends with. */
async function tableOf<Size>(
  folder: string,
  { steps, curve }: Learner<Size>,
  size: Size,
): Promise<string> {
  const where = ["--threads", "1"];
  const runs = [1, 2].map((seed) => ({
    size,
    folder: `out/${seed}`,
    seed,
    where,
  }));
  for (const run of runs) {
    for (const [why, words] of steps(run)) {
      match(why, /:$/);
      succeeded(await retrial(folder, words));
    }
  }
  const [last] = curve(runs.map((run) => run.folder), runs[0]!);
  return succeeded(await retrial(folder, last![1]));
}

for (const setting of ["fast", "published"] as const) {
  Deno.test(`darkroom-ad, ${setting}, goes from worlds to a curve`, () =>
    withFolder(async (folder) => {
      const small = { tasks: 40, episodes: 2, updates: 2, batch: 2, played: 2 };
      const size = { ...darkroomAd.sizes[setting], ...small, model: MODEL };
      const table = await tableOf(folder, darkroomAd, size);
      match(table, /up to +mean +each seed +curve/);
      equal(table.split("\n").filter((line) => /^ +\d/.test(line)).length, 2);
    }));

  Deno.test(`bandit-dpt, ${setting}, holds the learner against two others`, () =>
    withFolder(async (folder) => {
      const { thompson } = banditDpt.sizes[setting];
      const small = { arms: 3, horizon: 20, tasks: 8, updates: 2, batch: 2 };
      const size = {
        ...banditDpt.sizes[setting],
        ...small,
        thompson: Math.min(thompson, 4),
        played: 60,
        model: MODEL,
      };
      const table = await tableOf(folder, banditDpt, size);
      const regret = (who: string) =>
        Number(new RegExp(`${who} +(-?[\\d.]+)`).exec(table)![1]);
      // What learned nothing pulls at random, and loses to one that knows the prior.
      ok(regret("Thompson sampling") < regret("UCB1"));
      ok(regret("UCB1") < regret("the learner"));
    }));

  Deno.test(`frozen-lake-icrl, ${setting}, plays with the ramp and without`, () =>
    withFolder(async (folder) => {
      const small = { tasks: 4, episodes: 3, updates: 2, batch: 2, played: 2 };
      const size = { ...frozenLakeIcrl.sizes[setting], ...small, model: MODEL };
      const table = await tableOf(folder, frozenLakeIcrl, size);
      match(table, /forced +alone/);
    }));
}
