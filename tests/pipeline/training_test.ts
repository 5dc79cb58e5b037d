/** Training from packs, and what it leaves, played. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import * as fs from "node:fs";
import {
  decodeSafetensors,
  encodeSafetensors,
} from "../../kernels/safetensors.ts";
import { windowsOfBatch } from "../../pipeline/training/packs.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { peerTest, python } from "../peers.ts";
import {
  type Ended,
  retrial,
  startRetrial,
  succeeded,
  withFolder,
} from "../shell.ts";

const MODEL =
  "--width 16 --layers 1 --heads 2 --batch 4 --threads 1 --warm-up 1 --schedule constant";

function run(folder: string, text: string): Promise<Ended> {
  return retrial(folder, text.split(" "));
}

/** Packs of bandits, labelled by their best arm. */
async function makePacks(folder: string): Promise<void> {
  const world = "--env bandit-bernoulli --param arms=3 --param horizon=12";
  await run(folder, `generate ${world} --tasks 12 --seed 1 then label --out d`);
  succeeded(await run(folder, "pack --context 8 --label optimal --out p d"));
}

Deno.test("windowsOfBatch() shows every window once an epoch, in other orders", () => {
  const key = rootKey(3);
  const [windows, batch] = [10, 4];
  const seen = Array.from({ length: 15 }, (_, update) => [
    ...windowsOfBatch(key, windows, batch, update),
  ]).flat();
  for (let epoch = 0; epoch < 6; epoch++) {
    const own = seen.slice(epoch * windows, (epoch + 1) * windows);
    deepEqual(own.toSorted((a, b) => a - b), [...own.keys()]);
  }
  ok(seen.slice(0, 10).join() !== seen.slice(10, 20).join());
  // The same out of turn.
  deepEqual([...windowsOfBatch(key, windows, batch, 5)], seen.slice(20, 24));
});

const UPDATES = 200;

function training(out: string, more = ""): ReadonlyArray<string> {
  const text =
    `update p --objective dpt --updates ${UPDATES} --save 10 ${MODEL} --rate 0.01 --out ${out}${more}`;
  return text.split(" ");
}

