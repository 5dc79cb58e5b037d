import { deepEqual, equal, ok } from "node:assert/strict";
import * as fc from "fast-check";
import {
  addStepTerms,
  anchorScratch,
} from "../../../kernels/advantages/gigpo.ts";
import {
  centre,
  EPSILON,
  momentsOf,
} from "../../../kernels/advantages/outcome.ts";
import { allClose } from "../../all_close.ts";
import { goldenCases } from "../../golden.ts";
import { grid } from "./groups.ts";

/** A step: which anchor it was taken from, and what it returned. */
type Step = readonly [anchor: number, value: number];

/** A^S of steps of a group, on top of `episodeTerms`. */
function stepTerms(
  steps: ReadonlyArray<Step>,
  weight = 1,
  normalised = false,
  episodeTerms = new Float64Array(steps.length),
  scratch = anchorScratch(),
): Float64Array {
  const anchors = Int32Array.from(steps, ([anchor]) => anchor);
  const advantages = episodeTerms.slice();
  addStepTerms(
    Float64Array.from(steps, ([, value]) => value),
    { anchors, anchorCount: Math.max(-1, ...anchors) + 1, rows: steps.length },
    { weight, normalised },
    scratch,
    advantages,
  );
  return advantages;
}

for (const { name, inputs, expected } of goldenCases("gigpo")) {
  Deno.test(`addStepTerms() on top of dr-grpo gives ${name}`, () => {
    const { rows, mode, invalid_action_penalty_coef: penalty } = inputs;
    equal(mode, "mean_norm");
    const names = [
      ...new Set(rows.map(({ anchor }: { anchor: string }) => anchor)),
    ];
    const scores = Float64Array.from(
      rows,
      (row: { episode_reward: number; invalid: boolean }) =>
        row.episode_reward - (row.invalid ? penalty : 0),
    );
    allClose(scores, expected.episode_score_after_penalty, 1e-9);
    const advantages = new Float64Array(rows.length);
    const moments = momentsOf(scores, rows.length);
    centre(scores, rows.length, "dr-grpo", moments, advantages);
    allClose(advantages, expected.episode_advantage, 1e-9);
    const steps = rows.map((
      row: { anchor: string; step_return: number },
    ): Step => [names.indexOf(row.anchor), row.step_return]);
    allClose(stepTerms(steps), expected.step_advantage, 1e-9);
    allClose(
      stepTerms(steps, inputs.step_advantage_w, false, advantages),
      expected.advantage,
      1e-9,
    );
  });
}

const steps = fc.array(fc.tuple(fc.integer({ min: -1, max: 4 }), grid), {
  minLength: 1,
  maxLength: 24,
});

Deno.test("addStepTerms() of weight 0 leaves the episode terms", () =>
  fc.assert(
    fc.property(steps, grid, fc.boolean(), (group, term, normalised) => {
      const terms = new Float64Array(group.length).fill(term);
      deepEqual(stepTerms(group, 0, normalised, terms), terms);
    }),
  ));

Deno.test("addStepTerms() is the definition, anchor by anchor", () =>
  fc.assert(
    fc.property(steps, grid, fc.boolean(), (group, weight, normalised) => {
      const expected = group.map(([anchor, value]) => {
        const all = group.filter(([other]) => other === anchor)
          .map(([, other]) => other);
        if (anchor < 0 || all.length < 2) return 0;
        const mean = all.reduce((a, b) => a + b) / all.length;
        const squares = all.reduce((sum, x) => sum + (x - mean) ** 2, 0);
        const deviation = Math.sqrt(squares / (all.length - 1));
        return weight * (value - mean) /
          (normalised ? deviation + EPSILON : 1);
      });
      // ε is a millionth, so rounding of an exact 0 deviation would show.
      allClose(stepTerms(group, weight, normalised), expected, 1e-7);
    }),
  ));

Deno.test("addStepTerms() sums to 0 at each anchor", () =>
  fc.assert(fc.property(steps, fc.boolean(), (group, normalised) => {
    const terms = stepTerms(group, 1, normalised);
    for (const anchor of new Set(group.map(([anchor]) => anchor))) {
      const own = terms.filter((_, i) => group[i]![0] === anchor);
      allClose([own.reduce((a, b) => a + b, 0)], [0], 1e-9);
    }
  })));

Deno.test("addStepTerms() of equal returns is 0, exactly", () =>
  fc.assert(
    fc.property(
      steps,
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.boolean(),
      (group, value, normalised) => {
        const equals = group.map(([anchor]): Step => [anchor, value]);
        ok(stepTerms(equals, 1, normalised).every((term) => term === 0));
      },
    ),
  ));

Deno.test("addStepTerms() forgets the group before", () =>
  fc.assert(fc.property(steps, steps, (before, group) => {
    const scratch = anchorScratch();
    stepTerms(before, 1, true, undefined, scratch);
    deepEqual(
      stepTerms(group, 1, true, undefined, scratch),
      stepTerms(group, 1, true),
    );
  })));
