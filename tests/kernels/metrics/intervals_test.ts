import { deepEqual, equal, notDeepEqual, ok, throws } from "node:assert/strict";
import * as fc from "fast-check";
import {
  bootstrap,
  quantile,
  ratioOf,
  wilson,
} from "../../../kernels/metrics/intervals.ts";
import { beta, exponential } from "../../../kernels/random/distributions.ts";
import { generator, uniform } from "../../../kernels/random/generator.ts";
import { foldIn, type Key, rootKey } from "../../../kernels/random/key.ts";
import { allClose } from "../../all_close.ts";
import { near } from "../../laws.ts";
import { peerTest, python } from "../../peers.ts";

Deno.test("wilson() gives the table of Newcombe 1998", () => {
  const table = [
    [81, 263, "0.2553", "0.3662"],
    [15, 148, "0.0624", "0.1605"],
    [0, 20, "0.0000", "0.1611"],
    [1, 29, "0.0061", "0.1718"],
  ] as const;
  for (const [c, n, low, high] of table) {
    deepEqual(wilson(c, n).map((p) => p.toFixed(4)), [low, high]);
  }
});

const counts = fc.integer({ min: 1, max: 2000 })
  .chain((n) => fc.tuple(fc.nat(n), fc.constant(n)));
const quantiles = fc.integer({ min: 1, max: 40 }).map((n) => n / 10);

Deno.test("wilson() ends where the score is z standard errors off", () =>
  fc.assert(fc.property(counts, quantiles, ([c, n], z) => {
    for (const p of wilson(c, n, z)) {
      allClose([(c / n - p) ** 2], [z * z * p * (1 - p) / n], 1e-12);
    }
    const [low, high] = wilson(c, n, z);
    ok(0 <= low && low <= c / n && c / n <= high && high <= 1 && low < high);
  })));

Deno.test("wilson() is the same with success and failure changed about", () =>
  fc.assert(fc.property(counts, ([c, n]) => {
    const [low, high] = wilson(c, n);
    allClose(wilson(n - c, n), [1 - high, 1 - low], 1e-12);
  })));

Deno.test("wilson() at the ends, of nothing, and of what cannot be", () => {
  equal(wilson(0, 7)[0], 0);
  equal(wilson(7, 7)[1], 1);
  deepEqual(wilson(0, 0), [0, 1]);
  for (const [c, n] of [[-1, 3], [4, 3], [NaN, 3]]) {
    throws(() => wilson(c!, n!), RangeError);
  }
});

peerTest("quantile() is numpy's", ["numpy"], async () => {
  const lists = fc.sample(
    fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1 }),
    { numRuns: 100, seed: 11 },
  ).map((list) => list.sort((a, b) => a - b));
  const levels = [0, 0.025, 0.3, 0.5, 0.975, 1];
  const printed = await python("credit_peer.py", [
    "quantiles",
    JSON.stringify([lists, levels]),
  ]);
  const found = lists.flatMap((list) => levels.map((q) => quantile(list, q)));
  allClose(found, JSON.parse(printed), 1e-12);
});

const OPTIONS = { resamples: 400, level: 0.9 };

Deno.test("bootstrap() depends on its key alone", () => {
  const mean = ratioOf([1, 5, 2, 8, 3], [1, 1, 1, 1, 1]);
  const of = (seed: string) => bootstrap(5, mean, rootKey(seed), OPTIONS);
  deepEqual(of("1"), of("1"));
  notDeepEqual(
    Array.from("123456", of),
    Array.from("123456", () => of("1")),
  );
});

Deno.test("bootstrap() draws as many groups as there are, each as likely", () => {
  const counts = new Float64Array(6);
  bootstrap(
    6,
    (drawn) => {
      equal(drawn.length, 6);
      drawn.forEach((group) => counts[group]!++);
      return 0;
    },
    rootKey("5"),
    { resamples: 20_000, level: 0.9 },
  );
  for (const count of counts) {
    const se = Math.sqrt(120_000 * (1 / 6) * (5 / 6));
    near({ mean: count, se }, 20_000);
  }
});

/** The share of `repeats` samples whose interval holds the truth, and its error. */
function coverage(
  repeats: number,
  interval: (key: Key) => readonly [number, number],
  truth: number,
) {
  let hits = 0;
  for (let i = 0; i < repeats; i++) {
    const [low, high] = interval(foldIn(rootKey("9"), i));
    if (low <= truth && truth <= high) hits++;
  }
  const mean = hits / repeats;
  return { mean, se: Math.sqrt(mean * (1 - mean) / repeats) };
}

Deno.test("bootstrap() covers the mean of tasks as often as it says", () => {
  const [tasks, trials] = [120, 6];
  // Tasks differ much, so that trials of one task tell little new.
  const covered = coverage(1500, (key) => {
    const random = generator(foldIn(key, "tasks"));
    const won = Float64Array.from({ length: tasks }, () => {
      const p = beta(random, 0.3, 0.3);
      let sum = 0;
      for (let i = 0; i < trials; i++) sum += Number(uniform(random) < p);
      return sum;
    });
    const rate = ratioOf(won, new Float64Array(tasks).fill(trials));
    return bootstrap(tasks, rate, foldIn(key, "draws"), OPTIONS);
  }, 0.5);
  // What a percentile interval lacks is of order 1 / tasks.
  near(covered, OPTIONS.level, 0.5 / tasks);
});

Deno.test("bootstrap() is as wide as the law of the mean says", () => {
  const groups = 2000;
  const random = generator(rootKey("21"));
  const values = Float64Array.from(
    { length: groups },
    () => exponential(random),
  );
  const mean = values.reduce((a, b) => a + b) / groups;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const resamples = 4000;
  const [low, high] = bootstrap(
    groups,
    ratioOf(values, new Float64Array(groups).fill(1)),
    rootKey("22"),
    { resamples, level: 0.6826894921370859 },
  );
  const sigma = Math.sqrt(squares) / groups;
  // A quantile q of B draws has deviation sqrt(q (1 - q) / B) over the density.
  const q = 0.15865525393145707;
  const density = Math.exp(-0.5) / Math.sqrt(2 * Math.PI) / sigma;
  const se = Math.sqrt(q * (1 - q) / resamples) / density;
  near({ mean: low, se }, mean - sigma);
  near({ mean: high, se }, mean + sigma);
});

Deno.test("bootstrap() refuses no groups and no number", () => {
  throws(() => bootstrap(0, () => 1, rootKey("1"), OPTIONS), RangeError);
  const nothing = ratioOf([0, 0], [0, 0]);
  throws(() => bootstrap(2, nothing, rootKey("1"), OPTIONS), RangeError);
});
