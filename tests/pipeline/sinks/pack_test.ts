/** Windows of steps, taken apart again. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { windowsOf } from "../../../kernels/packing/windows.ts";
import {
  decodeSafetensors,
  type Tensors,
} from "../../../kernels/safetensors.ts";
import type { Trial } from "../../../pipeline/schema.ts";
import { gather, openPacks } from "../../../pipeline/training/packs.ts";
import { peerTest, python } from "../../peers.ts";
import { retrial, succeeded, withFolder } from "../../shell.ts";
import { lines, trial } from "../trials.ts";

Deno.test("windowsOf() leaves out the offset alone, and overlaps by the stride", () => {
  const any = fc.record({
    steps: fc.nat(200),
    context: fc.integer({ min: 1, max: 50 }),
    stride: fc.integer({ min: 1, max: 50 }),
    offset: fc.nat(49),
  });
  fc.assert(fc.property(any, ({ steps, context, stride, offset }) => {
    fc.pre(offset < stride && stride <= context);
    const windows = windowsOf(steps, { context, stride, offset });
    const seen = new Set<number>();
    for (const { from, to } of windows) {
      ok(from < to && to <= steps && to - from <= context);
      ok(to - from === context || to === steps);
      for (let i = from; i < to; i++) seen.add(i);
    }
    const left = steps > context ? offset : 0;
    equal(seen.size, steps - left);
    windows.slice(1).forEach(({ from }, i) =>
      equal(from - windows[i]!.from, stride)
    );
  }));
});

interface Unpacked {
  readonly description: {
    readonly windows: number;
    readonly steps: number;
    readonly [name: string]: unknown;
  };
  readonly columns: { readonly [name: string]: ReadonlyArray<number> };
}

/** What `pack` makes of rows, its files joined. */
async function packed(
  folder: string,
  rows: ReadonlyArray<Trial>,
  flags: ReadonlyArray<string>,
): Promise<Unpacked> {
  fs.writeFileSync(`${folder}/rows.jsonl`, lines(rows));
  const words = ["pack", "--out", "packs", "--overwrite", ...flags];
  succeeded(await retrial(folder, [...words, "rows.jsonl"]));
  const description = JSON.parse(
    fs.readFileSync(`${folder}/packs/pack.json`, "utf8"),
  );
  const columns: { [name: string]: Array<number> } = {};
  for (const { file } of description.files) {
    const bytes = new Uint8Array(fs.readFileSync(`${folder}/packs/${file}`));
    for (
      const [name, { data }] of Object.entries(decodeSafetensors(bytes).tensors)
    ) {
      columns[name] = [...(columns[name] ?? []), ...Array.from(data, Number)];
    }
  }
  return { description, columns };
}

const SIZES = ["--observations", "9", "--actions", "4"];

const someEpisode = fc.integer({ min: 0, max: 7 }).chain((steps) => {
  const list = (max: number, length: number) =>
    fc.array(fc.nat(max), { minLength: length, maxLength: length });
  return fc.record({
    observations: list(8, steps + 1),
    actions: list(3, steps),
    rewards: list(5, steps),
    terminated: fc.boolean(),
    labels: fc.record({ best: list(3, steps) }),
    tags: list(6, steps),
    returns: list(40, steps),
  }).map((episode) => ({ ...episode, truncated: !episode.terminated }));
});
const someRows = fc.array(
  fc.array(someEpisode, { minLength: 1, maxLength: 4 }),
  { minLength: 1, maxLength: 3 },
);

/** The steps of a trial, one by one, as a pack should have them. */
function stepsOf({ episodes }: Trial) {
  const steps = episodes.flatMap((episode) =>
    episode.actions.map((action, t) => ({
      observations: episode.observations[t] as number,
      next_observations: episode.observations[t + 1] as number,
      actions: action as number,
      rewards: episode.rewards[t]!,
      labels: episode.labels!["best"]![t] as number,
      tags: episode.tags![t]!,
      returns: episode.returns![t]!,
      starts: t === 0 ? 1 : 0,
      ends: t < episode.actions.length - 1 ? 0 : episode.terminated ? 1 : 2,
      mask: 1,
    }))
  );
  return steps.map((step, i) => ({
    ...step,
    starts: step.starts + (i === 0 ? 2 : 0),
    previous_actions: i === 0 ? -1 : steps[i - 1]!.actions,
    previous_rewards: i === 0 ? 0 : steps[i - 1]!.rewards,
    previous_ends: i === 0 ? 0 : steps[i - 1]!.ends,
    positions: i,
  }));
}

