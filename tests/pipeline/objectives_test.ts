/** Learning from rewards: policy gradients and double DQN, from rows to play. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import * as fs from "node:fs";
import { forwardGraph } from "../../kernels/onnx/transformer.ts";
import { openSession } from "../../kernels/onnx/session.ts";
import { generator, integer } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import type { Episode, Trial } from "../../pipeline/schema.ts";
import { readings } from "../../pipeline/training/batches.ts";
import { bootstrapOf } from "../../pipeline/training/bootstrap.ts";
import { openPacks } from "../../pipeline/training/packs.ts";
import { readModel } from "../../pipeline/playing/checkpoint.ts";
import { type Ended, retrial, succeeded, withFolder } from "../shell.ts";
import { lines, trial } from "./trials.ts";

function run(folder: string, text: string): Promise<Ended> {
  return retrial(folder, text.split(" "));
}

const ARMS = 3;
const BANDITS =
  `--env bandit-bernoulli --param arms=${ARMS} --param horizon=20`;
const SMALL = "--width 16 --layers 1 --heads 2 --threads 1 --warm-up 1";

/** Pulls of arms at random, with what that policy knows of itself. */
async function makeRollouts(folder: string): Promise<void> {
  const rows = succeeded(
    await run(folder, `generate ${BANDITS} --tasks 300 --seed 1 then label`),
  );
  const recorded = rows.split("\n").filter(Boolean).map((line): Trial => {
    const row: Trial = JSON.parse(line);
    const episodes = row.episodes.map((own) => ({
      ...own,
      logprobs: own.actions.map(() => -Math.log(ARMS)),
      // What an arm pays in the mean.
      values: own.observations.map(() => 0.5),
    }));
    return { ...row, episodes };
  });
  fs.writeFileSync(`${folder}/rows.jsonl`, lines(recorded));
  const credit = "credit --advantage gae --gamma 0 --lambda 0 rows.jsonl";
  const columns = "--columns advantages,logprobs,returns";
  succeeded(
    await run(
      folder,
      `${credit} then pack --context 20 --label optimal ${columns} --out p`,
    ),
  );
}

async function paid(folder: string, of: string): Promise<number> {
  const played = succeeded(
    await run(folder, `evaluate ${of} held --episodes 1 --samples 4`),
  );
  const rewards = played.split("\n").filter(Boolean).flatMap((line) =>
    (JSON.parse(line) as Trial).episodes[0]!.rewards
  );
  return rewards.reduce((a, b) => a + b) / rewards.length;
}

Deno.test("a policy gradient makes a learner of one that has barely begun", () =>
  withFolder(async (folder) => {
    await makeRollouts(folder);
    succeeded(
      await run(folder, `generate ${BANDITS} --tasks 100 --seed 2 --out held`),
    );
    succeeded(
      await run(
        folder,
        `update p --objective dpt --updates 2 ${SMALL} --out young`,
      ),
    );
    const wide = "--clip-low 1 --clip-high 8";
    const pg =
      `update p --from young --objective pg ${wide} --value 0.5 --updates 300 --rate 0.003 --batch 64 --threads 1 --warm-up 1 --out old`;
    succeeded(await run(folder, pg));
    const [before, after] = [
      await paid(folder, "young"),
      await paid(folder, "old"),
    ];
    ok(after > before + 0.05, `${before}, then ${after}`);
    const { config: model, weights } = readModel(`${folder}/old`);
    deepEqual(model.outputs, ["action", "value"]);
    equal(weights["value.out"]!.length, 16);
    // At a rate of 0 the weights are those that it began with.
    succeeded(
      await run(
        folder,
        "update p --from old --objective dpt --updates 1 --rate 0 --out same",
      ),
    );
    const same = readModel(`${folder}/same`);
    deepEqual(same.model.outputs, ["action"]);
    for (const [name, values] of Object.entries(same.weights)) {
      deepEqual(values, weights[name]);
    }
    const moved = `${folder}/elsewhere`;
    fs.mkdirSync(moved);
    for (const name of ["p", "young", "old"]) {
      fs.renameSync(`${folder}/${name}`, `${moved}/${name}`);
    }
    match((await run(moved, pg)).err, /at update 300: there is nothing to do/);
    match(
      (await run(moved, pg.replaceAll("young", "old"))).err,
      /another run/,
    );
  }));

