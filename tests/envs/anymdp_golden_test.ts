import { deepEqual, equal, ok } from "node:assert/strict";
import {
  halfLife,
  longRun,
  spread,
  valueGap,
} from "../../envs/anymdp/acceptance.ts";
import { shareOut } from "../../envs/anymdp/transitions.ts";
import { evaluate, type FiniteMdp } from "../../kernels/finite_horizon.ts";
import {
  actionValues,
  type BandedMdp,
  bandedOf,
} from "../../kernels/solvers/banded.ts";
import { linearScratch } from "../../kernels/solvers/elimination.ts";
import {
  evaluateUniform,
  solveDiscounts,
} from "../../kernels/solvers/policy_iteration.ts";
import { normalisedScore } from "../../kernels/solvers/score.ts";
import golden from "../vectors/anymdp.json" with { type: "json" };

const TOLERANCE = 1e-10;

function close(a: ArrayLike<number>, b: ArrayLike<number>): void {
  equal(a.length, b.length);
  for (let i = 0; i < a.length; i++) {
    ok(Math.abs(a[i]! - b[i]!) <= TOLERANCE, `${a[i]} is not ${b[i]} (${i})`);
  }
}

type Golden = (typeof golden.mdps)[number];

/** As outcomes: one for each next state. Entering an end is `success`. */
function outcomesOf(mdp: Golden): FiniteMdp {
  const { ns: states, na: actions } = mdp;
  const next = Int32Array.from(
    { length: states * actions * states },
    (_, k) => k % states,
  );
  const terminal = Uint8Array.from(
    next,
    (s) => mdp.terminal_states.includes(s) ? 1 : 0,
  );
  return {
    states,
    actions,
    branches: states,
    next,
    probability: Float64Array.from(mdp.transition.flat(2)),
    reward: Float64Array.from(mdp.reward.flat(2)),
    terminal,
    success: terminal,
    starts: Int32Array.from(mdp.s0),
    startProbability: Float64Array.from(mdp.s0_prob),
  };
}

/** As bands in which ends are states with empty rows, as tasks have them. */
function bandsOf(mdp: Golden): BandedMdp {
  const { probability, ...bands } = bandedOf({
    ...outcomesOf(mdp),
    terminal: new Uint8Array(mdp.ns * mdp.na * mdp.ns),
  });
  return { ...bands, probability };
}

for (const mdp of golden.mdps) {
  const given = Object.entries(mdp.by_gamma);
  const discounts = given.map(([gamma]) => Number(gamma));
  for (
    const [name, bands] of [
      ["outcomes that end", bandedOf(outcomesOf(mdp))],
      ["ends as states", bandsOf(mdp)],
    ] as const
  ) {
    Deno.test(`${mdp.name}: values of best and uniform play (${name})`, () => {
      const scratch = linearScratch(mdp.ns);
      const q = new Float64Array(mdp.ns * mdp.na);
      const uniform = new Float64Array(mdp.ns);
      for (const [i, solution] of solveDiscounts(bands, discounts).entries()) {
        const { discount, policy, values } = solution;
        const wanted = given[i]![1];
        close(values, wanted.V_opt);
        deepEqual([...policy], wanted.greedy_action);
        actionValues(bands, discount, values, q);
        close(q, wanted.Q_opt.flat());
        evaluateUniform(bands, discount, uniform, scratch);
        close(uniform, wanted.V_random);
        actionValues(bands, discount, uniform, q);
        close(q, wanted.Q_random.flat());
      }
    });
  }

  Deno.test(`${mdp.name}: returns and lengths of episodes`, () => {
    const outcomes = outcomesOf(mdp);
    const { episode, horizon } = mdp;
    const [best] = solveDiscounts(bandedOf(outcomes), [episode.oracle_gamma]);
    const oracle = evaluate(outcomes, horizon, best!.policy);
    const random = evaluate(outcomes, horizon, best!.policy, 1);
    close([oracle.return, oracle.length, oracle.success], [
      episode.expected_return_oracle,
      episode.expected_length_oracle,
      episode.prob_terminated_oracle,
    ]);
    close([random.return, random.length, random.success], [
      episode.expected_return_random,
      episode.expected_length_random,
      episode.prob_terminated_random,
    ]);
  });

  Deno.test(`${mdp.name}: normalised scores`, () => {
    const scale = {
      random: mdp.episode.expected_return_random,
      oracle: mdp.episode.expected_return_oracle,
    };
    close(
      mdp.normalized_score.map(({ ret }) => normalisedScore(ret, scale)),
      mdp.normalized_score.map(({ score }) => score),
    );
  });

  Deno.test(`${mdp.name}: what acceptance looks at`, () => {
    const { quality_check: wanted, ns: states, na: actions } = mdp;
    close([halfLife(states)], [wanted.gamma]);
    const solving = {
      policy: new Int32Array(states),
      values: new Float64Array(states),
      linear: linearScratch(states),
    };
    const uniform = new Float64Array(states);
    const bands = bandsOf(mdp);
    const { gamma, max_steps: maxSteps } = wanted;
    const gap = valueGap(bands, mdp.s0, gamma, maxSteps, solving, uniform);
    close([gap], [Math.min(...Object.values(wanted.value_gap))]);
    const draft = {
      states,
      actions,
      maxSteps,
      starts: mdp.s0,
      startProbability: mdp.s0_prob,
      ends: Uint8Array.from(
        { length: states },
        (_, s) => mdp.terminal_states.includes(s) ? 1 : 0,
      ),
      goal: true,
    };
    for (const [start, row] of Object.entries(wanted.stationary_rows)) {
      const there = longRun(bands, solving.policy, draft, Number(start));
      close(there, row);
      const { gini, entropy } = spread(there);
      close([gini, entropy], [wanted.gini, wanted.normalized_entropy]);
    }
  });
}

Deno.test("shareOut() has the responsibilities of the decomposition", () => {
  const wanted = golden.transition_decomposition;
  const { window_from: from, window_to_exclusive: to } = wanted;
  const width = to - from;
  const out = new Float64Array(2 * width);
  const centres = Float64Array.from(wanted.centers);
  const widths = new Float64Array(2).fill(wanted.sigma);
  shareOut(
    Float64Array.from(wanted.row),
    { from, to },
    2,
    centres,
    widths,
    out,
  );
  close(out, wanted.transition.flat());
  const mean = Array.from(
    { length: width },
    (_, i) => (out[i]! + out[width + i]!) / 2,
  );
  close(mean, wanted.mean_over_actions);
});
