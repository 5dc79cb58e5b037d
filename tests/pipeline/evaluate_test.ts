/** Models of known policies at play: what they choose, and what rows say of it. */
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
  play,
  randomWeights,
  run,
  trialsOf,
  writeModel,
} from "./models.ts";

const ARMS = "--env bandit-bernoulli --param arms=3 --param horizon=10";

Deno.test("logprobs are those of the logits and the temperature", () =>
  withFolder(async (folder) => {
    const config = modelOf(1, 3);
    const logits = [0.3, -1.2, 0.9];
    writeModel(`${folder}/r`, config, constantWeights(config, logits));
    const text = `r ${ARMS} --tasks 20 --episodes 4 --logprobs`;
    const trials = await play(folder, `${text} --temperature 0.5`);
    equal(trials.length, 20);
    const counts = [0, 0, 0];
    for (const trial of trials) {
      const logprobs = columnOf(trial, "logprobs");
      columnOf(trial, "actions").forEach((action, i) => {
        near(logprobs[i]!, logSoftmax(logits, 0.5, action));
        counts[action]!++;
      });
      deepEqual(trial.policy, {
        name: "onnx",
        params: { run: "r", checkpoint: "checkpoint-000007", temperature: 0.5 },
      });
    }
    counts.forEach((count, action) => {
      const p = Math.exp(logSoftmax(logits, 0.5, action));
      const sd = Math.sqrt(800 * p * (1 - p));
      ok(Math.abs(count - 800 * p) < 5 * sd, `${counts}`);
    });
    await checkReplay(folder, trials);
    const greedy = await play(folder, `${text} --temperature 0`);
    for (const trial of greedy) {
      deepEqual(new Set(columnOf(trial, "actions")), new Set([2]));
      deepEqual(new Set(columnOf(trial, "logprobs")), new Set([0]));
    }
    const plain = await play(folder, `r ${ARMS} --tasks 2 --episodes 1`);
    equal(plain[0]!.policy.params.temperature, 1);
    equal(plain[0]!.episodes[0]!.logprobs, undefined);
  }));

Deno.test("a model of Q-values alone is greedy, or Boltzmann's at a temperature", () =>
  withFolder(async (folder) => {
    const config = modelOf(1, 3, { outputs: ["q", "value"] });
    const values = [1.5, 2, -1];
    writeModel(`${folder}/r`, config, constantWeights(config, values));
    const text = `r ${ARMS} --tasks 10 --episodes 3 --logprobs`;
    for (const trial of await play(folder, text)) {
      equal(trial.policy.params.temperature, 0);
      deepEqual(new Set(columnOf(trial, "actions")), new Set([1]));
    }
    const warm = await play(folder, `${text} --temperature 2`);
    const actions = new Set<number>();
    for (const trial of warm) {
      const logprobs = columnOf(trial, "logprobs");
      columnOf(trial, "actions").forEach((action, i) => {
        near(logprobs[i]!, logSoftmax(values, 2, action));
        actions.add(action);
      });
    }
    equal(actions.size, 3);
    const mute = modelOf(1, 3, { outputs: ["value"] });
    writeModel(`${folder}/mute`, mute, randomWeights(mute));
    const ended = await run(folder, `evaluate mute ${text.slice(2)}`);
    equal(ended.code, 65);
    match(ended.err, /a model that says value: a head of actions or of Q-val/);
  }));

