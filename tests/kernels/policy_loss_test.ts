import { equal, ok } from "node:assert/strict";
import * as fc from "fast-check";
import {
  aggregateLoss,
  AGGREGATIONS,
  tokenLoss,
} from "../../kernels/policy_loss.ts";
import { goldenCases } from "../golden.ts";
import { allClose } from "../all_close.ts";

for (const { name, inputs, expected } of goldenCases("policy_loss")) {
  const options = {
    low: inputs.clip_low,
    high: inputs.clip_high,
    dual: inputs.dual_clip_c,
  };
  const [old, now, advantages, mask] = [
    inputs.old_logprob,
    inputs.new_logprob,
    inputs.advantage,
    inputs.response_mask,
  ].map((rows: ReadonlyArray<ReadonlyArray<number>>) => rows.flat());
  const losses = Float64Array.from(
    old!,
    (before, i) => tokenLoss(before, now![i]!, advantages![i]!, options),
  );
  Deno.test(`tokenLoss() and aggregateLoss() give ${name}`, () => {
    allClose(losses, expected.token_loss.flat(), 1e-9);
    for (const way of AGGREGATIONS) {
      const length = inputs.old_logprob[0].length;
      allClose(
        [aggregateLoss(losses, mask!, length, way)],
        [expected[way]],
        1e-9,
      );
    }
  });
}

const clips = { low: 0.2, high: 0.28, dual: 3 };
const logProb = fc.double({ min: -5, max: 0, noNaN: true });
const advantage = fc.double({ min: -4, max: 4, noNaN: true });

Deno.test("tokenLoss() is -A on policy", () =>
  fc.assert(fc.property(logProb, advantage, (p, a) => {
    equal(tokenLoss(p, p, a, clips), -a);
  })));

Deno.test("tokenLoss() lies between the unclipped loss and its bounds", () =>
  fc.assert(fc.property(logProb, logProb, advantage, (before, now, a) => {
    const loss = tokenLoss(before, now, a, clips);
    const plain = -a * Math.exp(now - before);
    // Pessimistic: no ratio is better than the clip makes it.
    if (a >= 0) equal(loss, Math.max(plain, -a * (1 + clips.high)));
    else {
      const least = -a * (1 - clips.low);
      equal(loss, Math.min(Math.max(plain, least), -a * clips.dual));
    }
  })));

const rows = fc.array(
  fc.array(fc.tuple(advantage, fc.nat(1)), { minLength: 4, maxLength: 4 }),
  { minLength: 1, maxLength: 6 },
);

Deno.test("aggregateLoss() leaves out what the mask leaves out", () =>
  fc.assert(fc.property(rows, (sequences) => {
    const losses = Float64Array.from(sequences.flat(), ([loss]) => loss);
    const spoilt = Float64Array.from(
      sequences.flat(),
      ([loss, taken]) => taken ? loss : NaN,
    );
    const mask = sequences.flat().map(([, taken]) => taken);
    const kept = sequences.filter((row) => row.some(([, taken]) => taken));
    const dense = Float64Array.from(kept.flat(), ([loss]) => loss);
    const denseMask = kept.flat().map(([, taken]) => taken);
    for (const way of AGGREGATIONS) {
      const loss = aggregateLoss(losses, mask, 4, way);
      equal(aggregateLoss(spoilt, mask, 4, way), loss);
      equal(aggregateLoss(dense, denseMask, 4, way), loss);
      ok(Number.isFinite(loss));
    }
  })));

Deno.test("aggregateLoss() ways agree where every token counts", () =>
  fc.assert(fc.property(rows, (sequences) => {
    const losses = Float64Array.from(sequences.flat(), ([loss]) => loss);
    const mask = losses.map(() => 1);
    const [tokens, means, sums, norms] = AGGREGATIONS.map((way) =>
      aggregateLoss(losses, mask, 4, way)
    );
    allClose([means!, sums! / 4, norms!], [tokens!, tokens!, tokens!], 1e-12);
  })));
