import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  alias,
  beta,
  categorical,
  dirichlet,
  exponential,
  gamma,
  normal,
  permutation,
  shuffle,
} from "../../../kernels/random/distributions.ts";
import {
  type Generator,
  generator,
} from "../../../kernels/random/generator.ts";
import { rootKey } from "../../../kernels/random/key.ts";
import {
  betaCdf,
  follows,
  gammaCdf,
  matches,
  near,
  normalCdf,
} from "../../laws.ts";

const N = 200_000;

function sample(
  seed: number,
  draw: (random: Generator) => number,
  n: number = N,
): Float64Array {
  const random = generator(rootKey(seed));
  return Float64Array.from({ length: n }, () => draw(random));
}

function mean(values: Float64Array, f: (x: number) => number): number {
  return values.reduce((sum, x) => sum + f(x), 0) / values.length;
}

Deno.test("normal() follows the normal law", () => {
  follows(sample(1, normal), normalCdf);
});

Deno.test("normal() has the moments of the normal law", () => {
  const values = sample(2, normal, 1_000_000);
  const n = values.length;
  // Variances of the powers: E x^2k less the square of E x^k.
  const moments = [[1, 0, 1], [2, 1, 2], [3, 0, 15], [4, 3, 96]] as const;
  for (const [power, wanted, variance] of moments) {
    const measured = mean(values, (x) => x ** power);
    near({ mean: measured, se: Math.sqrt(variance / n) }, wanted);
  }
});

Deno.test("normal() has the tail beyond the base of the ziggurat", () => {
  const values = sample(3, normal, 3_000_000);
  const edge = 3.442619855899;
  const tail = values.filter((x) => Math.abs(x) > edge);
  const beyond = 2 * (1 - normalCdf(edge));
  const expected = values.length * beyond;
  ok(Math.abs(tail.length - expected) < 4 * Math.sqrt(expected));
  follows(
    tail,
    (x) =>
      x < 0
        ? normalCdf(x) / beyond
        : 0.5 + (normalCdf(x) - normalCdf(edge)) / beyond,
  );
});

Deno.test("exponential() follows the exponential law", () => {
  follows(sample(4, exponential), (x) => 1 - Math.exp(-x));
});

for (const shape of [0.05, 0.5, 1, 2.5, 30]) {
  Deno.test(`gamma() follows the gamma law of shape ${shape}`, () => {
    const values = sample(5, (random) => gamma(random, shape));
    follows(values, (x) => gammaCdf(shape, x));
    near({ mean: mean(values, (x) => x), se: Math.sqrt(shape / N) }, shape);
  });
}

for (const [a, b] of [[1, 1], [0.5, 0.5], [2, 5], [30, 4]] as const) {
  Deno.test(`beta() follows the beta law of ${a} and ${b}`, () => {
    follows(
      sample(6, (random) => beta(random, a, b), 50_000),
      (x) => betaCdf(a, b, x),
    );
  });
}

Deno.test("beta() stays in [0, 1] for tiny shapes", () => {
  const values = sample(7, (random) => beta(random, 1e-4, 3e-4), 20_000);
  ok(values.every((x) => x >= 0 && x <= 1));
  near({ mean: mean(values, (x) => x), se: Math.sqrt(3 / 16 / 20_000) }, 0.25);
});

Deno.test("dirichlet() has beta marginals, and sums to 1", () => {
  const concentrations = [0.5, 1, 3.5];
  concentrations.forEach((own, i) => {
    const values = sample(8, (random) => {
      const point = dirichlet(random, concentrations);
      ok(Math.abs(point.reduce((a, b) => a + b) - 1) < 1e-12);
      return point[i]!;
    }, 30_000);
    follows(values, (x) => betaCdf(own, 5 - own, x));
  });
});

Deno.test("dirichlet() is a corner where everything underflows", () => {
  const point = dirichlet(generator(rootKey(9)), [1e-9, 1e-9]);
  deepEqual([...point].sort(), [0, 1]);
});

const weights = fc.array(
  fc.oneof(
    fc.constant(0),
    fc.double({
      min: 1e-6,
      max: 1e6,
      noNaN: true,
    }),
  ),
  { minLength: 1, maxLength: 40 },
).filter((ws) => ws.some((w) => w > 0));

Deno.test("alias() holds exactly the shares of its weights", () => {
  fc.assert(fc.property(weights, (ws) => {
    const { stay, other } = alias(ws);
    const total = ws.reduce((a, b) => a + b);
    const shares = new Float64Array(ws.length);
    for (let i = 0; i < ws.length; i++) {
      ok(stay[i]! >= 0 && stay[i]! <= 1 + 1e-9);
      shares[i]! += stay[i]! / ws.length;
      shares[other[i]!]! += (1 - stay[i]!) / ws.length;
    }
    ws.forEach((w, i) => ok(Math.abs(shares[i]! - w / total) < 1e-9));
  }));
});

Deno.test("categorical() draws by weight, and never what weighs nothing", () => {
  const ws = [0, 1, 2, 0, 3, 0.5, 0];
  const counts = new Float64Array(ws.length);
  const random = generator(rootKey(10));
  const table = alias(ws);
  for (let i = 0; i < N; i++) counts[categorical(random, table)]!++;
  matches(counts, ws.map((w) => N * w / 6.5));
});

Deno.test("alias() refuses weights without a finite positive sum", () => {
  for (const bad of [[], [0, 0], [1, NaN], [Infinity]]) {
    throws(() => alias(bad), /Cannot draw from weights/);
  }
});

Deno.test("permutation() gives all orders of four equally often", () => {
  const counts = new Map<string, number>();
  const random = generator(rootKey(11));
  for (let i = 0; i < 48_000; i++) {
    const order = permutation(random, 4).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  equal(counts.size, 24);
  matches([...counts.values()], new Float64Array(24).fill(2000));
});

Deno.test("shuffle() keeps its items", () => {
  fc.assert(fc.property(fc.array(fc.nat()), fc.nat(), (items, s) => {
    const shuffled = shuffle(generator(rootKey(s)), [...items]);
    deepEqual(shuffled.sort(), [...items].sort());
  }));
});
