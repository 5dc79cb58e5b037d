import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  bits,
  generator,
  integer,
  reseed,
  uniform,
} from "../../../kernels/random/generator.ts";
import { foldIn, rootKey } from "../../../kernels/random/key.ts";
import { follows, matches } from "../../laws.ts";

Deno.test("bits() gives the published outputs from state 1, 2, 3, 4", () => {
  const random = generator([1, 2, 3, 4]);
  deepEqual(Array.from({ length: 10 }, () => bits(random) >>> 0), [
    641,
    1573767,
    3222811527,
    3517856514,
    836907274,
    4247214768,
    3867114732,
    1355841295,
    495546011,
    621204420,
  ]);
});

Deno.test("generator() never has the state of only zeros", () => {
  const random = generator([0, 0, 0, 0]);
  ok(new Set(Array.from({ length: 99 }, () => bits(random))).size > 90);
});

Deno.test("reseed() starts the stream of a key afresh", () => {
  const random = generator(rootKey(1));
  bits(random);
  for (const key of [rootKey(2), [0, 0, 0, 0] as const]) {
    reseed(random, key);
    deepEqual(random, generator(key));
  }
});

Deno.test("uniform() is uniform on [0, 1)", () => {
  const random = generator(rootKey(3));
  const sample = Float64Array.from({ length: 100_000 }, () => uniform(random));
  follows(sample, (x) => x);
  ok(sample.every((x) => x >= 0 && x < 1));
});

Deno.test("uniform() uses all of its 53 bits", () => {
  const random = generator(rootKey(4));
  const ones = new Float64Array(53);
  const n = 20_000;
  for (let i = 0; i < n; i++) {
    let whole = BigInt(uniform(random) * 2 ** 53);
    for (let bit = 0; bit < 53; bit++, whole >>= 1n) {
      ones[bit] = ones[bit]! + Number(whole & 1n);
    }
  }
  // Each count has a standard deviation of 71; six of them.
  for (const count of ones) ok(Math.abs(count - n / 2) < 6 * 71, `${count}`);
});

Deno.test("integer() is below n and not below 0", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 2 ** 21 }), (s, n) => {
      const drawn = integer(generator(rootKey(s)), n);
      ok(Number.isInteger(drawn) && drawn >= 0 && drawn < n);
    }),
  );
});

for (const n of [1, 2, 3, 5, 7, 10, 1000]) {
  Deno.test(`integer() gives each number below ${n} equally often`, () => {
    const random = generator(foldIn(rootKey(5), n));
    const counts = new Float64Array(n);
    const draws = 200_000;
    for (let i = 0; i < draws; i++) counts[integer(random, n)]!++;
    if (n === 1) equal(counts[0], draws);
    else matches(counts, new Float64Array(n).fill(draws / n));
  });
}

Deno.test("integer() spreads evenly below awkward n", () => {
  // What is left of the bias of a product alone is too small to be seen in
  // draws; the next test is for that. This one sees a modulo or a lost bit.
  for (const n of [3 * 2 ** 19, 2 ** 21 - 1, 2 ** 20 + 1]) {
    const random = generator(foldIn(rootKey(6), n));
    const thirds = new Float64Array(3);
    const residues = new Float64Array(3);
    const draws = 300_000;
    for (let i = 0; i < draws; i++) {
      const drawn = integer(random, n);
      thirds[Math.floor(3 * drawn / n)]!++;
      residues[drawn % 3]!++;
    }
    matches(
      thirds,
      [0, 1, 2].map((k) =>
        draws * (Math.ceil((k + 1) * n / 3) - Math.ceil(k * n / 3)) / n
      ),
    );
    matches(residues, [0, 1, 2].map((k) => draws * Math.ceil((n - k) / 3) / n));
  }
});

Deno.test("integer() rejects exactly the products that would be too many", () => {
  // From state (s, 0, 0, 0) the first output is (s rotated by 7) + s: a state
  // with output 0 gives a low word of 0, which is below 2^32 mod n.
  const random = Int32Array.of(0, 1, 1, 0);
  const twin = random.slice();
  equal(bits(twin), 0);
  const accepted = integer(random, 3);
  equal(accepted, integer(twin, 3));
  deepEqual(random, twin);
  equal(integer(Int32Array.of(0, 1, 1, 0), 4), 0);
});