Deno.test("update says what an objective lacks, and what does not fit", () =>
  withFolder(async (folder) => {
    const make = async (words: string) =>
      succeeded(await run(folder, `generate ${BANDITS} --tasks 4 ${words}`));
    await make("--seed 1 --out d");
    succeeded(await run(folder, "pack --context 20 --out p d"));
    succeeded(await run(folder, "pack --context 10 --out short d"));
    succeeded(
      await run(
        folder,
        "pack --context 20 --actions 5 --observations 9 --out wide d",
      ),
    );
    const say = async (text: string) => {
      const { code, err } = await run(folder, `update ${text}`);
      return `${code} ${err}`;
    };
    const learned = `${SMALL} --positions learned`;
    succeeded(await run(folder, `update p --updates 1 ${learned} --out r`));
    match(
      await say(`p --objective pg --out x`),
      /^2 .*no advantages; pack --columns advantages,logprobs\n/,
    );
    match(
      await say(`p --objective pg --value 1 --out x`),
      /^2 .*pack --columns advantages,logprobs,returns\n/,
    );
    match(await say(`p --clip-low 0.1 --out x`), /^2 .*--clip-low .*of pg/);
    match(await say(`p --objective pg --relative --out x`), /^2 .*of dqn/);
    match(await say(`p --updates 1 --epochs 1 --out x`), /^2 .*--epochs/);
    match(await say(`p --until soon --out x`), /^2 .*not a time such as 90s/);
    match(await say(`p --tags on --out x`), /^2 .*the packs have no tags/);
    match(
      await say(`p --from r --width 32 --out x`),
      /^2 .*--width is 32, and the model of --from has 16/,
    );
    match(await say(`p --from r --tags on --out x`), /^2 .*reads none/);
    match(await say(`p --from nowhere --out x`), /^65 .*nowhere.*not there/);
    match(
      await say(`short --from r --out x`),
      /^2 .*windows of 10 steps, and the model has learned positions of 20/,
    );
    match(
      await say(`wide --from r --out x`),
      /^2 .*the packs hold 9 observations, and the model knows 1/,
    );
    ok(!fs.existsSync(`${folder}/x`), "nothing was begun");
  }));

Deno.test("bootstrapOf() cuts at ends of trials and tasks, and masks the unknown", () => {
  const bounds = {
    // Two windows of five: episodes of two, two (a new task), and one cut short;
    // then a window with padding.
    starts: Uint8Array.of(3, 0, 3, 0, 1, 3, 1, 0, 0, 0),
    ends: Uint8Array.of(0, 1, 0, 2, 0, 1, 0, 2, 0, 0),
    mask: Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1, 0, 0),
  };
  const [x, y] = [0.5, 0.25];
  const both = bootstrapOf(bounds, 5, { gamma: x, gammaTrial: y });
  deepEqual([...both.discount], [x, 0, x, y, 0, y, x, 0, 0, 0]);
  deepEqual([...both.mask], [1, 1, 1, 1, 0, 1, 1, 1, 0, 0]);
  const ended = { ...bounds, ends: bounds.ends.with(4, 1) };
  const at = (gammaTrial: number) =>
    bootstrapOf(ended, 5, { gamma: x, gammaTrial }).mask[4];
  deepEqual([at(0), at(y)], [1, 0], "an end needs nothing that follows it");
});

/** A corridor of five: 1 goes right, 0 left; the right end pays, and ends. */
const LENGTH = 5;
const GAMMA = 0.8;

function walk(seed: number): Episode {
  const random = generator(rootKey(seed));
  const actions: Array<number> = [];
  const observations = [integer(random, LENGTH - 1)];
  while (observations.at(-1)! < LENGTH - 1 && actions.length < 500) {
    const action = integer(random, 2);
    actions.push(action);
    observations.push(Math.max(0, observations.at(-1)! + 2 * action - 1));
  }
  const isThere = observations.at(-1) === LENGTH - 1;
  return {
    observations,
    actions,
    rewards: actions.map((_, t) => Number(isThere && t === actions.length - 1)),
    terminated: isThere,
    truncated: !isThere,
  };
}