Deno.test("update learns, logs, and goes on where it was killed, to the same weights", () =>
  withFolder(async (folder) => {
    await makePacks(folder);
    succeeded(await retrial(folder, training("whole")));
    const log = fs.readFileSync(`${folder}/whole/log.jsonl`, "utf8");
    const lines = log.split("\n").filter(Boolean).map((line) =>
      JSON.parse(line)
    );
    deepEqual(lines.map(({ update }) => update - 1), [
      ...Array(UPDATES).keys(),
    ]);
    const mean = (part: ReadonlyArray<{ loss: number }>) =>
      part.reduce((sum, { loss }) => sum + loss / part.length, 0);
    ok(mean(lines.slice(-20)) < 0.8 * mean(lines.slice(0, 20)));
    const child = startRetrial(folder, training("cut"));
    const cut = `${folder}/cut`;
    const begun = () =>
      fs.existsSync(cut) &&
      fs.readdirSync(cut).some((name) => /^checkpoint-\d+$/.test(name));
    for (let i = 0; i < 3000 && !begun(); i++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    child.kill("SIGKILL");
    await Promise.all([
      child.stdout.cancel(),
      child.stderr.cancel(),
      child.status,
    ]);
    ok(
      !fs.existsSync(`${cut}/checkpoint-000200`),
      "it was too late to be killed",
    );
    succeeded(await retrial(folder, training("cut")));
    for (const name of ["model", "optimiser"]) {
      const file = `checkpoint-000200/${name}.safetensors`;
      deepEqual(
        fs.readFileSync(`${cut}/${file}`),
        fs.readFileSync(`${folder}/whole/${file}`),
      );
    }
    equal(fs.readFileSync(`${cut}/log.jsonl`, "utf8"), log);
    const again = await retrial(folder, training("whole"));
    match(again.err, /at update 200: there is nothing to do/);
    const other = await retrial(folder, training("whole", " --seed 2"));
    equal(other.code, 2);
    match(other.err, /holds something else, or another run/);
  }));

Deno.test("a learner of bandits finds the best arm of bandits it never saw", () =>
  withFolder(async (folder) => {
    const world = "--env bandit-bernoulli --param arms=3 --param horizon=40";
    await run(
      folder,
      `generate ${world} --tasks 600 --seed 1 then label --out d`,
    );
    await run(folder, `generate ${world} --tasks 60 --seed 2 --out held`);
    succeeded(await run(folder, "pack --context 40 --label optimal --out p d"));
    succeeded(
      await run(
        folder,
        "update p --objective dpt --updates 400 --width 32 --layers 2 --heads 2 --batch 16 --rate 0.003 --out r",
      ),
    );
    const played = succeeded(await run(folder, "evaluate r held --episodes 1"));
    const [half, again] = [0, 1].map((late) =>
      played.split("\n").filter(Boolean).map((line) => {
        const { rewards } = JSON.parse(line).episodes[0];
        return rewards.slice(20 * late, 20 * late + 20);
      }).flat()
    );
    const mean = (x: ReadonlyArray<number>) =>
      x.reduce((a, b) => a + b) / x.length;
    // Arms of U(0, 1) pay a half at random, and the best of three three quarters.
    ok(mean(again!) > 0.62, `${mean(half!)} then ${mean(again!)}`);
    fs.writeFileSync(`${folder}/played.jsonl`, played);
    const replayed = succeeded(
      await run(
        folder,
        "generate --policy replay --policy-param from=played.jsonl",
      ),
    );
    const episodes = (text: string) =>
      text.split("\n").filter(Boolean).map((line) => JSON.parse(line).episodes);
    deepEqual(episodes(replayed), episodes(played));
    const split = succeeded(
      await run(folder, "evaluate r held --episodes 1 --parallel 7"),
    );
    equal(episodes(split).length, 60);
    succeeded(await run(folder, "evaluate r held --episodes 1 --out played"));
    const rows = fs.readFileSync(
      `${folder}/played/data/train-00000-of-00001.jsonl`,
      "utf8",
    );
    equal(rows, played);
    match((await run(folder, "replay played")).err, /come out the same/);
  }));

peerTest(
  "policy.onnx, played by ONNX Runtime in Python, takes the same actions",
  ["onnxruntime", "onnx", "numpy"],
  () =>
    withFolder(async (folder) => {
      const world = "--env dark-room --param size=3 --param horizon=4";
      await run(
        folder,
        `generate ${world} --tasks 30 --episodes 2 --seed 1 then label --out d`,
      );
      await run(folder, "pack --context 8 --label optimal --out p d");
      succeeded(await retrial(folder, training("r")));
      const play = "evaluate r d --episodes 2 --temperature 0 --out played";
      succeeded(await run(folder, play));
      const file = `${folder}/played/data/train-00000-of-00001.jsonl`;
      const rows = fs.readFileSync(file, "utf8").split("\n").filter(Boolean);
      const taken = rows.map((line) =>
        JSON.parse(line).episodes.flatMap((e: { actions: unknown }) =>
          e.actions
        )
      );
      const policy = `${folder}/r/checkpoint-000200/policy.onnx`;
      const again = await python("policy_peer.py", [policy, file]);
      deepEqual(
        again.split("\n").filter(Boolean).map((line) => JSON.parse(line)),
        taken,
      );
      ok(new Set(taken.map((actions) => actions.join())).size > 1);
    }),
);

Deno.test("update and evaluate say what is wrong", () =>
  withFolder(async (folder) => {
    await makePacks(folder);
    const say = async (text: string) => {
      const { code, err } = await run(folder, text);
      return `${code} ${err}`;
    };
    const small = `--updates 1 ${MODEL}`;
    match(
      await say(`update nowhere ${small} --out r`),
      /^65 .*nowhere\/pack.json: is not there/,
    );
    match(
      await say(`update ${small} --out r`),
      /^2 .*one folder of packs expected/,
    );
    match(
      await say(`update p --heads 3 --width 16 --updates 1 --out r`),
      /^2 .*Width 16 for 3 heads of even width/,
    );
    const file = `${folder}/p/pack-00000.safetensors`;
    const whole = new Uint8Array(fs.readFileSync(file));
    fs.writeFileSync(file, whole.subarray(0, whole.length - 9));
    match(
      await say(`update p ${small} --out r`),
      /^65 .*pack-00000.safetensors: ends before/,
    );
    const { tensors } = decodeSafetensors(whole);
    const { rewards, ...rest } = tensors;
    const cut = {
      shape: [1, 8],
      data: rewards!.data.slice(0, 8) as Float32Array,
    };
    fs.writeFileSync(file, encodeSafetensors({ ...rest, rewards: cut }));
    match(
      await say(`update p ${small} --out r`),
      /^65 .*rewards is \[1,8\], expected/,
    );
    const wild = {
      ...rewards!,
      data: new Float32Array(rewards!.data.length).fill(NaN),
    };
    fs.writeFileSync(
      file,
      encodeSafetensors({ ...rest, previous_rewards: wild, rewards: rewards! }),
    );
    match(
      await say(`update p --objective dpt ${small} --out nan`),
      /^65 .*of update 1 is NaN; there is no checkpoint yet/,
    );
    fs.writeFileSync(file, whole);
    fs.rmSync(`${folder}/p/pack.json`);
    match(await say(`update p ${small} --out r`), /^65 .*is not there/);
    match(
      await say("evaluate nowhere d --episodes 1"),
      /^65 .*retrial update writes such/,
    );
    match(
      await say("evaluate r --episodes 1"),
      /^2 .*a run, and files of rows/,
    );
  }));
