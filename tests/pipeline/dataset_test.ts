import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { generator, uniform } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import {
  bash,
  retrial,
  startRetrial,
  succeeded,
  withFolder,
} from "../shell.ts";

/** What is asked of `generate`: enough work for some tenths of a second. */
const PLAN =
  "generate --env frozen-lake --tasks 48 --samples 4 --episodes 400 " +
  "--policy q-learning --seed 5 --shards 24";
const PLAYED = PLAN.split(" ");
const SMALL = "generate --env dark-room --tasks 6 --episodes 2 --shards 3"
  .split(" ");

/** The files of a dataset by name, each with its bytes. */
function shards(folder: string): Map<string, string> {
  const data = path.join(folder, "data");
  const names = fs.existsSync(data) ? fs.readdirSync(data).sort() : [];
  return new Map(names.map((name) => [
    name,
    fs.readFileSync(path.join(data, name), "latin1"),
  ]));
}

function manifest(folder: string) {
  const file = path.join(folder, "manifest.json");
  return JSON.parse(fs.readFileSync(file, "utf8"));
}

function joined(folder: string): string {
  return [...shards(folder).values()].join("");
}

/** What is in a folder and its folders, except whole shards and manifest. */
function litter(folder: string): ReadonlyArray<string> {
  const all = fs.readdirSync(folder, { recursive: true }) as Array<string>;
  return all.filter((name) =>
    !["data", "manifest.json", "README.md"].includes(name) &&
    !/^data.*\.jsonl$/.test(name)
  );
}

Deno.test("generate() gives equal bytes whatever --jobs, to files and to stdout", () =>
  withFolder(async (folder) => {
    const [one, two] = [path.join(folder, "1"), path.join(folder, "2")];
    succeeded(await retrial(folder, [...PLAYED, "--out", one]));
    succeeded(await retrial(folder, [...PLAYED, "--out", two, "--jobs", "2"]));
    deepEqual(shards(two), shards(one));
    deepEqual(manifest(two), manifest(one));
    equal(shards(one).size, 24);
    const words = PLAYED.slice(0, -2);
    const out = succeeded(await retrial(folder, words));
    equal(out, joined(one));
    // The pieces of a stream are others than the shards of a dataset.
    const piped = await retrial(folder, [...words, "--jobs", "2"]);
    ok(succeeded(piped) === out);
  }));

Deno.test("then gives the bytes that a pipe gives, to files and to stdout", () =>
  withFolder(async (folder) => {
    const said = await bash(
      folder,
      `set -e -o pipefail
      retrial ${SMALL.join(" ")} --out raw
      retrial credit raw --out apart
      retrial ${SMALL.join(" ")} then credit --out chained
      retrial ${SMALL.join(" ")} --jobs 2 then credit --out shared
      retrial generate --env dark-room --tasks 6 --episodes 2 | retrial credit > pipe
      retrial generate --env dark-room --tasks 6 --episodes 2 then credit > then
      cmp pipe then`,
    );
    succeeded(said);
    const [apart, chained, shared] = ["apart", "chained", "shared"].map((
      name,
    ) => shards(path.join(folder, name)));
    deepEqual(chained, apart);
    deepEqual(shared, apart);
    equal(
      joined(path.join(folder, "apart")),
      fs.readFileSync(path.join(folder, "pipe"), "latin1"),
    );
  }));

/** Runs a command and kills it after `delay` ms; whether it was still at work. */
async function killAfter(
  cwd: string,
  words: ReadonlyArray<string>,
  delay: number,
): Promise<boolean> {
  const child = startRetrial(cwd, words);
  const ended = child.output();
  const timer = setTimeout(() => child.kill("SIGKILL"), delay);
  const { signal } = await ended;
  clearTimeout(timer);
  return signal === "SIGKILL";
}