Deno.test("every step of every trial is in its window, and padding is empty", () =>
  withFolder((folder) =>
    fc.assert(
      fc.asyncProperty(
        someRows,
        fc.integer({ min: 1, max: 9 }),
        async (all, context) => {
          const rows = all.map((episodes, k) =>
            trial(`t${k}`, 0, { episodes })
          );
          fc.pre(rows.some((row) => stepsOf(row).length > 0));
          const flags = [...SIZES, "--context", String(context)];
          const more = ["--label", "best", "--columns", "returns"];
          const { description, columns } = await packed(folder, rows, [
            ...flags,
            ...more,
          ]);
          let window = 0;
          for (const row of rows) {
            const steps = stepsOf(row);
            for (let from = 0; from < steps.length; from += context, window++) {
              for (let t = 0; t < context; t++) {
                const step = steps[from + t];
                for (const [name, values] of Object.entries(columns)) {
                  const found = values[window * context + t];
                  if (name === "positions" && !step) continue;
                  const none = /actions|labels|tags/.test(name) ? -1 : 0;
                  const wanted = step ? step[name as keyof typeof step] : none;
                  equal(found, wanted, `${name} of step ${from + t}`);
                }
              }
            }
          }
          equal(description.windows, window);
          equal(
            description.steps,
            rows.reduce((sum, row) => sum + stepsOf(row).length, 0),
          );
        },
      ),
      { numRuns: 20 },
    )
  ));

Deno.test("vectors are packed side by side", () =>
  withFolder(async (folder) => {
    const observations = [[1, 0.5], [2, -1], [3, 0]];
    const episode = {
      observations,
      actions: [1, 0],
      rewards: [0, 1],
      terminated: true,
      truncated: false,
    };
    const row = {
      ...trial("a", 0),
      episodes: [episode],
      task: {
        id: "a",
        env: "random-cartpole",
        version: 1,
        seed: "1",
        params: {},
      },
    };
    const wide = {
      ...row,
      episodes: [{
        ...episode,
        observations: observations.map(([a, b]) => [a!, b!, 0, 1]),
      }],
    };
    const { description, columns } = await packed(folder, [wide], [
      "--context",
      "3",
    ]);
    deepEqual(description["observations"], { kind: "vector", width: 4 });
    deepEqual(columns["observations"], [1, 0.5, 0, 1, 2, -1, 0, 1, 0, 0, 0, 0]);
    deepEqual(columns["next_observations"], [
      2,
      -1,
      0,
      1,
      3,
      0,
      0,
      1,
      0,
      0,
      0,
      0,
    ]);
    fs.writeFileSync(`${folder}/rows.jsonl`, lines([row]));
    const { code, err } = await retrial(folder, [
      ..."pack --context 3 --overwrite --out packs rows.jsonl".split(" "),
    ]);
    equal(code, 65);
    match(
      err,
      /line 1: episodes\[0\].observations are not vectors of 4 numbers/,
    );
  }));

Deno.test("random offsets depend on seed and id alone, and come to all of a stride", () =>
  withFolder(async (folder) => {
    const steps = 12;
    const rows = Array.from({ length: 60 }, (_, k) =>
      trial(`t${k}`, 0, {
        episodes: [{
          observations: Array.from({ length: steps + 1 }, () => 0),
          actions: Array.from({ length: steps }, () => 0),
          rewards: Array.from({ length: steps }, () => 0),
          terminated: false,
          truncated: true,
        }],
      }));
    const flags = [
      ...SIZES,
      ..."--context 4 --offset random --seed 3".split(" "),
    ];
    const firsts = async (given: ReadonlyArray<Trial>) => {
      const { columns } = await packed(folder, given, flags);
      const windows = columns["positions"]!.filter((_, i) => i % 4 === 0);
      return windows.filter((p) => p < 4);
    };
    const found = await firsts(rows);
    equal(found.length, 60);
    deepEqual([...new Set(found)].sort(), [0, 1, 2, 3]);
    deepEqual(await firsts(rows.toReversed()), found.toReversed());
  }));

