import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { sample } from "../../../pipeline/transforms/sample.ts";
import { smallest } from "../../../pipeline/transforms/smallest.ts";
import { apply, failure, ids, trial } from "../trials.ts";
import { chiSquared } from "./chi_squared.ts";

const rows = Array.from({ length: 400 }, (_, i) => trial(`t${i >> 2}`, i & 3));

Deno.test("sample does not depend on order or sharding", () =>
  fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(rows, { minLength: rows.length }),
      fc.nat(rows.length),
      fc.constantFrom("row", "task"),
      async (shuffled, cut, by) => {
        const given = { fraction: 0.3, by };
        const whole = ids(await apply(sample, given, rows)).sort();
        const first = await apply(sample, given, shuffled.slice(0, cut));
        const second = await apply(sample, given, shuffled.slice(cut));
        deepEqual(ids(first + second).sort(), whole);
        const counted = { count: 17, by };
        const once = ids(await apply(sample, counted, rows)).sort();
        const again = ids(await apply(sample, counted, shuffled)).sort();
        deepEqual(again, once);
      },
    ),
    { numRuns: 10 },
  ));

Deno.test("sample --fraction keeps that many, and nests", async () => {
  const many = Array.from({ length: 4000 }, (_, i) => trial(`t${i}`, 0));
  const kept = ids(await apply(sample, { fraction: 0.3 }, many));
  const statistic = chiSquared([kept.length, 4000 - kept.length], [0.3, 0.7]);
  ok(statistic < 10.83, `kept ${kept.length}`);
  const fewer = ids(await apply(sample, { fraction: 0.1 }, many));
  const within = new Set(kept);
  ok(fewer.length > 0 && fewer.every((id) => within.has(id)));
  equal(await apply(sample, { fraction: 0 }, many), "");
  deepEqual(ids(await apply(sample, { fraction: 1 }, many)).length, 4000);
});

Deno.test("sample --count keeps every pair of five equally often", async () => {
  const five = rows.filter((row) => row.sample === 0).slice(0, 5);
  const seen = new Map<string, number>();
  for (let seed = 0; seed < 1000; seed++) {
    const kept = ids(await apply(sample, { count: 2, seed: `${seed}` }, five));
    equal(kept.length, 2);
    seen.set(kept.join(), (seen.get(kept.join()) ?? 0) + 1);
  }
  equal(seen.size, 10);
  // The 0.999 quantile at 9 degrees of freedom.
  const statistic = chiSquared([...seen.values()], Array(10).fill(0.1));
  ok(statistic < 27.88, `chi-squared is ${statistic}`);
});

Deno.test("sample --count gives rows in the order they came", async () => {
  const kept = ids(await apply(sample, { count: 50 }, rows));
  equal(kept.length, 50);
  const places = kept.map((id) => rows.findIndex((row) => row.id === id));
  deepEqual(places, [...places].sort((a, b) => a - b));
});

Deno.test("sample --count counts rows of one id, and has all of few", async () => {
  const same = Array(10).fill(trial("a", 0));
  equal(ids(await apply(sample, { count: 3 }, same)).length, 3);
  equal(ids(await apply(sample, { count: 30 }, same)).length, 10);
  equal(await apply(sample, { count: 0 }, same), "");
});

Deno.test("sample --by keeps tasks or worlds whole", async () => {
  const kept = ids(await apply(sample, { count: 5, by: "task" }, rows));
  equal(kept.length, 20);
  equal(new Set(kept.map((id) => id.split("/")[0])).size, 5);
  const worlds = rows.map((row) => {
    const world = `w${Number(row.task.id.slice(1)) >> 1}`;
    return { ...row, task: { ...row.task, world } };
  });
  const given = { count: 5, by: "world" };
  equal(ids(await apply(sample, given, worlds)).length, 40);
});

Deno.test("sample asks for one of --fraction and --count", async () => {
  const both = await failure(apply(sample, { count: 1, fraction: 1 }, rows));
  match((both as Error).message, /give either --fraction or --count/);
  equal((await failure(apply(sample, {}, rows)))._tag, "UsageError");
  const seed = await failure(apply(sample, { count: 1, seed: "-1" }, rows));
  equal(seed._tag, "UsageError");
});

Deno.test("smallest() keeps what sorting keeps", () =>
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.nat(12), (numbers, size) => {
      const kept = smallest<number>(size, (a, b) => a - b);
      const gone = numbers.map((n) => kept.offer(n));
      const sorted = [...numbers].sort((a, b) => a - b);
      deepEqual([...kept.items()].sort((a, b) => a - b), sorted.slice(0, size));
      const left = gone.filter((n) => n !== undefined).sort((a, b) => a - b);
      deepEqual(left, sorted.slice(size));
    }),
  ));
