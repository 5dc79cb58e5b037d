/** Tags that a model reads, and how long it is trained. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import * as fs from "node:fs";
import { generator, integer } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { readModel } from "../../pipeline/playing/checkpoint.ts";
import { secondsOf } from "../../pipeline/training/settings.ts";
import { isHere } from "../kernels/onnx/devices.ts";
import { type Ended, retrial, succeeded, withFolder } from "../shell.ts";
import { lines, trial } from "./trials.ts";

function run(folder: string, text: string): Promise<Ended> {
  return retrial(folder, text.split(" "));
}

const SMALL = "--width 16 --layers 1 --heads 2 --threads 1 --warm-up 1";

function logOf(folder: string): ReadonlyArray<Record<string, number>> {
  return fs.readFileSync(`${folder}/log.jsonl`, "utf8").trim().split("\n").map(
    (line) => JSON.parse(line),
  );
}

const STEPS = 10;

/** Actions that tags foretell; the tag 7 says nothing, nor does none. */
function tagged(seed: number, isKnown: boolean) {
  const random = generator(rootKey(seed));
  const actions = Array.from({ length: STEPS }, () => integer(random, 2));
  const known = {
    observations: Array(STEPS + 1).fill(0),
    actions,
    rewards: actions.map(() => 0),
    terminated: false,
    truncated: true,
    tags: actions.map((action) => isKnown ? 3 * action : 7),
  };
  const { tags: _, ...none } = known;
  return trial("tagged", seed, { episodes: [known, none] });
}

Deno.test("tags are read where packs have them, and not with --tags off", () =>
  withFolder(async (folder) => {
    const rows = Array.from({ length: 60 }, (_, i) => tagged(i, i % 2 === 0));
    fs.writeFileSync(`${folder}/rows.jsonl`, lines(rows));
    const sizes = "--observations 1 --actions 2";
    succeeded(
      await run(folder, `pack --context ${STEPS} ${sizes} --out p rows.jsonl`),
    );
    const learn = (more: string) =>
      run(
        folder,
        `update p --objective ad --updates 150 --rate 0.01 --batch 30 ${SMALL}${more}`,
      );
    succeeded(await learn(" --out on"));
    succeeded(await learn(" --tags off --out off"));
    const { config: model, weights } = readModel(`${folder}/on`);
    equal(model.tags, 7);
    equal(weights["embed.tag"]!.length, 8 * 16);
    equal(readModel(`${folder}/off`).config.tags, undefined);
    // A quarter of the episodes have tags that tell: there nothing is lost.
    const [on, off] = ["on", "off"].map((name) =>
      logOf(`${folder}/${name}`).at(-1)!["loss"]!
    );
    ok(on! < 0.8 * Math.LN2 && off! > 0.9 * Math.LN2, `${on} and ${off}`);
    fs.writeFileSync(
      `${folder}/rows.jsonl`,
      lines(rows).replace('"tags":[', '"tags":[9,').replace(/,\d\]}/, "]}"),
    );
    succeeded(
      await run(
        folder,
        `pack --context ${STEPS} ${sizes} --out wild rows.jsonl`,
      ),
    );
    const wild = await run(
      folder,
      `update wild --updates 9 ${SMALL} --out wild-run`,
    );
    match(`${wild.code} ${wild.err}`, /^65 .*tag 9, and tags are 0 to 7/);
  }));

Deno.test("--epochs counts windows, and --accumulate batches of an update", () =>
  withFolder(async (folder) => {
    const world = "--env bandit-bernoulli --param arms=3 --param horizon=10";
    succeeded(
      await run(folder, `generate ${world} --tasks 11 --seed 1 --out d`),
    );
    succeeded(await run(folder, "pack --context 10 --out p d"));
    const learn = (more: string) => run(folder, `update p ${SMALL} ${more}`);
    // 2.5 passes over 11 windows, 6 windows an update.
    succeeded(
      await learn("--epochs 2.5 --batch 3 --accumulate 2 --out epochs"),
    );
    equal(logOf(`${folder}/epochs`).length, 5);
    const same = await learn(
      "--updates 5 --batch 3 --accumulate 2 --out epochs",
    );
    match(same.err, /at update 5: there is nothing to do/);
    // The mean gradient of two batches is that of both at once.
    succeeded(await learn("--updates 5 --batch 6 --out whole"));
    const [parts, whole] = ["epochs", "whole"].map((name) =>
      logOf(`${folder}/${name}`)
    );
    parts!.forEach((line, i) => {
      for (const [name, value] of Object.entries(line)) {
        const other = whole![i]![name]!;
        ok(Math.abs(value - other) < 1e-4 * (1 + Math.abs(other)), name);
      }
    });
  }));