Deno.test("pack says what cannot be packed", () =>
  withFolder(async (folder) => {
    const good = trial("a", 0);
    const say = async (rows: ReadonlyArray<Trial>, flags: string) => {
      fs.writeFileSync(`${folder}/rows.jsonl`, lines(rows));
      const words = `pack --out p --overwrite ${flags} rows.jsonl`.split(" ");
      const { code, err } = await retrial(folder, words);
      return `${code} ${err}`;
    };
    const sizes = "--context 4 --observations 9 --actions 4";
    match(
      await say([good], "--context 4"),
      /^65 .*task.env is toy, which is not known/,
    );
    match(
      await say([good], `${sizes} --label best`),
      /^65 .*line 1: episodes\[0\].labels.best is missing/,
    );
    const list = { best: [0, 1] };
    const first = { ...good.episodes[0]!, labels: list };
    const some = { ...good, episodes: [first, { ...first, labels: {} }] };
    match(
      await say([some], `${sizes} --label best`),
      /^65 .*line 1: episodes\[1\].labels.best is missing/,
    );
    const high = { ...first, labels: { best: [0, 7] } };
    match(
      await say(
        [{ ...good, episodes: [first, high] }],
        `${sizes} --label best`,
      ),
      /^65 .*episodes\[1\].labels.best\[1\] is 7, not an integer below 4/,
    );
    match(
      await say([good], `${sizes} --columns values`),
      /^2 .*Cannot pack column values/,
    );
    match(
      await say([good], `${sizes} --columns returns`),
      /^65 .*episodes\[0\].returns is missing/,
    );
    match(
      await say([good], "--context 4 --observations 1 --actions 4"),
      /^65 .*observations\[1\] is 1, not an integer below 1/,
    );
    match(await say([], sizes), /^65 .*Cannot pack: no rows/);
    const text = {
      ...good,
      episodes: [{ ...good.episodes[0]!, observations: ["a", "b", "c"] }],
    };
    match(
      await say([text], sizes),
      /^65 .*episodes\[0\].observations: a number expected, found/,
    );
    const words = `pack ${sizes} --out p rows.jsonl`.split(" ");
    fs.writeFileSync(`${folder}/rows.jsonl`, lines([good]));
    succeeded(await retrial(folder, [...words, "--overwrite"]));
    match((await retrial(folder, words)).err, /it is not empty/);
  }));

Deno.test("where a composed row changes its task, a task starts", () =>
  withFolder(async (folder) => {
    const rows = ["a", "a", "b"].map((task, k) => trial(task, k));
    fs.writeFileSync(`${folder}/all.jsonl`, lines(rows));
    const words = "compose --sets 3 all.jsonl".split(" ");
    const context = succeeded(await retrial(folder, words));
    const flags = [...SIZES, "--context", "6"];
    const { columns } = await packed(folder, [JSON.parse(context)], flags);
    deepEqual(columns["starts"], [3, 0, 1, 0, 3, 0]);
  }));

Deno.test("an episode without steps ends nowhere", () =>
  withFolder(async (folder) => {
    const part = (steps: number, terminated: boolean) => ({
      observations: Array.from({ length: steps + 1 }, () => 0),
      actions: Array.from({ length: steps }, () => 0),
      rewards: Array.from({ length: steps }, () => 0),
      terminated,
      truncated: !terminated,
    });
    const episodes = [part(1, false), part(0, true), part(1, false)];
    const row = trial("a", 0, { episodes });
    const flags = [...SIZES, "--context", "2"];
    const { columns } = await packed(folder, [row], flags);
    deepEqual(columns["ends"], [2, 2]);
    deepEqual(columns["starts"], [3, 1]);
  }));

