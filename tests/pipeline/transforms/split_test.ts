import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { fromTrials } from "../../../pipeline/jsonl.ts";
import type { Trial } from "../../../pipeline/schema.ts";
import { parseParts, split } from "../../../pipeline/transforms/split.ts";
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import { apply, failure, ids, lines, trial } from "../trials.ts";
import { chiSquared } from "./chi_squared.ts";

const DEFAULTS = { parts: "train=0.8,test=0.2", seed: "0" };

/** The ids that a router deals to each part. */
async function dealt(
  rows: ReadonlyArray<Trial>,
  options: { readonly parts: string; readonly seed: string } = DEFAULTS,
): Promise<ReadonlyArray<ReadonlyArray<string>>> {
  const router = split.router!(options)!;
  const parts: Array<Array<string>> = router.splits.map(() => []);
  const deal = Stream.runForEach(
    fromTrials(rows),
    (batch) =>
      Effect.sync(() => {
        router.route(batch).forEach((bytes, i) =>
          parts[i]!.push(...ids(new TextDecoder().decode(bytes)))
        );
      }),
  );
  await Effect.runPromise(deal);
  return parts;
}

function onWorld(task: string, sample: number, world: string): Trial {
  const row = trial(task, sample);
  return { ...row, task: { ...row.task, world } };
}

const rows = fc.array(
  fc.tuple(fc.nat(40), fc.nat(3), fc.nat(9)).map(([task, sample, world]) =>
    world === 9
      ? trial(`t${task}`, sample)
      : onWorld(`t${task}`, sample, `w${world}`)
  ),
  { minLength: 1, maxLength: 60 },
);

Deno.test("split has no hidden problem on two sides and loses no row", () =>
  fc.assert(
    fc.asyncProperty(rows, fc.nat(1000), async (rows, seed) => {
      const options = { parts: "a=0.4,b=0.3,c=0.3", seed: `${seed}` };
      const parts = await dealt(rows, options);
      const worldOfId = new Map<string, Set<string>>();
      rows.forEach(({ id, task }) => {
        const worlds = worldOfId.get(id) ?? new Set();
        worldOfId.set(id, worlds.add(task.world ?? task.id));
      });
      const sides = new Map<string, Set<number>>();
      for (const [part, partIds] of parts.entries()) {
        for (const id of partIds) {
          const worlds = worldOfId.get(id)!;
          if (worlds.size > 1) continue;
          const [world] = worlds;
          sides.set(world!, (sides.get(world!) ?? new Set()).add(part));
        }
      }
      ok([...sides.values()].every((parts) => parts.size === 1));
      const all = rows.map((row) => row.id).sort();
      deepEqual(parts.flat().sort(), all);
    }),
  ));

Deno.test("split --only gives the part that the router gives", async () => {
  const rows = Array.from({ length: 50 }, (_, i) => trial(`t${i >> 1}`, i & 1));
  const [train, test] = await dealt(rows);
  ok(train!.length > 0 && test!.length > 0);
  deepEqual(ids(await apply(split, { only: "train" }, rows)), train);
  deepEqual(ids(await apply(split, { only: "test" }, rows)), test);
  const options = { ...DEFAULTS, only: "test" };
  equal(split.router!(options), undefined);
});

Deno.test("split deals tasks out by the fractions", async () => {
  const rows = Array.from({ length: 5000 }, (_, i) => trial(`task-${i}`, 0));
  const options = { parts: "a=0.5,b=0.3,c=0.2,d=0", seed: "11" };
  const counts = (await dealt(rows, options)).map((part) => part.length);
  equal(counts[3], 0);
  // The 0.999 quantile at 2 degrees of freedom.
  const statistic = chiSquared(counts.slice(0, 3), [0.5, 0.3, 0.2]);
  ok(statistic < 13.82, `chi-squared is ${statistic} for ${counts}`);
});

Deno.test("split keeps a task on its side when the seed and parts stay", async () => {
  const rows = Array.from({ length: 60 }, (_, i) => trial(`t${i}`, 0));
  const whole = await apply(split, { only: "test" }, rows);
  const second = await apply(split, { only: "test" }, rows.slice(30));
  ok(whole.endsWith(second));
  const other = await apply(split, { only: "test", seed: "1" }, rows);
  ok(other !== whole);
});

Deno.test("split to one stream says what to do", async () => {
  const error = await failure(apply(split, {}, [trial("a", 0)]));
  equal(error._tag, "UsageError");
  match((error as Error).message, /give --out DIR, or --only NAME/);
});

Deno.test("split refuses parts that are none", async () => {
  const refused = async (parts: string, message: RegExp, only = "train") => {
    const given = { parts, only };
    const error = await failure(apply(split, given, lines([trial("a", 0)])));
    equal(error._tag, "UsageError");
    match((error as Error).message, message);
  };
  await refused("train=0.8,test=0.1", /sum to 0.9, not to 1/);
  await refused("train=0.8,train=0.2", /train is there twice/);
  await refused("train=0.8,test", /test is not of the form name=fraction/);
  await refused("train=0.8,a b=0.2", /a b is not letters/);
  await refused("train=1.5,test=-0.5", /train=1.5 is not of the form/);
  await refused("train=1", /no part.*there is train/, "x");
  await refused("train=1", /did you mean train/, "trian");
});

Deno.test("parseParts() leaves nothing behind the last fraction", () => {
  const parts = parseParts("a=0.1,b=0.2,c=0.7");
  equal(parts.at(-1)!.below, 1);
  const thirds = "a=0.3333333333,b=0.3333333333,c=0.3333333333,d=0";
  deepEqual(parseParts(thirds).slice(2).map((part) => part.below), [1, 1]);
});
