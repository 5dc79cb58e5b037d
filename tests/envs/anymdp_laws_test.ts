/** Parts of AnyMDP tasks, before any is refused, against their laws. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { drawRewards } from "../../envs/anymdp/rewards.ts";
import {
  drawEnds,
  drawRow,
  drawSpan,
  drawStarts,
} from "../../envs/anymdp/structure.ts";
import { drawFrame } from "../../envs/anymdp/sample.ts";
import {
  drawActions,
  drawRows,
  rowScratch,
  shareOut,
} from "../../envs/anymdp/transitions.ts";
import { generator, integer, uniform } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { follows, matches, near, normalCdf } from "../laws.ts";
import { moments } from "./play.ts";

const random = generator(rootKey(1));
const N = 20_000;

function share(hits: number, n: number = N) {
  return { mean: hits / n, se: Math.sqrt(0.25 / n) };
}

Deno.test("drawStarts() has 12/7 starts of the mean", () => {
  let [count, first] = [0, 0];
  for (let i = 0; i < N; i++) {
    const { starts, startProbability } = drawStarts(random, 16)!;
    count += starts.length;
    first += starts.indexOf(0) < 0 ? 0 : startProbability[starts.indexOf(0)]!;
  }
  // Three coins, given that not all fall wrong: 1.5 / (7 / 8).
  near({ mean: count / N, se: 0.8 / Math.sqrt(N) }, 12 / 7);
  near({ mean: first / N, se: 0.5 / Math.sqrt(N) }, 1 / 3);
});

Deno.test("drawEnds() has no pitfall rate one time in three, goals three in ten", () => {
  let [bare, goals] = [0, 0];
  for (let i = 0; i < N; i++) {
    const { ends, goal } = drawEnds(random, 400, [0, 2])!;
    equal(ends[0]! + ends[2]!, 0);
    equal(ends[399], goal ? 1 : 0);
    goals += goal ? 1 : 0;
    let count = 0;
    for (let s = 0; s < 399; s++) count += ends[s]!;
    // With 400 states a rate that is not 0 hardly ever flags none.
    bare += count === 0 ? 1 : 0;
    ok(count <= 400 * 0.4 + 1);
  }
  near(share(goals), 0.3);
  // Rates below 1 / 400 come with probability 0.4 percent.
  ok(bare / N > 0.325 && bare / N < 0.35);
});

Deno.test("drawSpan() keeps to the band, and sees two ranks ahead", () => {
  const anything = fc.record({
    seed: fc.nat(),
    n: fc.integer({ min: 2, max: 60 }),
    rate: fc.constantFrom(0, 0.3, 0.9),
  });
  fc.assert(fc.property(anything, ({ seed, n, rate }) => {
    const own = generator(rootKey(seed));
    const ends = Uint8Array.from(
      { length: n },
      () => uniform(own) < rate ? 1 : 0,
    );
    const s = integer(own, n);
    const { from, to } = drawSpan(own, ends, s);
    ok(from >= Math.max(0, s - Math.max(2, Math.floor(n / 2) + 1)));
    ok(from <= Math.max(0, s - 1) && to > from + 1 && to <= n);
    const ahead = ends.subarray(s + 1, to).filter((x) => x === 0).length;
    ok(ahead >= 2 || to === n);
    // Only for want of such ranks does it go beyond n/4 + 1 ahead.
    const leap = Math.max(2, Math.floor(n / 4) + 1);
    ok(to < s + leap || to === n || ahead === 2 || s === n - 1);
  }));
});

Deno.test("drawRow() has weights of clipped normals", () => {
  const row = new Float64Array(2);
  const low: Array<number> = [];
  let [least, most] = [0, 0];
  for (let i = 0; i < N; i++) {
    drawRow(random, 16, 5, { from: 7, to: 9 }, row);
    const ratio = row[0]! / row[1]!;
    low.push(row[0]!);
    if (Math.abs(ratio - 0.1) < 1e-12) least++;
    if (Math.abs(ratio - 1) < 1e-12) most++;
  }
  const [floor, roof] = [normalCdf(0.1), 1 - normalCdf(1)];
  near(share(least), floor * roof);
  near(share(most), floor * floor + roof * roof);
  near(moments(low), 0.5);
});

Deno.test("drawRow() halves the loop, and has none at the top", () => {
  const row = new Float64Array(3);
  let ratio = 0;
  for (let i = 0; i < N; i++) {
    drawRow(random, 16, 5, { from: 4, to: 6 }, row);
    ratio += Math.log(row[1]! / row[0]!) / N;
  }
  ok(Math.abs(ratio - Math.log(0.5)) < 0.05);
  drawRow(random, 16, 15, { from: 13, to: 16 }, row);
  equal(row[2], 0);
});

Deno.test("shareOut() gives what no action is near to the nearest", () => {
  const out = new Float64Array(6);
  const row = Float64Array.of(0.25, 0.25, 0.5);
  const [centres, widths] = [Float64Array.of(0, 1), Float64Array.of(0.2, 0.2)];
  shareOut(row, { from: 0, to: 3 }, 2, centres, widths, out);
  // Rank 2 is exp(-25) near to action 1: as good as not, so it is that one's.
  deepEqual([...out].map((p) => Math.round(p * 1e9) / 1e9), [
    1,
    0,
    0,
    0,
    0.333333333,
    0.666666667,
  ]);
});

Deno.test("shareOut() nearly keeps the mean over actions of its row", () => {
  const own = generator(rootKey(3));
  const ends = new Uint8Array(32);
  let worst = 0;
  for (let i = 0; i < 200; i++) {
    const rows = drawRows(own, ends, 5, i % 2 === 1, rowScratch(32, 5))!;
    for (let row = 0; row < 32 * 5; row++) {
      let sum = 0;
      const first = rows.offset[row]!;
      for (let k = first; k < first + rows.to[row]! - rows.from[row]!; k++) {
        sum += rows.probability[k]!;
        ok(rows.probability[k]! >= 0);
      }
      worst = Math.max(worst, Math.abs(sum - 1));
    }
  }
  ok(worst < 1e-12);
});

Deno.test("drawRewards() has the parts of the published procedure", () => {
  const n = 16;
  const none = new Uint8Array(n);
  let [masked, waves, noisy] = [0, 0, 0];
  const rows = 4000;
  const steps: Array<number> = [];
  const goalEnds = Uint8Array.from(none, (_, s) => s === n - 1 ? 1 : 0);
  for (let i = 0; i < rows; i++) {
    const parts = drawRewards(random, none, false, 5);
    const own = parts.stateAction.subarray(0, 5);
    // A row without potential and mask is exactly 0, there being no step cost.
    const common = [...own].sort((a, b) => a - b)[2]!;
    if (common !== 0 && own.filter((x) => x === common).length > 1) waves++;
    masked += parts.stateAction.filter((x, k) =>
        x !== parts.stateAction[k - k % 5]
      ).length > 0
      ? 1
      : 0;
    noisy += parts.stateActionNoise.filter((x) => x > 0).length / 80;
    ok(parts.arrivalNoise.every((x) => x >= 0));
    const goal = drawRewards(random, goalEnds, true, 5);
    equal(goal.arrivalNoise[n - 1], 0);
    steps.push(Math.min(...goal.stateAction));
  }
  ok(masked / rows > 0.99);
  // Half of those that are masked have noise.
  near(share(noisy, rows), 0.15, 0, 2);
  // A potential one time in four; it is found where two arms share it.
  ok(Math.abs(waves / rows - 0.25 * 0.97) < 0.03, `${waves / rows}`);
});

Deno.test("drawRewards() of positions rise about a baseline between their ends", () => {
  const n = 12;
  const none = new Uint8Array(n);
  const shares: Array<number> = [];
  for (let i = 0; i < 8000; i++) {
    const { stateAction, arrival } = drawRewards(random, none, false, 2);
    // Only where there is no potential do positions stand alone.
    if (!stateAction.includes(0)) continue;
    const [first, last] = [arrival[0]!, arrival[n - 1]!];
    ok(arrival.every((x, j) => j === 0 || x >= arrival[j - 1]!));
    ok(last > first && last > 0);
    if (arrival[1] === first) shares.push(-first / (last - first));
  }
  // First rises are 0 half the time, and the baseline is then seen bare.
  const bare = shares.filter((x) => x > 0.1 && x < 0.9);
  ok(bare.length / shares.length > 0.6);
  follows(bare.filter((x) => x >= 0.25 && x <= 0.85), (x) => (x - 0.25) / 0.6);
});

Deno.test("drawRewards() has noise of state and action of 0.3 their scale", () => {
  const none = new Uint8Array(8);
  let [means, noises] = [0, 0];
  for (let i = 0; i < 8000; i++) {
    const parts = drawRewards(random, none, false, 5);
    if (!parts.stateAction.includes(0)) continue;
    for (let k = 0; k < 40; k++) {
      means += parts.stateAction[k]! ** 2;
      noises += parts.stateActionNoise[k]! ** 2;
    }
  }
  // E (0.3 max(0, N))² is half of 0.09.
  ok(Math.abs(noises / means - 0.045) < 0.003, `${noises / means}`);
});

Deno.test("drawActions() has centres in and about the span, widths clipped", () => {
  const centres: Array<number> = [];
  const widths: Array<number> = [];
  const own = { centres: new Float64Array(2), widths: new Float64Array(2) };
  for (let i = 0; i < N; i++) {
    drawActions(random, { from: 3, to: 9 }, 2, i % 2 === 1, own);
    centres.push(own.centres[0]!);
    widths.push(own.widths[1]!);
    equal(i % 2 === 0 && own.widths[0] !== own.widths[1], false);
  }
  follows(centres, (x) => (x - 2) / 7);
  near(share(widths.filter((x) => x === 0.2).length), 1 - Math.exp(-0.2));
  near(share(widths.filter((x) => x === 1.6).length), Math.exp(-1.6));
});

Deno.test("drawFrame() has the published lengths of episodes", () => {
  const lengths = [[8, 100, 101], [16, 100, 128], [32, 128, 256], [
    64,
    256,
    500,
  ], [128, 512, 513]] as const;
  for (const [states, low, high] of lengths) {
    const wanted = { states, minStates: 0 };
    const steps = Array.from(
      { length: 2000 },
      () => drawFrame(random, wanted).maxSteps,
    );
    follows(steps, (x) => (x - low) / (high - low));
  }
});

Deno.test("drawFrame() has any number of states from min-states up", () => {
  const wanted = { states: 12, minStates: 9 };
  const counts = new Float64Array(13);
  const ids = new Float64Array(12);
  for (let i = 0; i < N; i++) {
    const { mapping } = drawFrame(random, wanted);
    counts[mapping.length] = counts[mapping.length]! + 1;
    ids[mapping[3]!] = ids[mapping[3]!]! + 1;
  }
  matches(counts, Float64Array.from(counts, (_, n) => n < 9 ? 0 : N / 4));
  matches(ids, new Float64Array(12).fill(N / 12));
});
