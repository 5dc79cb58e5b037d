import { equal } from "node:assert/strict";
import * as fc from "fast-check";
import { centre, momentsOf } from "../../../kernels/advantages/outcome.ts";
import {
  addMoments,
  tokenReturns,
  weightedMoments,
  whiten,
} from "../../../kernels/advantages/whiten.ts";
import { allClose } from "../../all_close.ts";
import { goldenCases } from "../../golden.ts";
import { grid } from "./groups.ts";

for (const { name, inputs, expected } of goldenCases("token_level")) {
  Deno.test(`tokenReturns() and whiten() give ${name}`, () => {
    const mask: ReadonlyArray<number> = inputs.response_mask.flat();
    const returns = inputs.token_rewards.map(
      (rewards: ReadonlyArray<number>, i: number) => {
        const own = new Float64Array(rewards.length);
        tokenReturns(
          Float64Array.from(rewards),
          inputs.response_mask[i],
          inputs.gamma,
          own,
        );
        return [...own];
      },
    ).flat();
    allClose(returns, expected.returns.flat(), 1e-9);
    const advantages = Float64Array.from(returns);
    const moments = weightedMoments();
    addMoments(moments, advantages, advantages.length, mask);
    whiten(advantages, advantages.length, moments);
    const taken = advantages.map((a, i) => a * mask[i]!);
    // verl adds 1e-8 to the count of tokens that the mean is divided by.
    allClose(taken, expected.advantages.flat(), 1e-8);
  });
}

for (const c of goldenCases("group_advantages")) {
  if (c.algorithm !== "reinforce_pp_baseline") continue;
  Deno.test(`dr-grpo, whitened by tokens, gives reinforce++-baseline of ${c.name}`, () => {
    const { scores, group, response_lengths: tokens } = c.inputs;
    const centred = new Float64Array(scores.length);
    for (const name of new Set<string>(group)) {
      const places = [...scores.keys()].filter((i) => group[i] === name);
      const own = Float64Array.from(places, (i) => scores[i]);
      const moments = momentsOf(own, own.length);
      const advantages = new Float64Array(own.length);
      centre(own, own.length, "dr-grpo", moments, advantages);
      places.forEach((i, k) => centred[i] = advantages[k]!);
    }
    const moments = weightedMoments();
    addMoments(moments, centred, centred.length, tokens);
    whiten(centred, centred.length, moments);
    allClose(centred, c.expected_advantages, 1e-8);
  });
}

const weighted = fc.array(fc.tuple(grid, fc.nat(5)), {
  minLength: 1,
  maxLength: 20,
});

Deno.test("whiten() leaves weighted mean 0 and variance 1", () =>
  fc.assert(fc.property(weighted, (rows) => {
    const seen = rows.filter(([, weight]) => weight > 0).map(([x]) => x);
    fc.pre(new Set(seen).size > 1);
    const values = Float64Array.from(rows, ([x]) => x);
    const weights = rows.map(([, weight]) => weight);
    const moments = weightedMoments();
    addMoments(moments, values, values.length, weights);
    whiten(values, values.length, moments);
    const sum = weights.reduce((a, b) => a + b);
    const total = (f: (x: number) => number) =>
      values.reduce((all, x, i) => all + weights[i]! * f(x), 0);
    const mean = total((x) => x) / sum;
    const variance = total((x) => (x - mean) ** 2) / (sum - 1);
    // Variances are above 1e-4 here, and 1e-8 is added to them.
    allClose([mean, variance], [0, 1], 1e-4);
  })));

Deno.test("addMoments() in parts is addMoments() in one go", () =>
  fc.assert(fc.property(weighted, fc.nat(20), (rows, cut) => {
    const moments = (parts: ReadonlyArray<typeof rows>) => {
      const all = weightedMoments();
      for (const part of parts) {
        const values = Float64Array.from(part, ([x]) => x);
        const weights = part.map(([, weight]) => weight);
        addMoments(all, values, values.length, weights);
      }
      return [all.weight, all.mean, all.squares];
    };
    const parts = [rows.slice(0, cut), rows.slice(cut)];
    allClose(moments(parts), moments([rows]), 0);
  })));

Deno.test("addMoments() weighs a value as if it came so often", () =>
  fc.assert(fc.property(weighted, (rows) => {
    const [once, often] = [weightedMoments(), weightedMoments()];
    const values = Float64Array.from(rows, ([x]) => x);
    addMoments(once, values, values.length, rows.map(([, weight]) => weight));
    const copies = Float64Array.from(
      rows.flatMap(([x, weight]) => Array<number>(weight).fill(x)),
    );
    addMoments(often, copies, copies.length);
    equal(once.weight, often.weight);
    allClose([once.mean, once.squares], [often.mean, often.squares], 1e-9);
  })));

Deno.test("whiten() of one value, and of equal ones, is 0", () => {
  for (const length of [1, 3]) {
    const values = new Float64Array(length).fill(0.7);
    const moments = weightedMoments();
    addMoments(moments, values, length);
    whiten(values, length, moments);
    allClose(values, new Float64Array(length), 0);
  }
});

Deno.test("tokenReturns() are the sums of their definition", () =>
  fc.assert(
    fc.property(
      fc.array(fc.tuple(grid, fc.nat(1)), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 0, max: 8 }).map((n) => n / 8),
      (tokens, gamma) => {
        const rewards = Float64Array.from(tokens, ([reward]) => reward);
        const mask = tokens.map(([, taken]) => taken);
        const returns = new Float64Array(tokens.length);
        tokenReturns(rewards, mask, gamma, returns);
        const expected = tokens.map((_, k) => {
          let sum = rewards[k]!;
          for (let l = k + 1; l < tokens.length && mask[l] === 1; l++) {
            sum += gamma ** (l - k) * rewards[l]!;
          }
          return sum;
        });
        allClose(returns, expected, 1e-9);
      },
    ),
  ));
