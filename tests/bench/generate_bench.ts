/**
 * Steps to JSONL on disk, hashed and fsynced, against the plain way: the same
 * environment through its own `step`, an object a row, `JSON.stringify`.
 *
 * @module
 */
import * as fs from "node:fs";
import { foldIn, rootKey, seedOf } from "../../kernels/random/key.ts";
import { generator, integer } from "../../kernels/random/generator.ts";
import { actionCount } from "../../envs/actions.ts";
import type { Environment } from "../../envs/env.ts";
import { drawTask } from "../../envs/rollout.ts";
import { resolveParams } from "../../envs/params.ts";
import { findEnvironment } from "../../envs/registry.ts";
import { command, compare, report } from "./measure.ts";

const FOLDER = Deno.makeTempDirSync({ prefix: "retrial-bench-" });

interface World {
  readonly env: string;
  readonly params: { readonly [name: string]: string };
  readonly tasks: number;
  readonly episodes: number;
  readonly steps: number;
}

function plainEpisode(env: Environment, task: unknown, key: string) {
  const starts = generator(foldIn(rootKey(key), "starts"));
  const random = generator(foldIn(rootKey(key), "policy"));
  let { state, observation } = env.reset(task, starts);
  const observations = [observation];
  const actions: Array<number> = [];
  const rewards: Array<number> = [];
  let terminated = false;
  while (!terminated && actions.length < env.horizon(task)) {
    const action = integer(random, actionCount(env.actions(task)));
    const moved = env.step(task, state, action, random);
    ({ state, observation, terminated } = moved);
    observations.push(observation);
    actions.push(action);
    rewards.push(moved.reward);
  }
  return { observations, actions, rewards, terminated, truncated: !terminated };
}

function plain({ env: name, params: given, tasks, episodes }: World): void {
  const env = findEnvironment(name)!;
  const params = resolveParams(env.params, given);
  const fd = fs.openSync(`${FOLDER}/plain.jsonl`, "w");
  for (let i = 0; i < tasks; i++) {
    const seed = seedOf(foldIn(rootKey("7"), "task", i));
    const { task } = drawTask(env, params, seed);
    const row = {
      task: { env: name, seed, params },
      episodes: Array.from(
        { length: episodes },
        (_, e) => plainEpisode(env, task, `${i * episodes + e}`),
      ),
    };
    fs.writeSync(fd, JSON.stringify(row) + "\n");
  }
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

async function bench(world: World, policies: ReadonlyArray<string>) {
  const params = Object.entries(world.params)
    .map(([name, value]) => `--param ${name}=${value}`).join(" ");
  const ours = (policy: string) =>
    command(
      `generate --env ${world.env} ${params} --tasks ${world.tasks} --episodes ${world.episodes} --policy ${policy} --seed 7 --shards 1 --overwrite --out ${FOLDER}/out`
        .replaceAll(/ +/g, " "),
    );
  const title = `generate ${world.env} ${params.replaceAll("--param ", "")}`;
  const unit = { work: world.steps / 1e6, unit: "M steps/s" };
  report(
    await compare(title.trim(), unit, [
      { name: "plain loop, random", run: () => plain(world) },
      ...policies.map((policy) => ({ name: policy, run: ours(policy) })),
    ]),
  );
}

await bench({
  env: "dark-room",
  params: {},
  tasks: 1000,
  episodes: 100,
  steps: 2e6,
}, ["random", "q-learning", "optimal"]);
await bench({
  env: "dark-room",
  params: {},
  tasks: 10000,
  episodes: 10,
  steps: 2e6,
}, ["random"]);
await bench({
  env: "tabular-mdp",
  params: { "states": "64", "reward-sd": "0", "horizon": "100" },
  tasks: 20,
  episodes: 1000,
  steps: 2e6,
}, ["random", "q-learning"]);
Deno.removeSync(FOLDER, { recursive: true });
