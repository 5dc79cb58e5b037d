import { toolTest } from "../tools.ts";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { type Ended, retrial, succeeded, withFolder } from "../shell.ts";

const MADE =
  "generate --env dark-room --tasks 6 --episodes 2 --shards 3 --out d"
    .split(" ");
const SECOND = "data/train-00001-of-00003.jsonl";

/** A small dataset in `folder`, `d`, and what `use` finds of it. */
function withDataset(
  use: (
    folder: string,
    run: (...words: Array<string>) => Promise<Ended>,
  ) => Promise<void>,
): Promise<void> {
  return withFolder(async (folder) => {
    succeeded(await retrial(folder, MADE));
    await use(folder, (...words) => retrial(folder, words));
  });
}

/** Changes one digit of a reward: the row stays a row. */
function flip(file: string): void {
  const text = fs.readFileSync(file, "utf8");
  const flipped = text.replace('"rewards":[0', '"rewards":[1');
  ok(flipped !== text);
  fs.writeFileSync(file, flipped);
}

function refuses({ code, err }: Ended, why: RegExp): void {
  equal(code, 65, err);
  match(err, why);
}

Deno.test("verify() finds a changed byte, a longer, a missing and an extra shard", () =>
  withDataset(async (folder, run) => {
    match((await run("verify", "d")).err, /d: 3 shards as they were/);
    const file = path.join(folder, "d", SECOND);
    const bytes = fs.readFileSync(file);
    flip(file);
    const named = SECOND.replaceAll(".", "\\.");
    refuses(await run("verify", "d"), new RegExp(`${named} has SHA-256`));
    fs.appendFileSync(file, "\n");
    refuses(
      await run("verify", "d"),
      new RegExp(`${named} has \\d+ bytes, exp`),
    );
    fs.rmSync(file);
    refuses(await run("verify", "d"), new RegExp(`${named} is missing`));
    fs.writeFileSync(file, bytes);
    succeeded(await run("verify", "d"));
    fs.writeFileSync(path.join(folder, "d/data/extra.jsonl"), "");
    refuses(await run("verify", "d"), /extra\.jsonl is not in the manifest/);
  }));

Deno.test("replay() passes, and names the shard that is not as it was", () =>
  withDataset(async (folder, run) => {
    match((await run("replay", "d")).err, /3 of 3 parts come out the same/);
    match((await run("replay", "d", "--sample", "2")).err, /2 of 3 parts/);
    flip(path.join(folder, "d", SECOND));
    const { code, err } = await run("replay", "d");
    equal(code, 65);
    match(err, /train-00001-of-00003\.jsonl on disk has SHA-256/);
    ok(!/00000-of|00002-of/.test(err), "it names only that one");
  }));

Deno.test("replay() tells a manifest that is not what its recipe makes", () =>
  withDataset(async (folder, run) => {
    const file = path.join(folder, "d/manifest.json");
    const manifest = JSON.parse(fs.readFileSync(file, "utf8"));
    manifest.recipe.steps[0].options.seed = "1";
    fs.writeFileSync(file, JSON.stringify(manifest));
    succeeded(await run("verify", "d"));
    refuses(await run("replay", "d"), /comes out with other bytes/);
  }));

Deno.test("replay() writes nothing", () =>
  withDataset(async (folder, run) => {
    const list = () =>
      fs.readdirSync(folder, { recursive: true }).map((name) => [
        name,
        fs.statSync(path.join(folder, String(name))).mtimeMs,
      ]);
    const before = list();
    succeeded(await run("replay", "d"));
    deepEqual(list(), before);
  }));

Deno.test("replay() of credit refuses inputs that have changed or gone", () =>
  withDataset(async (folder, run) => {
    succeeded(await run("credit", "d", "--out", "c"));
    succeeded(await run("replay", "c"));
    match((await run("explain", "c")).out, /nothing has changed since/);
    flip(path.join(folder, "d", SECOND));
    refuses(await run("replay", "c"), /input .*00001-of-00003\.jsonl has chan/);
    match((await run("explain", "c")).out, /00001-of-00003\.jsonl has changed/);
    fs.rmSync(path.join(folder, "d", SECOND));
    refuses(await run("replay", "c"), /input .*00001-of-.* is missing/);
  }));

Deno.test("replay() leaves the lines that were set aside where they are", () =>
  withDataset(async (folder, run) => {
    fs.appendFileSync(path.join(folder, "d", SECOND), "nonsense\n");
    const words = [
      "credit",
      "d",
      "--on-error",
      "quarantine=aside",
      "--out",
      "c",
    ];
    succeeded(await run(...words));
    const aside = path.join(folder, "aside");
    equal(fs.readFileSync(aside, "utf8"), "nonsense\n");
    fs.writeFileSync(aside, "seen to\n");
    succeeded(await run("replay", "c"));
    equal(fs.readFileSync(aside, "utf8"), "seen to\n");
  }));

Deno.test("explain() says what made a dataset, and what would be made again", () =>
  withDataset(async (folder, run) => {
    const told = async (...words: Array<string>) =>
      succeeded(await run("explain", "d", ...words)).split("\n").slice(2, -1);
    const same = MADE.slice(0, -2);
    deepEqual(await told(), ["nothing has changed since"]);
    deepEqual(await told("--", ...same, "--jobs", "2"), [
      "that command makes this dataset: nothing would be made again",
    ]);
    deepEqual(await told("--", ...same, "--seed", "4", "then", "credit"), [
      "all 3 parts would be made again, because",
      ...(await told("--", ...same, "--seed", "4", "then", "credit")).slice(1),
    ]);
    match(
      (await told("--", ...same, "--policy", "optimal")).join("\n"),
      /--policy changed from "random" to "optimal"/,
    );
    fs.rmSync(path.join(folder, "d", SECOND));
    match(
      (await told())[0]!,
      /00001-of-00003.jsonl is missing: its part would/,
    );
    // And it would.
    match((await run(...MADE)).err, /2 of 3 parts were there/);
    succeeded(await run("verify", "d"));
  }));

toolTest("packed datasets hold the same rows, and other programs read them", [
  "gzip",
  "zstd",
], () =>
  withDataset(async (folder, run) => {
    const programs = { gz: "gzip", zst: "zstd" };
    for (const [format, program] of Object.entries(programs)) {
      const words = MADE.slice(0, -1);
      succeeded(await run(...words, format, "--compress", format));
      const file = path.join(folder, format, `${SECOND}.${format}`);
      const text = execFileSync(program, ["-dc", file], { encoding: "utf8" });
      equal(text, fs.readFileSync(path.join(folder, "d", SECOND), "utf8"));
      succeeded(await run("replay", format));
      succeeded(await run("verify", format));
      equal(
        succeeded(await run("credit", format)),
        succeeded(await run("credit", "d")),
      );
      succeeded(
        await run(...words, `${format}-2`, "--compress", format, "--jobs", "2"),
      );
      const [one, two] = [format, `${format}-2`].map((name) =>
        fs.readFileSync(path.join(folder, name, `${SECOND}.${format}`))
      );
      deepEqual(two, one, "whatever --jobs is");
    }
  }));