Deno.test("a trial is warmed up beside the same trial that is not", () =>
  withFolder(async (folder) => {
    const config = modelOf(25, 4);
    writeModel(`${folder}/r`, config, constantWeights(config, [-1, 0, 0, 5]));
    // Several starts each, so that those of two trials might well differ.
    const world =
      "--env frozen-lake --tasks 30 --param horizon=10 --param start=0.2";
    const text = `r ${world} --episodes 26 --temperature 0 --logprobs --seed 3`;
    const plain = await play(folder, text);
    const both = await play(folder, `${text} --warm-up 20 --parallel 7`);
    equal(both.length, 60);
    const [forced, free] = [0, 1].map((odd) =>
      both.filter((_, i) => i % 2 === odd)
    );
    deepEqual(
      free!.map(({ episodes }) => episodes),
      plain.map((t) => t.episodes),
    );
    // How often the model's own action was taken, by episode.
    const own = Array<number>(26).fill(0);
    forced!.forEach((trial, i) => {
      const other = free![i]!;
      deepEqual([trial.sample, other.sample], [0, 1]);
      equal(trial.id, `${trial.task.id}/0`);
      deepEqual([trial.task, trial.seed], [other.task, other.seed]);
      equal(trial.policy.params["warm-up"], 20);
      equal(other.policy.params["warm-up"], 0);
      trial.episodes.forEach(({ actions, logprobs, observations }, e) => {
        equal(observations[0], other.episodes[e]!.observations[0]);
        actions.forEach((action, t) => {
          if (action === 3) own[e]!++;
          if (logprobs![t] === 0) equal(action, 3);
          else near(logprobs![t]!, -Math.log(4));
        });
        if (e < 2) ok(logprobs!.every((x) => x !== 0));
        if (e >= 20) ok(logprobs!.every((x) => x === 0));
      });
    });
    for (let e = 0; e < 20; e += 2) {
      const p = e / 20 + (1 - e / 20) / 4;
      const n = forced!.reduce(
        (n, { episodes }) =>
          n + episodes[e]!.actions.length + episodes[e + 1]!.actions.length,
        0,
      );
      const off = own[e]! + own[e + 1]! - p * n;
      ok(
        Math.abs(off) < 5 * Math.sqrt(n * p * (1 - p)),
        `${e}: ${off} of ${n}`,
      );
    }
    await checkReplay(folder, both);
  }));

Deno.test("a model that sees vectors is shown vectors, and others are refused", () =>
  withFolder(async (folder) => {
    const world = "--env random-cartpole --param horizon=12 --tasks 20";
    succeeded(await run(folder, `generate ${world} --out d`));
    const [first] = trialsOf(succeeded(await run(folder, "shuffle d")));
    const seen = first!.episodes[0]!.observations[0] as ReadonlyArray<number>;
    const config = modelOf(0, 2, { observations: { vector: seen.length } });
    // Right where the pole leans that way: a look at one number alone.
    const weights = constantWeights(config, [0, 0]);
    weights["norm.gain"]!.fill(1);
    weights["embed.observation"]![2 * config.width] = 1;
    weights["action.out"]![1] = 1;
    writeModel(`${folder}/r`, config, weights);
    const text = "r d --episodes 2 --temperature 0";
    const trials = await play(folder, `${text} --prompt d --parallel 12`);
    equal(trials.length, 20);
    const taken = new Set<number>();
    for (const { episodes } of trials) {
      for (const { observations, actions } of episodes) {
        actions.forEach((action, t) => {
          const angle = (observations[t] as ReadonlyArray<number>)[2]!;
          equal(action, angle > 0 ? 1 : 0);
          taken.add(action as number);
        });
      }
    }
    equal(taken.size, 2);
    await checkReplay(folder, trials);
    const wide = modelOf(0, 2, { observations: { vector: seen.length + 1 } });
    writeModel(`${folder}/wide`, wide, randomWeights(wide));
    const refused = await run(folder, "evaluate wide d --episodes 1");
    equal(refused.code, 65);
    match(
      refused.err,
      /has vectors of \d numbers, and the model sees vectors of/,
    );
  }));

Deno.test("a prompt of what the model does not know is refused", () =>
  withFolder(async (folder) => {
    const config = modelOf(1, 3);
    writeModel(`${folder}/r`, config, randomWeights(config));
    const rows = succeeded(
      await run(folder, `generate ${ARMS} --tasks 1 --seed 1`),
    );
    fs.writeFileSync(`${folder}/d.jsonl`, rows);
    const shown = async (from: RegExp, to: string) => {
      fs.writeFileSync(`${folder}/shown.jsonl`, rows.replace(from, to));
      const text = "evaluate r d.jsonl --episodes 1 --prompt shown.jsonl";
      const { code, err } = await run(folder, text);
      return `${code} ${err}`;
    };
    match(
      await shown(/"actions":\[\d/, '"actions":[3'),
      /^65 .*a trial shows action 3, and the model knows 3 actions/,
    );
    match(
      await shown(/"actions":\[\d/, '"actions":["left"'),
      /^65 .*shown.jsonl: line 1: episodes\[0\].actions\[0\] is "left", not an act/,
    );
    match(
      await shown(/"observations":\[0/, '"observations":[1'),
      /^65 .*a trial shows 1, and the model knows 1 observations/,
    );
    match(
      await shown(/"observations":\[0/, '"observations":["a"'),
      /^65 .*line 1: episodes\[0\].observations\[0\] is "a", not a number or/,
    );
  }));