Deno.test("files are whole, hashed as they lie, and filled anew without a trace", () =>
  withFolder(async (folder) => {
    // More files than are on their way at once; 2,000 steps are 6 windows and a part.
    const made =
      "generate --env dark-room --tasks 2200 --episodes 100 --out rows --shards 1"
        .split(" ");
    succeeded(await retrial(folder, made));
    const words = "pack --context 300 --out packs rows".split(" ");
    succeeded(await retrial(folder, words));
    const { files, inputs, windows, steps } = JSON.parse(
      fs.readFileSync(`${folder}/packs/pack.json`, "utf8"),
    );
    const sha256 = (file: string) =>
      createHash("sha256").update(fs.readFileSync(file)).digest("hex");
    ok(files.length > 5, `${files.length} files`);
    equal(windows, 2200 * 7);
    equal(steps, 2200 * 2000);
    const [input] = inputs;
    equal(input.sha256, sha256(`${folder}/packs/${input.file}`));
    let seen = 0;
    for (const { file, bytes, sha256: hash } of files) {
      const whole = `${folder}/packs/${file}`;
      equal(fs.statSync(whole).size, bytes);
      equal(sha256(whole), hash);
      const { tensors } = decodeSafetensors(
        new Uint8Array(fs.readFileSync(whole)),
      );
      const { mask, ...columns } = tensors;
      const there = mask!.data as Uint8Array;
      there.forEach((one, i) => {
        if (one === 1) return seen++;
        for (const [name, { data }] of Object.entries(columns)) {
          const none = name.endsWith("actions") ? -1 : 0;
          if (data[i] !== none) equal(data[i], none, `${file} ${name} ${i}`);
        }
      });
    }
    equal(seen, steps);
    deepEqual(fs.readdirSync(`${folder}/packs`).length, files.length + 1);
  }));

/** Tensors whatever their types. */
function asNumbers(tensors: Tensors) {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) =>
      [name, { shape, data: Float64Array.from(data as Float64Array) }] as const
    ),
  );
}

Deno.test("integers are as narrow as they may be, and read as one column", () =>
  withFolder(async (folder) => {
    const made = "generate --env dark-room --tasks 5 --episodes 2".split(" ");
    const rows: Array<Trial> = succeeded(await retrial(folder, made)).trim()
      .split("\n").map((line) => JSON.parse(line));
    // What is seen in each trial: rooms of 81 cells have no such, packs may.
    const seen = [127, 128, 32767, 5, 32768];
    const given = rows.map((row, k) => ({
      ...row,
      episodes: row.episodes.map((episode) => ({
        ...episode,
        observations: episode.observations.map((_, t) =>
          t === 1 ? seen[k]! : t
        ),
      })),
    }));
    const { description, columns } = await packed(folder, given, [
      "--context",
      "40",
    ]);
    equal(description["steps"], 5 * 40);
    const packs = openPacks(`${folder}/packs`);
    const types = packs.files.map(({ places }) =>
      places["observations"]!.dtype
    );
    deepEqual(types, ["I8", "I16", "I32"]);
    const { places } = packs.files[2]!;
    deepEqual(
      ["next_observations", "actions", "previous_actions", "positions"]
        .map((name) => places[name]!.dtype),
      ["I32", "I8", "I8", "I8"],
    );
    const order = Int32Array.of(4, 0, 2, 1, 3);
    const read = gather(packs, order, "observations", (n) => new Int32Array(n));
    packs.close();
    deepEqual(
      [...read],
      [...order].flatMap((w) =>
        columns["observations"]!.slice(w * 40, (w + 1) * 40)
      ),
    );
    deepEqual(
      [...order].map((_, i) => [read[i * 40 + 1], read[i * 40 + 21]]),
      [...order].map((w) => [seen[w], seen[w]]),
    );
  }));

peerTest(
  "NumPy packs the same arrays",
  ["numpy", "safetensors"],
  () =>
    withFolder(async (folder) => {
      const made =
        "generate --env frozen-lake --tasks 30 --episodes 30 --policy frontier --seed 3 then label --reference frontier"
          .split(" ");
      fs.writeFileSync(
        `${folder}/rows`,
        succeeded(await retrial(folder, made)),
      );
      const words = "pack --context 64 --label frontier --out packs rows";
      succeeded(await retrial(folder, words.split(" ")));
      const args = [`${folder}/rows`, "64", "frontier", folder];
      await python("bench/pack.py", args);
      const [ours, theirs] = [`${folder}/packs`, folder].map((own) =>
        decodeSafetensors(
          new Uint8Array(fs.readFileSync(`${own}/pack-00000.safetensors`)),
        ).tensors
      );
      deepEqual(asNumbers(ours!), asNumbers(theirs!));
    }),
);