/** γ^k for k steps more to the end, by the better action; one left costs two. */
function valueOf(state: number, action: number): number {
  const next = Math.max(0, state + 2 * action - 1);
  return GAMMA ** (LENGTH - 2 - next + 1);
}

Deno.test("double DQN finds the values of a corridor from its own guesses", () =>
  withFolder(async (folder) => {
    const rows = Array.from({ length: 200 }, (_, i) => {
      const episodes = Array.from({ length: 3 }, (_, e) => walk(3 * i + e));
      return trial("corridor", i, { episodes });
    });
    fs.writeFileSync(`${folder}/rows.jsonl`, lines(rows));
    const sizes = `--observations ${LENGTH} --actions 2`;
    succeeded(
      await run(folder, `pack --context 24 ${sizes} --out p rows.jsonl`),
    );
    const dqn = (updates: number, out: string, more = "") =>
      run(
        folder,
        `update p --objective dqn --gamma ${GAMMA} --updates ${updates} ${SMALL} --schedule constant --rate 0.01 --decay 0 --out ${out}${more}`,
      );
    succeeded(await dqn(400, "r"));
    const { config: model, weights } = readModel(`${folder}/r`);
    deepEqual(model.outputs, ["q"]);
    const packs = openPacks(`${folder}/p`);
    const batch = 64;
    const windows = Int32Array.from({ length: batch }, (_, i) => i);
    const session = await openSession(forwardGraph(model, { batch, weights }));
    const feeds = readings(packs, windows, model);
    const q = (await session.run(feeds))["head.q"]!;
    await session.release();
    packs.close();
    const errors: Array<number> = [];
    feeds["observation"]!.forEach((state: number | bigint, i: number) => {
      // Padding, and the start of a trial, which few windows hold.
      if (feeds["previousAction"]![i] === 2) return;
      for (const action of [0, 1]) {
        const wanted = valueOf(Number(state), action);
        errors.push(Math.abs(Number(q[2 * i + action]) - wanted));
      }
    });
    const mean = errors.reduce((a, b) => a + b) / errors.length;
    ok(errors.length > 500 && mean < 0.05, `${mean} of ${errors.length}`);
  }));

Deno.test("a run of double DQN that was ended goes on to the same bytes", () =>
  withFolder(async (folder) => {
    succeeded(
      await run(folder, `generate ${BANDITS} --tasks 12 --seed 1 --out d`),
    );
    succeeded(await run(folder, "pack --context 20 --out p d"));
    const words = (out: string, more: string) =>
      run(
        folder,
        `update p --objective dqn --relative --gamma-trial 0.5 --updates 40 --batch 4 --accumulate 2 ${SMALL} --out ${out}${more}`,
      );
    succeeded(await words("whole", ""));
    let runs = 0;
    const isDone = () => fs.existsSync(`${folder}/cut/checkpoint-000040`);
    for (; runs < 50 && !isDone(); runs++) {
      succeeded(await words("cut", " --until 0.02s"));
      // As one that was killed while it wrote leaves them.
      for (const name of ["log", "timing"]) {
        const torn = '{"update":40,"rate":0}\n{"upd';
        if (!isDone()) fs.appendFileSync(`${folder}/cut/${name}.jsonl`, torn);
      }
    }
    ok(runs > 1 && isDone(), `${runs} runs`);
    const read = (of: string, file: string) =>
      fs.readFileSync(`${folder}/${of}/${file}`);
    const names = ["model", "optimiser", "delayed"].map((name) =>
      `checkpoint-000040/${name}.safetensors`
    );
    for (const name of [...names, "log.jsonl", "config.json"]) {
      deepEqual(read("cut", name), read("whole", name), name);
    }
    const [model, delayed] = [names[0]!, names[2]!].map((name) =>
      read("whole", name)
    );
    equal(model!.length, delayed!.length);
    ok(!model!.equals(delayed!));
    const timing = read("cut", "timing.jsonl").toString().trim().split("\n");
    deepEqual(
      timing.map((line) => JSON.parse(line).update - 1),
      [...Array(40).keys()],
    );
  }));
