/** Windows of steps, taken apart again. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import * as fs from "node:fs";
import { windowsOf } from "../../../kernels/packing/windows.ts";
import type { Trial } from "../../../pipeline/schema.ts";
import { retrial, succeeded, withFolder } from "../../shell.ts";
import { lines, trial } from "../trials.ts";
import { packed } from "./packed.ts";

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