/** Every shard that a glob would find is a whole one. */
function areWhole(folder: string, whole: ReadonlyMap<string, string>): void {
  for (const [name, bytes] of shards(folder)) {
    if (!/\.jsonl$/.test(name)) continue;
    ok(bytes === whole.get(name), `${name} is not what it should be`);
  }
}

/** Kills `words` at moments over its run time, then lets it finish. */
async function killOften(
  folder: string,
  words: ReadonlyArray<string>,
  kills: number,
  seed: number,
): Promise<void> {
  const reference = path.join(folder, "reference");
  let lasts = Infinity;
  // The first run may have to compile what the later ones find compiled.
  for (let run = 0; run < 2; run++) {
    fs.rmSync(reference, { recursive: true, force: true });
    const started = performance.now();
    succeeded(await retrial(folder, [...words, "--out", reference]));
    lasts = Math.min(lasts, performance.now() - started);
  }
  const whole = shards(reference);
  const random = generator(rootKey(seed));
  let killed = 0;
  let target = "";
  for (let i = 0; i < kills; i++) {
    // Some kills hit a fresh folder, some one that was killed before.
    if (i % 3 === 0) target = path.join(folder, `killed-${i}`);
    const delay = lasts * (i + uniform(random)) / kills;
    killed += await killAfter(folder, [...words, "--out", target], delay)
      ? 1
      : 0;
    areWhole(target, whole);
    if (i % 3 < 2 && i < kills - 1) continue;
    succeeded(await retrial(folder, [...words, "--out", target]));
    deepEqual(shards(target), whole);
    deepEqual(manifest(target), manifest(reference));
    deepEqual(litter(target), []);
    fs.rmSync(target, { recursive: true });
  }
  ok(killed >= kills / 3, `only ${killed} of ${kills} were still at work`);
}

for (const jobs of ["1", "2"]) {
  Deno.test(`generate() survives kills with --jobs ${jobs}`, () =>
    withFolder((folder) =>
      killOften(folder, [...PLAYED, "--jobs", jobs], 12, Number(jobs))
    ));
}

Deno.test("credit() survives kills", () =>
  withFolder(async (folder) => {
    succeeded(await retrial(folder, [...PLAYED, "--out", "raw"]));
    await killOften(folder, ["credit", "raw"], 6, 3);
  }));

for (
  const [jobs, signal] of [["1", "SIGINT"], ["2", "SIGINT"], [
    "2",
    "SIGTERM",
  ]] as const
) {
  Deno.test(`${signal} with --jobs ${jobs} leaves whole shards alone, and exit 130`, () =>
    withFolder(async (folder) => {
      const out = path.join(folder, "out");
      const longer = PLAN.replace("--episodes 400", "--episodes 1500").split(
        " ",
      );
      const words = [...longer, "--jobs", jobs, "--out", out];
      const child = startRetrial(folder, words);
      const ended = child.output();
      const since = performance.now();
      const files = () => fs.readdirSync(path.join(out, "data"));
      const whole = () =>
        fs.existsSync(path.join(out, "data"))
          ? files().filter((name) => name.endsWith(".jsonl"))
          : [];
      while (whole().length < 3) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        ok(performance.now() - since < 10_000, "it makes shards");
      }
      child.kill(signal);
      const { code, signal: by } = await ended;
      equal(`${code} ${by}`, "130 null", "it ends by itself");
      ok(!fs.existsSync(path.join(out, "manifest.json")));
      const names = files();
      ok(names.length < 24, "it had not come to its end");
      deepEqual(names.filter((name) => !name.endsWith(".jsonl")), []);
    }));
}

