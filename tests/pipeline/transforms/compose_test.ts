import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import * as fs from "node:fs";
import type { Trial } from "../../../pipeline/schema.ts";
import type { AnyOptions } from "../../../pipeline/flags.ts";
import { compose } from "../../../pipeline/transforms/compose.ts";
import { near } from "../../laws.ts";
import { retrial, succeeded, withFolder } from "../../shell.ts";
import { apply, episode, failure, lines, trial } from "../trials.ts";

/** Trials whose every episode is told by its first reward. */
const someTrials = fc.array(
  fc.array(
    fc.record({ steps: fc.integer({ min: 1, max: 5 }), success: fc.boolean() }),
    {
      minLength: 1,
      maxLength: 8,
    },
  ),
  { minLength: 1, maxLength: 8 },
).map((all) => {
  let mark = 0;
  return all.map((episodes, k) =>
    trial(`t${k >> 1}`, k % 2, {
      episodes: episodes.map(({ steps, success }) =>
        episode([mark++, ...Array.from({ length: steps - 1 }, () => 0)], {
          success,
        })
      ),
    })
  );
});

async function composed(
  rows: ReadonlyArray<Trial>,
  options: AnyOptions,
): Promise<ReadonlyArray<Trial>> {
  const out = await apply(compose, options, lines(rows));
  return out.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

type Boundary = ReadonlyArray<
  { readonly episode: number; readonly trial: string; readonly task: string }
>;

/** The sets of a context, each with its trial. */
function setsOf(context: Trial) {
  const boundary = context.boundary as Boundary;
  return boundary.map(({ episode, trial, task }, i) => ({
    trial,
    task,
    episodes: context.episodes.slice(episode, boundary[i + 1]?.episode),
  }));
}

const stepsIn = (episodes: Trial["episodes"]) =>
  episodes.reduce((sum, { actions }) => sum + actions.length, 0);

Deno.test("contexts are made of their trials' episodes, and say which", () =>
  fc.assert(
    fc.asyncProperty(
      someTrials,
      fc.record({
        set: fc.constantFrom(undefined, "1", "2..3"),
        every: fc.integer({ min: 1, max: 3 }),
        order: fc.constantFrom("played", "shuffled", "improving"),
        burstiness: fc.constantFrom(0, 0.5, 1),
        steps: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
        sets: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      }),
      async (rows, options) => {
        const contexts = await composed(rows, options);
        const sizes = options.set?.split("..").map(Number);
        for (const [i, context] of contexts.entries()) {
          const sets = setsOf(context);
          equal(context.id, `${sets[0]!.trial}+`);
          const tasks = new Set(sets.map(({ task }) => task));
          equal(context.task.id.startsWith("joined-"), tasks.size > 1);
          for (const { trial: id, task, episodes } of sets) {
            const row = rows.find((row) => row.id === id)!;
            equal(row.task.id, task);
            const marks = row.episodes.map(({ rewards }) => rewards[0]!);
            const indices = episodes.map(({ rewards }) =>
              marks.indexOf(rewards[0]!)
            );
            episodes.forEach((one, k) =>
              deepEqual(one, row.episodes[indices[k]!])
            );
            equal(new Set(indices).size, indices.length);
            ok(indices.every((e) => e % options.every === 0));
            const kept = Math.ceil(row.episodes.length / options.every);
            const [low, high = low] = sizes ?? [kept];
            ok(
              indices.length >= Math.min(low!, kept) && indices.length <= high!,
            );
            if (options.order !== "shuffled") {
              // Marks rise as they were played, and are what an episode pays.
              deepEqual(indices, indices.toSorted((a, b) => a - b));
            }
          }
          const before = stepsIn(
            sets.slice(0, -1).flatMap(({ episodes }) => episodes),
          );
          const most = options.sets ??
            (options.steps === undefined ? 1 : Infinity);
          ok(sets.length <= most && before < (options.steps ?? Infinity));
          const isFull = sets.length === most ||
            stepsIn(context.episodes) >= (options.steps ?? Infinity);
          const isAlone = options.burstiness === 1;
          ok(isFull || i === contexts.length - 1 && !isAlone);
          if (isAlone) equal(new Set(sets.map(({ trial }) => trial)).size, 1);
        }
        const used = new Set(
          contexts.flatMap((c) => setsOf(c).map(({ trial }) => trial)),
        );
        equal(used.size, rows.length);
      },
    ),
    { numRuns: 150 },
  ));

Deno.test("successful episodes are drawn by their odds", async () => {
  const one = trial("a", 0, {
    episodes: [true, false, false, false].map((success) =>
      episode([1], { success })
    ),
  });
  const rows = Array.from(
    { length: 4000 },
    (_, k) => ({ ...one, id: `a/${k}`, sample: k }),
  );
  for (
    const [odds, share] of [[5, 5 / 8], [1, 1 / 4], [0.2, 0.2 / 3.2], [
      0,
      0,
    ]] as const
  ) {
    const contexts = await composed(rows, { set: "1", "success-odds": odds });
    const solved = contexts.filter(({ episodes }) =>
      episodes[0]!.success
    ).length;
    const se = Math.sqrt(share * (1 - share) / rows.length) + 1e-9;
    near({ mean: solved / contexts.length, se }, share);
  }
});

Deno.test("what is composed depends on seed and ids alone, set by set", async () => {
  const rows = Array.from(
    { length: 12 },
    (_, k) =>
      trial(`t${k}`, 0, {
        episodes: [1, 2, 3, 4, 5].map((mark) => episode([10 * k + mark])),
      }),
  );
  const options = { set: "2", order: "shuffled", seed: "4" };
  const forward = await composed(rows, options);
  const backward = await composed(rows.toReversed(), options);
  deepEqual(backward.toReversed(), forward);
  const other = await composed(rows, { ...options, seed: "5" });
  ok(JSON.stringify(other) !== JSON.stringify(forward));
});

Deno.test("compose refuses sizes that are none", async () => {
  for (const set of ["0", "3..2", "x", "1..", "-1"]) {
    const { message } = await failure(composed([trial("a", 0)], { set }));
    match(
      message,
      /^Cannot set --set to ".*": not a count from 1, or two such as 20..40$/,
    );
  }
});

Deno.test("what was put together stands on manifest and card", () =>
  withFolder(async (folder) => {
    const run = (text: string) => retrial(folder, text.split(" "));
    const world = "--env frozen-lake --tasks 40 --episodes 12 --seed 3";
    succeeded(await run(`generate ${world} --policy frontier --out lake`));
    succeeded(
      await run(
        "compose --set 2..5 --order shuffled --success-odds 5 --sets 3 --burstiness 0.3 --seed 1 --out made lake",
      ),
    );
    const file = `${folder}/made/data/train-00000-of-00001.jsonl`;
    const rows: ReadonlyArray<Trial> = fs.readFileSync(file, "utf8").split("\n")
      .filter(Boolean).map((line) => JSON.parse(line));
    const sets = rows.map(setsOf);
    const count = (of: (i: number) => number) =>
      rows.reduce((sum, _, i) => sum + of(i), 0);
    const trialsIn = (i: number) => new Set(sets[i]!.map((s) => s.trial)).size;
    const wanted = {
      sets: count((i) => sets[i]!.length),
      episodes: count((i) => rows[i]!.episodes.length),
      successes: count((i) =>
        rows[i]!.episodes.filter(({ success }) => success).length
      ),
      joined: count((i) =>
        Number(new Set(sets[i]!.map((s) => s.task)).size > 1)
      ),
      bursty: count((i) => Number(sets[i]!.length > 1 && trialsIn(i) === 1)),
    };
    ok(wanted.joined > 0 && wanted.bursty > 0);
    const text = (name: string) =>
      fs.readFileSync(`${folder}/made/${name}`, "utf8");
    deepEqual(JSON.parse(text("manifest.json")).totals.composed, wanted);
    const each = (wanted.sets / rows.length).toFixed(1);
    const share = (100 * wanted.joined / rows.length).toFixed(1);
    match(text("README.md"), new RegExp(`on average ${each} sets`));
    match(text("README.md"), new RegExp(`${share} % of contexts join several`));
  }));
