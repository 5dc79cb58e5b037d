/** Datasets that a model plays: `generate --policy onnx:DIR`. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import * as fs from "node:fs";
import { succeeded, withFolder } from "../shell.ts";
import {
  checkReplay,
  columnOf,
  constantWeights,
  logSoftmax,
  modelOf,
  near,
  randomWeights,
  run,
  saidOf,
  trialsOf,
  writeModel,
} from "./models.ts";

const LAKES =
  "generate --env frozen-lake --param horizon=9 --tasks 11 --samples 3 --episodes 4 --seed 8";

/** All rows of a dataset, shard by shard. */
function rowsIn(folder: string): string {
  const data = `${folder}/data`;
  return fs.readdirSync(data).sort().map((name) =>
    fs.readFileSync(`${data}/${name}`, "utf8")
  ).join("");
}

Deno.test("a model's rows are the same however they are dealt out", () =>
  withFolder(async (folder) => {
    const config = modelOf(25, 4, { layers: 2, width: 12 });
    writeModel(`${folder}/r`, config, randomWeights(config));
    const text = `${LAKES} --policy onnx:r`;
    const rows = succeeded(await run(folder, text));
    equal(trialsOf(rows).length, 33);
    for (const more of ["--parallel 1", "--parallel 7 --jobs 2"]) {
      equal(succeeded(await run(folder, `${text} ${more}`)), rows);
    }
    for (const shards of [1, 3, 11]) {
      const out = `d${shards}`;
      const more = `--shards ${shards} --parallel 5 --out ${out}`;
      succeeded(await run(folder, `${text} ${more}`));
      equal(fs.readdirSync(`${folder}/${out}/data`).length, shards);
      equal(rowsIn(`${folder}/${out}`), rows);
    }
    const plain = succeeded(await run(folder, LAKES));
    deepEqual(
      trialsOf(rows).map(({ id, task, seed }) => [id, task, seed]),
      trialsOf(plain).map(({ id, task, seed }) => [id, task, seed]),
    );
  }));

Deno.test("a model's dataset is verified, replayed and explained from anywhere", () =>
  withFolder(async (folder) => {
    const config = modelOf(25, 4);
    writeModel(`${folder}/r`, config, randomWeights(config));
    const more = "--policy-param temperature=0.5 --policy-param logprobs=true";
    const text = `${LAKES} --policy onnx:r ${more}`;
    succeeded(await run(folder, `${text} --out d --shards 2`));
    const { recipe, totals } = JSON.parse(
      fs.readFileSync(`${folder}/d/manifest.json`, "utf8"),
    );
    deepEqual(recipe.inputs.map(({ file }: { file: string }) => file), [
      "../r/checkpoint-000007/config.json",
      "../r/checkpoint-000007/model.safetensors",
    ]);
    equal(totals.tasks, 11);
    ok(totals.draws > 11);
    const elsewhere = `${folder}/elsewhere`;
    fs.mkdirSync(elsewhere);
    succeeded(await run(elsewhere, "verify ../d"));
    const replayed = await run(elsewhere, "replay ../d");
    match(replayed.err, /2 of 2 parts come out the same/);
    match(
      succeeded(await run(elsewhere, "explain ../d")),
      /nothing has changed since/,
    );
    match(
      succeeded(
        await run(folder, `explain d -- ${text} --shards 2 --parallel 3`),
      ),
      /makes this dataset/,
    );
    const again = await run(folder, `${text} --out d --shards 2 --parallel 3`);
    match(again.err, /d holds 33 trials/);
    writeModel(`${folder}/r`, config, randomWeights(config, "2"));
    const changed = await run(elsewhere, "replay ../d");
    equal(changed.code, 65);
    match(changed.err, /model.safetensors has changed/);
  }));

