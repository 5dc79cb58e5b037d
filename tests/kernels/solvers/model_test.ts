import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { normal } from "../../../kernels/random/distributions.ts";
import {
  generator,
  integer,
  uniform,
} from "../../../kernels/random/generator.ts";
import { rootKey } from "../../../kernels/random/key.ts";
import {
  bonusScale,
  emptyModel,
  emptyPlan,
  learnStep,
  rewardDeviation,
  sweepModel,
  visitsOf,
} from "../../../kernels/solvers/model.ts";

/** The learner as it is described: dense arrays, every sum in full. */
function dense(n: number, actions: number) {
  const size = n * actions * n;
  const count = new Float64Array(size).fill(0.01);
  const seen = new Float64Array(size);
  const mean = new Float64Array(size);
  const q = new Float64Array(n * actions);
  const over = new Set<number>();
  const best = (s: number) =>
    Math.max(...q.subarray(s * actions, (s + 1) * actions));
  return {
    q,
    learn(s: number, a: number, r: number, j: number, ended: boolean) {
      const k = (s * actions + a) * n + j;
      count[k] = count[k]! + 1;
      seen[k] = seen[k]! + 1;
      mean[k] = mean[k]! + (r - mean[k]!) / seen[k]!;
      if (ended) over.add(j);
    },
    deviation() {
      const m = mean.reduce((a, b) => a + b, 0) / size;
      return Math.sqrt(mean.reduce((sum, x) => sum + (x - m) ** 2, 0) / size);
    },
    visits: (row: number) =>
      count.subarray(row * n, (row + 1) * n).reduce((a, b) => a + b, 0),
    sweep(gamma: number) {
      for (const s of over) q.fill(0, s * actions, (s + 1) * actions);
      for (let row = 0; row < n * actions; row++) {
        if (over.has(Math.floor(row / actions))) continue;
        let [total, sum] = [0, 0];
        for (let j = 0; j < n; j++) {
          const k = row * n + j;
          total += count[k]!;
          sum += count[k]! * (mean[k]! + gamma * best(j));
        }
        q[row] = sum / total;
      }
    },
  };
}

Deno.test("sweepModel() is the dense sweep, to rounding", () => {
  const anything = fc.record({
    seed: fc.nat(),
    n: fc.integer({ min: 2, max: 9 }),
    actions: fc.integer({ min: 1, max: 4 }),
    steps: fc.integer({ min: 0, max: 300 }),
  });
  fc.assert(fc.property(anything, ({ seed, n, actions, steps }) => {
    const random = generator(rootKey(seed));
    const model = emptyModel(n, actions);
    const plan = emptyPlan(n, actions);
    const wanted = dense(n, actions);
    let s = 0;
    for (let i = 0; i < steps; i++) {
      const [a, j] = [integer(random, actions), integer(random, n)];
      const [r, ended] = [normal(random) * 3, j === n - 1];
      learnStep(model, s, a, r, j, ended);
      wanted.learn(s, a, r, j, ended);
      s = ended ? 0 : j;
      if (uniform(random) > 0.1) continue;
      sweepModel(model, plan, 0.99);
      wanted.sweep(0.99);
    }
    wanted.q.forEach((x, row) => {
      ok(Math.abs(x - plan.q[row]!) < 1e-9, `${x} is not ${plan.q[row]}`);
      ok(Math.abs(wanted.visits(row) - visitsOf(model, row)) < 1e-9);
    });
    ok(Math.abs(rewardDeviation(model) - wanted.deviation()) < 1e-7);
  }));
});

Deno.test("bonusScale() is at least that of a deviation of 0.01", () => {
  const model = emptyModel(2, 1);
  equal(bonusScale(model, 2, 0.5), 0.04);
  learnStep(model, 0, 0, 8, 1, false);
  // R̂ is 8 and three times 0.
  equal(bonusScale(model, 2, 0.5), 4 * Math.sqrt(12));
});
