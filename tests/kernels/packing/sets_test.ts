import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { arrange, drawWeighted } from "../../../kernels/packing/sets.ts";
import { generator } from "../../../kernels/random/generator.ts";
import { rootKey } from "../../../kernels/random/key.ts";
import { matches } from "../../laws.ts";

Deno.test("drawWeighted() draws as drawing one by one by weight does", () => {
  const weights = [1, 5, 2];
  const random = generator(rootKey(1));
  const counts = new Float64Array(3);
  const draws = 30_000;
  for (let i = 0; i < draws; i++) {
    const [a, b] = drawWeighted(random, weights, 2);
    // The one that is left out names the pair.
    const left = 3 - a! - b!;
    counts[left] = counts[left]! + 1;
  }
  // {i, j} in either order: w[i] w[j] / W (1 / (W - w[i]) + 1 / (W - w[j])).
  const W = 8;
  const pair = (a: number, b: number) =>
    a * b / W * (1 / (W - a) + 1 / (W - b));
  const expected = [pair(5, 2), pair(1, 2), pair(1, 5)].map((p) => p * draws);
  matches(counts, Float64Array.from(expected));
});

Deno.test("drawWeighted() gives different indices, ascending, none of weight 0 before others", () => {
  const any = fc.record({
    weights: fc.array(fc.constantFrom(0, 0.2, 1, 5), { maxLength: 20 }),
    size: fc.nat(25),
    seed: fc.nat(),
  });
  fc.assert(fc.property(any, ({ weights, size, seed }) => {
    const drawn = drawWeighted(generator(rootKey(seed)), weights, size);
    equal(drawn.length, Math.min(size, weights.length));
    drawn.forEach((i, k) => ok(k === 0 || i > drawn[k - 1]!));
    const positive = weights.filter((w) => w > 0).length;
    const taken = [...drawn].filter((i) => weights[i]! > 0).length;
    equal(taken, Math.min(positive, drawn.length));
  }));
});

Deno.test("arrange() keeps what was drawn, in the order asked for", () => {
  const returns = [3, 1, 2, 1, 0];
  const indices = () => Int32Array.of(0, 1, 3, 4);
  const random = generator(rootKey(2));
  const played = indices();
  arrange(random, played, "played", returns);
  deepEqual([...played], [0, 1, 3, 4]);
  const improving = indices();
  arrange(random, improving, "improving", returns);
  deepEqual([...improving], [4, 1, 3, 0]);
  const firsts = new Set<number>();
  for (let i = 0; i < 100; i++) {
    const shuffled = indices();
    arrange(random, shuffled, "shuffled", returns);
    deepEqual([...shuffled].sort(), [0, 1, 3, 4]);
    firsts.add(shuffled[0]!);
  }
  equal(firsts.size, 4);
});