Deno.test("a model that generates acts as its logits say", () =>
  withFolder(async (folder) => {
    const config = modelOf(25, 4, { layers: 2 });
    const weights = randomWeights(config);
    writeModel(`${folder}/r`, config, weights);
    const trials = trialsOf(succeeded(
      await run(
        folder,
        `${LAKES} --policy onnx:r/checkpoint-000007/config.json --policy-param temperature=0.5 --policy-param logprobs=true`,
      ),
    ));
    for (const trial of trials.slice(0, 9)) {
      deepEqual(trial.policy, {
        name: "onnx",
        params: { run: "r", checkpoint: "checkpoint-000007", temperature: 0.5 },
      });
      const said = await saidOf(config, weights, trial.episodes);
      const logprobs = columnOf(trial, "logprobs");
      columnOf(trial, "actions").forEach((action, i) =>
        near(logprobs[i]!, logSoftmax(said[i]!, 0.5, action), 2e-5)
      );
    }
    await checkReplay(folder, trials);
  }));

Deno.test("a model stops with its first success, or when it had its steps", () =>
  withFolder(async (folder) => {
    const config = modelOf(1, 3, { outputs: ["q"] });
    writeModel(`${folder}/r`, config, constantWeights(config, [0, 1, 0]));
    const arms = "--env bandit-bernoulli --param arms=3 --param horizon=4";
    const generate = async (more: string) =>
      trialsOf(succeeded(
        await run(folder, `generate ${arms} --tasks 5 --policy onnx:r ${more}`),
      ));
    for (const trial of await generate("--steps 9")) {
      equal(trial.episodes.length, 3);
      equal(trial.policy.params.temperature, 0);
      deepEqual(new Set(columnOf(trial, "actions")), new Set([1]));
    }
    const lake = modelOf(25, 4);
    writeModel(`${folder}/l`, lake, constantWeights(lake, [0, 0, 0, 0]));
    const stopped = trialsOf(succeeded(
      await run(
        folder,
        "generate --env frozen-lake --tasks 20 --episodes 30 --stop-on-success --policy onnx:l",
      ),
    ));
    let wins = 0;
    for (const { episodes } of stopped) {
      episodes.forEach(({ success }, e) => {
        if (success) equal(e, episodes.length - 1);
        if (success) wins++;
      });
      ok(episodes.at(-1)!.success || episodes.length === 30);
    }
    ok(wins > 0 && stopped.some(({ episodes }) => episodes.length > 1));
  }));

Deno.test("generate says what is wrong with a model", () =>
  withFolder(async (folder) => {
    const say = async (text: string) => {
      const { code, err } = await run(folder, `${LAKES} --policy ${text}`);
      return `${code} ${err}`;
    };
    match(
      await say("onnx:nowhere"),
      /^65 .*nowhere\/config.json: is not there/,
    );
    const config = modelOf(9, 4);
    writeModel(`${folder}/r`, config, randomWeights(config));
    match(
      await say("onnx:r --policy-param heat=3"),
      /^2 .*policy onnx: Cannot set heat/,
    );
    match(
      await say("onnx:r"),
      /^65 .*frozen-lake: it has 25 observations, and the model knows 9; .*--observations 25/,
    );
    match(await say("onnx:r --policy-param tag=0"), /^65 .*knows no tags/);
    fs.writeFileSync(
      `${folder}/pond.ts`,
      `import { frozenLake } from "${new URL(
        "../../envs/frozen_lake.ts",
        import.meta.url,
      )}";
      export default { ...frozenLake, name: "pond", step: () => { throw new Error("ice"); } };`,
    );
    writeModel(`${folder}/other`, modelOf(25, 4), randomWeights(config));
    match(
      await say("onnx:other"),
      /^65 .*other\/checkpoint-000007\/model.safetensors: embed.observation holds 160 numbers, and config.json beside it asks for 416/,
    );
    fs.writeFileSync(`${folder}/other/checkpoint-000007/config.json`, "{");
    match(await say("onnx:other"), /^65 .*config.json: /);
    const large = modelOf(25, 4);
    writeModel(`${folder}/large`, large, randomWeights(large));
    const pond = await run(
      folder,
      "generate --env ./pond.ts --tasks 2 --policy onnx:large",
    );
    equal(pond.code, 65);
    match(pond.err, /Cannot play pond: it threw ice/);
  }));
