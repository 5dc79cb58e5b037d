/** Expected returns that `label --baselines` writes, and the scores of them. */
import { equal, match, ok } from "node:assert/strict";
import { resolveParams } from "../../../envs/params.ts";
import { findEnvironment } from "../../../envs/registry.ts";
import { drawTask } from "../../../envs/rollout.ts";
import type { Trial } from "../../../pipeline/schema.ts";
import { label } from "../../../pipeline/transforms/label.ts";
import { bash, withFolder } from "../../shell.ts";
import { apply, failure, lines } from "../trials.ts";

/** A trial on a task of seed 7, in which nothing need have happened. */
function trialOn(env: string, param: object): Trial {
  const { version, params } = findEnvironment(env)!;
  const given = resolveParams(params, { ...param });
  return {
    schema: "retrial/trial@1",
    id: "a/0",
    task: { id: "a", env, version, seed: "7", params: given },
    sample: 0,
    policy: { name: "mine", params: {} },
    episodes: [{
      observations: [0, 0],
      actions: [1],
      rewards: [0.25],
      terminated: false,
      truncated: true,
    }],
  };
}

const bandit = trialOn("bandit-gaussian", { arms: 4, horizon: 20 });

Deno.test("a bandit's baselines are its mean arm and its best, pull by pull", async () => {
  const made = await apply(label, { baselines: true }, lines([bandit]));
  const { baselines } = JSON.parse(made) as Trial;
  const env = findEnvironment("bandit-gaussian")!;
  const { task } = drawTask(env, bandit.task.params, "7");
  const { means } = task as { readonly means: ReadonlyArray<number> };
  const mean = means.reduce((a, b) => a + b, 0) / means.length;
  ok(Math.abs(baselines!.random! - 20 * mean) < 1e-8);
  ok(Math.abs(baselines!.optimal! - 20 * Math.max(...means)) < 1e-8);
});

Deno.test("baselines are written anew in their place, or behind all else", async () => {
  const plain = await apply(label, {}, lines([bandit]));
  const made = await apply(label, { baselines: true }, plain);
  match(made, /,"baselines":\{"random":[^}]*\}\}\n$/);
  equal(made.replace(/,"baselines":\{[^}]*\}/, ""), plain);
  equal(await apply(label, { baselines: true }, made), made);
  const [field] = made.match(/"baselines":\{[^}]*\}/)!;
  const before = plain.replace('"episodes"', '"baselines":{}, "episodes"');
  equal(
    await apply(label, { baselines: true }, before),
    plain.replace('"episodes"', `${field}, "episodes"`),
  );
});

Deno.test("what is not a finite MDP has no exact baselines", async () => {
  const pole = trialOn("bandit-drift", { horizon: 1 });
  const options = { baselines: true };
  const { message } = await failure(apply(label, options, lines([pole])));
  match(message, /bandit-drift, which is not a finite MDP/);
});

Deno.test("query scores returns from uniform play to the best baseline", async () => {
  await withFolder(async (folder) => {
    const baselines = { random: -1, "oracle@0.5": 1, optimal: 4 };
    const equalOnes = { random: 2, optimal: 2 };
    await Deno.writeTextFile(
      `${folder}/t.jsonl`,
      lines([
        { ...bandit, baselines },
        { ...bandit, baselines: equalOnes },
        bandit,
      ]),
    );
    const { out } = await bash(
      folder,
      `retrial query 'select score from episodes' t.jsonl`,
    );
    equal(out, '{"score":0.25}\n{"score":null}\n{"score":null}\n');
  });
});
