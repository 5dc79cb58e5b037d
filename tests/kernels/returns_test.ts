import { deepEqual } from "node:assert/strict";
import * as fc from "fast-check";
import {
  CROSS_FORMS,
  type CrossForm,
  reflectionReturn,
  type RewardColumns,
  trialReturns,
} from "../../kernels/returns.ts";
import { allClose } from "../all_close.ts";
import { goldenCases } from "../golden.ts";

const TOLERANCE = 1e-9;

function columns(
  episodes: ReadonlyArray<ReadonlyArray<number>>,
  success: ReadonlyArray<boolean> = [],
): RewardColumns {
  let steps = 0;
  return {
    rewards: Float64Array.from(episodes.flat()),
    ends: Int32Array.from(episodes.map(({ length }) => steps += length)),
    episodes: episodes.length,
    success: Uint8Array.from(episodes.map((_, e) => success[e] ? 1 : 0)),
  };
}

function returnsOf(
  trial: RewardColumns,
  cross: CrossForm,
  gamma: number,
  gammaTrial: number,
): Float64Array {
  const returns = new Float64Array(trial.rewards.length);
  trialReturns(trial, { gamma, gammaTrial, cross }, returns);
  return returns;
}

const golden = goldenCases("cross_episode_returns");

for (const { name, inputs, expected } of golden) {
  const trial = columns(inputs.episodes_rewards);
  const forms = [
    ["lamer", "as_implemented"],
    ["paper", "as_in_paper"],
  ] as const;
  for (const [form, suffix] of forms) {
    Deno.test(`trialReturns() gives ${form} returns of ${name}`, () => {
      const returns = returnsOf(
        trial,
        form,
        inputs.gamma_step,
        inputs.gamma_traj,
      );
      allClose(returns, expected[`returns_${suffix}`].flat(), TOLERANCE);
      const reflections = Array.from(
        { length: trial.episodes - 1 },
        (_, n) => reflectionReturn(trial, returns, n),
      );
      allClose(
        reflections,
        expected[`reflection_returns_${suffix}`],
        TOLERANCE,
      );
    });
  }
}

Deno.test("trialReturns() counts successes under orbit", () => {
  const trial = columns([[0, 1], [1], [0], [0, 0, 1]], [
    true,
    true,
    false,
    true,
  ]);
  deepEqual([...new Set(returnsOf(trial, "orbit", 0.5, 0.5))], [3]);
});

const grid = fc.integer({ min: -64, max: 64 }).map((n) => n / 16);
const unit = fc.integer({ min: 0, max: 32 }).map((n) => n / 32);
const trials = fc.array(fc.array(grid, { minLength: 1, maxLength: 6 }), {
  minLength: 1,
  maxLength: 5,
});

/** Σ γ^l r[t+l], straight from the definition. */
function discounted(rewards: ReadonlyArray<number>, gamma: number, t = 0) {
  return rewards.slice(t).reduce((sum, r, l) => sum + gamma ** l * r, 0);
}

Deno.test("trialReturns() is the sum of its definition, for paper and differential", () =>
  fc.assert(fc.property(trials, unit, unit, (episodes, gamma, gammaTrial) => {
    const own = episodes.map((rewards) => discounted(rewards, gamma));
    const gains = own.map((g, n) => g - (own[n - 1] ?? 0));
    const after = (values: ReadonlyArray<number>, n: number) =>
      values.slice(n + 1).reduce((s, g, m) => s + gammaTrial ** (m + 1) * g, 0);
    const expected = (differential: boolean) =>
      episodes.flatMap((rewards, n) =>
        rewards.map((_, t) =>
          discounted(rewards, gamma, t) +
          after(differential ? gains : own, n) -
          (differential ? own[n - 1] ?? 0 : 0)
        )
      );
    const trial = columns(episodes);
    allClose(
      returnsOf(trial, "paper", gamma, gammaTrial),
      expected(false),
      1e-9,
    );
    const gained = returnsOf(trial, "differential", gamma, gammaTrial);
    allClose(gained, expected(true), 1e-9);
  })));

Deno.test("trialReturns() closes lamer by γ^(L-1-t) Γ G[n+1,0]", () =>
  fc.assert(fc.property(trials, unit, unit, (episodes, gamma, gammaTrial) => {
    const trial = columns(episodes);
    const returns = returnsOf(trial, "lamer", gamma, gammaTrial);
    const expected = episodes.flatMap((rewards, n) =>
      rewards.map((_, t) =>
        discounted(rewards, gamma, t) +
        (n + 1 < episodes.length
          ? gamma ** (rewards.length - 1 - t) * gammaTrial *
            returns[trial.ends[n]!]!
          : 0)
      )
    );
    allClose(returns, expected, 1e-9);
  })));

Deno.test("trialReturns() agrees between lamer and paper when γ is 1", () =>
  fc.assert(fc.property(trials, unit, (episodes, gammaTrial) => {
    const trial = columns(episodes);
    allClose(
      returnsOf(trial, "lamer", 1, gammaTrial),
      returnsOf(trial, "paper", 1, gammaTrial),
      1e-9,
    );
  })));

Deno.test("trialReturns() agrees between lamer and paper on one-step episodes", () =>
  fc.assert(
    fc.property(
      fc.array(grid, { minLength: 1 }),
      unit,
      unit,
      (rewards, g, T) => {
        const trial = columns(rewards.map((r) => [r]));
        allClose(
          returnsOf(trial, "lamer", g, T),
          returnsOf(trial, "paper", g, T),
          1e-9,
        );
      },
    ),
  ));

Deno.test("trialReturns() keeps episodes apart when Γ is 0", () =>
  fc.assert(fc.property(trials, unit, (episodes, gamma) => {
    const apart = episodes.flatMap((rewards) =>
      rewards.map((_, t) => discounted(rewards, gamma, t))
    );
    allClose(returnsOf(columns(episodes), "lamer", gamma, 0), apart, 1e-9);
    allClose(returnsOf(columns(episodes), "paper", gamma, 0), apart, 1e-9);
  })));

Deno.test("trialReturns() takes an episode without steps for one that pays nothing", () => {
  const trial = columns([[1], [], [4]]);
  for (const form of CROSS_FORMS.slice(0, 2)) {
    allClose(returnsOf(trial, form, 0.5, 0.5), [1 + 4 * 0.25, 4], 1e-12);
  }
});