Deno.test("a folder is not written over by other options, unless that is said", () =>
  withFolder(async (folder) => {
    const here = [...SMALL, "--out", "d"];
    succeeded(await retrial(folder, here));
    const before = joined(path.join(folder, "d"));
    const refused = async (words: ReadonlyArray<string>, why: RegExp) => {
      const { code, err } = await retrial(folder, words);
      equal(code, 2);
      match(err, why);
      equal(joined(path.join(folder, "d")), before);
    };
    await refused([...here, "--seed", "9"], /--seed changed from "0" to "9"/);
    await refused([...here, "--compress", "gz"], /--compress changed/);
    await refused([...here, "then", "credit"], /only the last stage writes/);
    await refused(
      [...SMALL, "then", "credit", "--out", "d"],
      /stage 2 changed from nothing to credit/,
    );
    match((await retrial(folder, here)).err, /d holds 6 trials/);
    match((await retrial(folder, [...here, "--jobs", "2"])).err, /d holds/);
    succeeded(await retrial(folder, [...here, "--seed", "9", "--overwrite"]));
    notEqual(joined(path.join(folder, "d")), before);
    deepEqual(litter(path.join(folder, "d")), []);
  }));

Deno.test("a dataset that was begun is not gone on with by other options", () =>
  withFolder(async (folder) => {
    succeeded(await retrial(folder, [...SMALL, "--out", "d"]));
    const at = path.join(folder, "d");
    const state = path.join(at, ".retrial");
    fs.mkdirSync(state);
    const { recipe, shards: made } = manifest(at);
    fs.writeFileSync(path.join(state, "recipe.json"), JSON.stringify(recipe));
    fs.rmSync(path.join(at, "manifest.json"));
    const { code, err } = await retrial(folder, [
      ...SMALL,
      "--seed",
      "9",
      "--out",
      "d",
    ]);
    equal(code, 2);
    match(err, /begun there.*--seed changed from "0" to "9"/);
    // What was marked as done, and has been damaged since, is made again.
    const whole = shards(at);
    const entries = (part: number) =>
      JSON.stringify(
        made.filter((shard: { part: number }) => shard.part === part),
      );
    for (const part of [0, 1, 2]) {
      fs.writeFileSync(
        path.join(state, `part-0000${part}.json`),
        entries(part),
      );
    }
    fs.truncateSync(path.join(at, made[0].file), 10);
    fs.rmSync(path.join(at, made[1].file));
    const again = await retrial(folder, [...SMALL, "--out", "d"]);
    match(again.err, /d: 1 of 3 parts were there/);
    deepEqual(manifest(at).recipe, recipe);
    deepEqual(shards(at), whole);
  }));

Deno.test("what a kill behind the manifest left is cleared by the next run", () =>
  withFolder(async (folder) => {
    succeeded(await retrial(folder, [...SMALL, "--out", "d"]));
    const at = path.join(folder, "d");
    const before = manifest(at);
    fs.mkdirSync(path.join(at, ".retrial"));
    fs.writeFileSync(path.join(at, ".retrial/part-00001.json"), "[]");
    match((await retrial(folder, [...SMALL, "--out", "d"])).err, /d holds/);
    deepEqual(litter(at), []);
    deepEqual(manifest(at), before);
  }));

Deno.test("shards without a manifest are not written over", () =>
  withFolder(async (folder) => {
    const data = path.join(folder, "d/data");
    fs.mkdirSync(data, { recursive: true });
    fs.writeFileSync(path.join(data, "mine.jsonl"), "");
    const { code, err } = await retrial(folder, [...SMALL, "--out", "d"]);
    equal(code, 2);
    match(err, /shards without a manifest/);
    ok(fs.existsSync(path.join(data, "mine.jsonl")));
  }));

Deno.test("rows by standard input never pass for those that came before", () =>
  withFolder(async (folder) => {
    const rows = succeeded(await retrial(folder, SMALL.slice(0, -2)));
    const first = rows.slice(0, rows.indexOf("\n") + 1);
    const words = ["credit", "--out", "d"];
    succeeded(await retrial(folder, words, first));
    const { code, err } = await retrial(folder, words, rows);
    equal(code, 2);
    match(err, /standard input/);
    succeeded(await retrial(folder, [...words, "--overwrite"], rows));
    equal(manifest(path.join(folder, "d")).totals.rows, 6);
  }));
