import { deepEqual, equal, ok, throws } from "node:assert/strict";
import * as fc from "fast-check";
import { entropyOf } from "../../../kernels/metrics/diversity.ts";
import {
  newStates,
  newStatesAfterFailure,
} from "../../../kernels/metrics/exploration.ts";
import { regret } from "../../../kernels/metrics/regret.ts";
import { generator, uniform } from "../../../kernels/random/generator.ts";
import { rootKey } from "../../../kernels/random/key.ts";
import { allClose } from "../../all_close.ts";
import { near } from "../../laws.ts";

const sizes = fc.integer({ min: 1, max: 200 });

Deno.test("entropyOf() of M different keys is ln M, and 1 of it", () =>
  fc.assert(fc.property(sizes, (M) => {
    const found = entropyOf(Array.from({ length: M }, (_, i) => `${i}`));
    allClose([found.entropy], [Math.log(M)], 1e-12);
    allClose([found.normalised], [M === 1 ? 0 : 1], 1e-12);
    allClose([found.corrected], [Math.log(M) + (M - 1) / (2 * M)], 1e-12);
  })));

Deno.test("entropyOf() of equal keys is 0, however many", () =>
  fc.assert(fc.property(sizes, (M) => {
    deepEqual(entropyOf(new Float64Array(M)), {
      samples: M,
      distinct: 1,
      entropy: 0,
      normalised: 0,
      corrected: 0,
    });
  })));

const keys = fc.array(fc.nat(6), { minLength: 1, maxLength: 30 });

Deno.test("entropyOf() is its definition, whatever the keys are called", () =>
  fc.assert(fc.property(keys, fc.nat(40), (keys, cut) => {
    const found = entropyOf(keys);
    const distinct = [...new Set(keys)];
    const shares = distinct.map((key) =>
      keys.filter((other) => other === key).length / keys.length
    );
    const entropy = -shares.reduce((sum, p) => sum + p * Math.log(p), 0);
    allClose([found.entropy], [entropy], 1e-12);
    equal(found.distinct, distinct.length);
    equal(found.samples, keys.length);
    const turned = [...keys.slice(cut), ...keys.slice(0, cut)];
    const named = entropyOf(turned.map((key) => `key ${key}`));
    allClose([named.entropy], [found.entropy], 1e-12);
  })));

Deno.test("the correction of entropyOf() takes most of the bias away", () => {
  const random = generator(rootKey("3"));
  const [M, K, repeats] = [40, 4, 4000];
  const draws = Array.from(
    { length: repeats },
    () =>
      entropyOf(
        Float64Array.from({ length: M }, () => Math.floor(K * uniform(random))),
      ),
  );
  const measure = (values: ReadonlyArray<number>) => {
    const mean = values.reduce((a, b) => a + b) / repeats;
    const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    return { mean, se: Math.sqrt(squares) / repeats };
  };
  const truth = Math.log(K);
  const plain = measure(draws.map(({ entropy }) => entropy));
  ok(plain.mean < truth - 20 * plain.se, "the plain entropy is too low");
  // What is left of the bias is of order 1 / M^2.
  const corrected = measure(draws.map(({ corrected }) => corrected));
  near(corrected, truth, 1 / (M * M));
});

Deno.test("entropyOf() refuses no keys", () => {
  throws(() => entropyOf([]), RangeError);
});

const visits = fc.array(
  fc.tuple(fc.array(fc.nat(9), { maxLength: 6 }), fc.nat(1)),
  { minLength: 1, maxLength: 6 },
);

Deno.test("newStates() and those after a failure are their definitions", () =>
  fc.assert(fc.property(visits, (episodes) => {
    let visited = 0;
    const fresh = newStates({
      states: Int32Array.from(episodes.flatMap(([states]) => states)),
      ends: Int32Array.from(episodes, ([states]) => visited += states.length),
      episodes: episodes.length,
    });
    const upTo = (n: number) =>
      new Set(episodes.slice(0, n).flatMap(([states]) => states)).size;
    deepEqual([...fresh], episodes.map((_, n) => upTo(n + 1) - upTo(n)));
    const failed = episodes.findIndex(([, success]) => success === 0);
    const expected = failed < 0 ? 0 : upTo(episodes.length) - upTo(failed + 1);
    const success = Uint8Array.from(episodes, ([, success]) => success);
    equal(newStatesAfterFailure(fresh, success), expected);
  })));

Deno.test("newStates() of text", () => {
  const visited = {
    states: ["a", "b", "b", "c"],
    ends: Int32Array.of(1, 4, 9),
    episodes: 2,
  };
  deepEqual([...newStates(visited)], [1, 2]);
});

Deno.test("regret() adds up to what the baseline is ahead", () =>
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -99, max: 99 })),
      fc.integer({ min: -99, max: 99 }),
      (returns, baseline) => {
        const found = regret(Float64Array.from(returns), baseline);
        deepEqual([...found.episode], returns.map((g) => baseline - g));
        const sums = returns.map((_, n) =>
          (n + 1) * baseline -
          returns.slice(0, n + 1).reduce((a, b) => a + b, 0)
        );
        deepEqual([...found.cumulative], sums);
      },
    ),
  ));
