import { deepEqual, equal, ok, throws } from "node:assert/strict";
import * as fc from "fast-check";
import {
  cumulativeSuccess,
  episodeSuccess,
  type Outcomes,
  passAtK,
} from "../../../kernels/metrics/success.ts";
import { allClose } from "../../all_close.ts";
import { goldenCases } from "../../golden.ts";

type Trials = ReadonlyArray<ReadonlyArray<boolean>>;

function outcomesOf(trials: Trials): Outcomes {
  let episodes = 0;
  return {
    success: Uint8Array.from(trials.flat(), Number),
    trialEnds: Int32Array.from(trials, ({ length }) => episodes += length),
    trials: trials.length,
  };
}

const [curve, unbiased] = goldenCases("metrics");

Deno.test("cumulativeSuccess() gives LaMer's success at episode k", () => {
  const { trials, N } = curve.inputs;
  const { won, counted } = cumulativeSuccess(outcomesOf(trials), N);
  const rates = Array.from(won, (n, k) => n / counted[k]!);
  deepEqual(rates, curve.expected.pass_at);
  for (const [trial, expected] of curve.expected.cumulative_success.entries()) {
    const alone = cumulativeSuccess(outcomesOf([trials[trial]]), N);
    deepEqual([...alone.won], expected);
  }
});

Deno.test("passAtK() gives the golden estimates", () => {
  const { n, c, k } = unbiased.inputs;
  const found = k.map((k: number) => passAtK(n, c, k));
  allClose(found, unbiased.expected, 1e-9);
});

const trials = fc.array(fc.array(fc.boolean(), { maxLength: 6 }), {
  maxLength: 8,
});

Deno.test("both senses of success are their definitions", () =>
  fc.assert(fc.property(trials, fc.nat(8), (trials, episodes) => {
    const outcomes = outcomesOf(trials);
    const cumulative = cumulativeSuccess(outcomes, episodes);
    const own = episodeSuccess(outcomes, episodes);
    for (let k = 0; k < episodes; k++) {
      const any = trials.filter((trial) =>
        trial.slice(0, k + 1).includes(true)
      );
      equal(cumulative.won[k], any.length);
      equal(cumulative.counted[k], trials.length);
      equal(own.won[k], trials.filter((trial) => trial[k]).length);
      equal(own.counted[k], trials.filter((trial) => k < trial.length).length);
    }
  })));

Deno.test("a trial that stops on success is solved in one sense, gone in the other", () => {
  const outcomes = outcomesOf([[true], [false, false]]);
  deepEqual([...cumulativeSuccess(outcomes, 2).won], [1, 1]);
  const { won, counted } = episodeSuccess(outcomes, 2);
  deepEqual([[...won], [...counted]], [[1, 0], [2, 1]]);
});

/** How many of the subsets of k tries hold a success, and how many there are. */
function subsets(won: ReadonlyArray<boolean>, k: number): [number, number] {
  let [hits, all] = [0, 0];
  for (let set = 0; set < 1 << won.length; set++) {
    const members = won.filter((_, i) => set & (1 << i));
    const size = [...won.keys()].filter((i) => set & (1 << i)).length;
    if (size !== k) continue;
    all++;
    if (members.includes(true)) hits++;
  }
  return [hits, all];
}

Deno.test("passAtK() is the share of subsets with a success", () => {
  for (let n = 1; n <= 8; n++) {
    for (let c = 0; c <= n; c++) {
      const won = Array.from({ length: n }, (_, i) => i < c);
      for (let k = 1; k <= n; k++) {
        const [hits, all] = subsets(won, k);
        allClose([passAtK(n, c, k)], [hits / all], 1e-15);
      }
    }
  }
});

/** C(n-c, k) / C(n, k) in exact integers, less from 1, to 17 digits. */
function exactly(n: number, c: number, k: number): number {
  let [above, below] = [1n, 1n];
  for (let i = 0; i < k; i++) {
    above *= BigInt(n - c - i);
    below *= BigInt(n - i);
  }
  const scale = 10n ** 40n;
  return Number((below - above) * scale / below) / 1e40;
}

Deno.test("passAtK() keeps its precision for many tries", () => {
  const cases = [
    [100_000, 1, 1],
    [100_000, 3, 200],
    [1_000_000, 999_000, 2],
    [5000, 2400, 2000],
    [1_000_000, 1, 1000],
    [300, 17, 150],
  ] as const;
  for (const [n, c, k] of cases) {
    const [found, expected] = [passAtK(n, c, k), exactly(n, c, k)];
    ok(Math.abs(found / expected - 1) < 1e-12, `${n} ${c} ${k}: ${found}`);
  }
  equal(passAtK(1e9, 0, 5), 0);
  equal(passAtK(1e9, 1e9 - 4, 5), 1);
});

Deno.test("passAtK() refuses what cannot be drawn", () => {
  for (
    const [n, c, k] of [[3, 4, 1], [3, 1, 4], [3, 1, 0], [3, -1, 1], [
      3.5,
      1,
      1,
    ]]
  ) throws(() => passAtK(n!, c!, k!), RangeError);
});
