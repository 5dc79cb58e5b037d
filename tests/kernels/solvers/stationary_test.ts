import { deepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { stationary } from "../../../kernels/solvers/stationary.ts";
import { dirichlet } from "../../../kernels/random/distributions.ts";
import { generator, uniform } from "../../../kernels/random/generator.ts";
import { rootKey } from "../../../kernels/random/key.ts";

/** A chain with about `share` of its entries, each state with a way to state 0. */
function chain(seed: number, n: number, share: number): Float64Array {
  const random = generator(rootKey(seed));
  const p = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = dirichlet(random, new Float64Array(n).fill(1));
    const kept = row.map((x, j) => j === 0 || uniform(random) < share ? x : 0);
    const sum = kept.reduce((a, b) => a + b, 0);
    p.set(kept.map((x) => x / sum), i * n);
  }
  return p;
}

Deno.test("stationary() is left as it is by the chain", () => {
  fc.assert(fc.property(
    fc.nat(),
    fc.integer({ min: 1, max: 30 }),
    fc.constantFrom(0.1, 0.5, 1),
    (seed, n, share) => {
      const p = chain(seed, n, share);
      const pi = stationary(p, n);
      ok(Math.abs(pi.reduce((a, b) => a + b, 0) - 1) < 1e-12);
      for (let j = 0; j < n; j++) {
        const moved = pi.reduce((sum, x, i) => sum + x * p[i * n + j]!, 0);
        ok(pi[j]! >= 0 && Math.abs(moved - pi[j]!) < 1e-13);
      }
    },
  ));
});

Deno.test("stationary() keeps the digits of probabilities that are tiny", () => {
  // Birth and death: up with 1e-9, down with 1/2, so π_j falls by 2e-9 a state.
  const [n, up] = [12, 1e-9];
  const p = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    if (i > 0) p[i * n + i - 1] = 0.5;
    if (i < n - 1) p[i * n + i + 1] = up;
    p[i * n + i] = 1 - (i > 0 ? 0.5 : 0) - (i < n - 1 ? up : 0);
  }
  const pi = stationary(p, n);
  for (let j = 1; j < n; j++) {
    ok(Math.abs(pi[j]! / (pi[0]! * (2 * up) ** j) - 1) < 1e-12);
  }
});

Deno.test("stationary() is 0 where the chain does not stay", () => {
  const p = Float64Array.of(0.5, 0.5, 0, 0, 0, 1, 0, 1, 0);
  deepEqual([...stationary(p, 3)], [0, 0.5, 0.5]);
});
