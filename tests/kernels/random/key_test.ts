import { deepEqual, equal, notDeepEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  foldIn,
  parseSeed,
  type Part,
  rootKey,
  seedOf,
} from "../../../kernels/random/key.ts";

const part = fc.oneof<Array<fc.Arbitrary<Part>>>(
  fc.string(),
  fc.nat(),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const path = fc.array(part, { maxLength: 4 });
const seed = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

/** A number and a bigint of equal value are the same part. */
function canonical(parts: ReadonlyArray<Part>): string {
  return JSON.stringify(
    parts.map((p) => typeof p === "string" ? [p] : String(p)),
  );
}

Deno.test("foldIn() is the same however the path is cut", () => {
  fc.assert(fc.property(seed, path, path, (s, a, b) => {
    const key = rootKey(s);
    deepEqual(foldIn(key, ...a, ...b), foldIn(foldIn(key, ...a), ...b));
  }));
});

Deno.test("foldIn() gives different keys for different paths", () => {
  fc.assert(fc.property(seed, path, path, (s, a, b) => {
    fc.pre(canonical(a) !== canonical(b));
    notDeepEqual(foldIn(rootKey(s), ...a), foldIn(rootKey(s), ...b));
  }));
});

Deno.test("foldIn() tells apart names that share their blocks", () => {
  const names = [
    "",
    "a",
    "a\0",
    "a".repeat(12),
    "a".repeat(13),
    "a".repeat(24),
  ];
  const keys = names.map((name) => foldIn(rootKey(0), name).join());
  equal(new Set(keys).size, names.length);
  notDeepEqual(
    foldIn(rootKey(0), "a".repeat(12), "a"),
    foldIn(rootKey(0), "a".repeat(13)),
  );
});

Deno.test("foldIn() takes a number and a bigint of equal value as one", () => {
  deepEqual(foldIn(rootKey(1), 2 ** 40), foldIn(rootKey(1), 2n ** 40n));
});

Deno.test("rootKey() gives different keys for different seeds", () => {
  fc.assert(fc.property(seed, seed, (a, b) => {
    fc.pre(a !== b);
    notDeepEqual(rootKey(a), rootKey(b));
  }));
});

Deno.test("foldIn() spreads over all bits: children by the hundred thousand, none equal", () => {
  const key = rootKey(9);
  const seeds = new Set<string>();
  for (let i = 0; i < 100_000; i++) seeds.add(seedOf(foldIn(key, i)));
  equal(seeds.size, 100_000);
});

Deno.test("parseSeed() takes what fits into 64 bits, and nothing else", () => {
  equal(parseSeed("18446744073709551615"), 2n ** 64n - 1n);
  for (const bad of ["-1", "1.5", "18446744073709551616", "x", "", "01"]) {
    throws(() => parseSeed(bad), /Cannot use .* as a seed/);
  }
  throws(() => foldIn(rootKey(0), -1), /Cannot fold -1/);
  throws(() => foldIn(rootKey(0), 2 ** 53), /Cannot fold/);
});