Deno.test("secondsOf() reads times, and nothing else", () => {
  const times = ["90s", "10m", "1.5h", undefined];
  deepEqual(times.map(secondsOf), [90, 600, 5400, Infinity]);
});

Deno.test("replay makes a run again, wherever it lies, and says what has changed", () =>
  withFolder(async (folder) => {
    const world = "--env bandit-bernoulli --param arms=3 --param horizon=10";
    succeeded(
      await run(folder, `generate ${world} --tasks 8 --seed 1 --out d`),
    );
    succeeded(await run(folder, "pack --context 10 --out p d"));
    succeeded(await run(folder, `update p --updates 3 ${SMALL} --out young`));
    const words = `--from young --objective dqn --threads 1 --accumulate 2`;
    // Ended on the way: what is there is made again, no more.
    succeeded(
      await run(
        folder,
        `update p ${words} --updates 4000 --until 0.1s --out r`,
      ),
    );
    const replayed = async (of: string, where = folder) => {
      const { code, err } = await run(where, `replay ${of}`);
      return `${code} ${err}`;
    };
    match(await replayed("r"), /^0 r: update \d+ comes out the same/);
    const before = fs.readdirSync(`${folder}/r`);
    const moved = `${folder}/other`;
    fs.mkdirSync(moved);
    for (const name of ["p", "r", "young"]) {
      fs.renameSync(`${folder}/${name}`, `${moved}/${name}`);
    }
    match(await replayed("other/r"), /^0 other\/r: update \d+ comes/);
    deepEqual(fs.readdirSync(`${moved}/r`), before);
    const [name] = before.filter((one) => one.startsWith("checkpoint"));
    const change = (file: string, use: () => Promise<void>) => {
      const bytes = fs.readFileSync(file);
      bytes[bytes.length - 1]! ^= 1;
      fs.writeFileSync(file, bytes);
      return use().finally(() => {
        bytes[bytes.length - 1]! ^= 1;
        fs.writeFileSync(file, bytes);
      });
    };
    await change(`${moved}/r/${name}/delayed.safetensors`, async () => {
      match(
        await replayed("r", moved),
        /^65 .*r: delayed.safetensors of checkpoint-\d+ come out other\n/,
      );
    });
    await change(`${moved}/p/pack-00000.safetensors`, async () => {
      match(
        await replayed("r", moved),
        /^65 .*p\/pack-00000.safetensors has SHA-256 \w+…, expected/,
      );
    });
    const young = fs.readdirSync(`${moved}/young`).find((one) =>
      one.startsWith("checkpoint")
    );
    await change(`${moved}/young/${young}/model.safetensors`, async () => {
      match(await replayed("r", moved), /^65 .*young.*model.safetensors has/);
    });
    const sampled = await run(moved, "replay r --sample 1");
    match(`${sampled.code} ${sampled.err}`, /^2 .*r is a run, not a dataset/);
  }));

Deno.test("update says what to make smaller, and where it can train", () =>
  withFolder(async (folder) => {
    const world = "--env bandit-bernoulli --param arms=3 --param horizon=10";
    succeeded(
      await run(folder, `generate ${world} --tasks 4 --seed 1 --out d`),
    );
    succeeded(await run(folder, "pack --context 10 --out p d"));
    const large = await run(
      folder,
      `update p ${SMALL} --batch 1000000000000 --out r`,
    );
    match(
      `${large.code} ${large.err}`,
      /^75 .*not enough for --batch 10{12}, --width 16, .* windows of 10 steps/,
    );
    for (const device of ["webgpu", "cuda"] as const) {
      if (await isHere(device)) continue;
      const away = await run(
        folder,
        `update p --device ${device} --out ${device}`,
      );
      const wanted = new RegExp(
        `on ${device}; is it there\\? Here are .*cpu`,
      );
      match(away.err, wanted);
      equal(away.code, 75);
    }
  }));
