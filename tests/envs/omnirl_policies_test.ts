/** The oracle and the learners of OmniRL on AnyMDP tasks. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { anymdp } from "../../envs/anymdp/anymdp.ts";
import { bandsOf } from "../../envs/anymdp/table.ts";
import type { AnyMdpTask } from "../../envs/anymdp/task.ts";
import { resolveParams } from "../../envs/params.ts";
import { planOf, solutionsOf } from "../../envs/planning.ts";
import { startBoltzmann } from "../../envs/policies/boltzmann_q.ts";
import { startModelBased } from "../../envs/policies/model_based.ts";
import { findPolicy } from "../../envs/registry.ts";
import { drawTask } from "../../envs/rollout.ts";
import { evaluate } from "../../kernels/finite_horizon.ts";
import { solveDiscounts } from "../../kernels/solvers/policy_iteration.ts";
import { normalisedScore } from "../../kernels/solvers/score.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { matches } from "../laws.ts";
import { type Given, moments, play, sum } from "./play.ts";

function taskOf(seed: number): AnyMdpTask {
  const params = resolveParams(anymdp.params);
  return drawTask(anymdp, params, String(seed)).task as AnyMdpTask;
}

/** Mean normalised score of the last episodes, over some tasks. */
function ends(policy: string, given: Given, episodes: number): number {
  return moments([1, 2, 3, 4, 5, 6].map((seed) => {
    const task = taskOf(seed);
    const table = anymdp.table!(task);
    const horizon = anymdp.horizon(task);
    const best = planOf(table, horizon).actions;
    const oracle = evaluate(table, horizon, best).return;
    const random = evaluate(table, horizon, best, 1).return;
    const played = play(
      anymdp,
      task,
      findPolicy(policy)!,
      given,
      episodes,
      seed,
    );
    return moments(
      played.slice(-200).map(({ rewards }) =>
        normalisedScore(sum(rewards), { oracle, random })
      ),
    ).mean;
  })).mean;
}

Deno.test("oracle takes the actions of its discount's solution", () => {
  const task = taskOf(1);
  const gammas = [0, 0.5, 0.93, 0.994];
  const exact = solveDiscounts(bandsOf(task), gammas);
  const found = solutionsOf(anymdp.table!(task), gammas);
  gammas.forEach((_, i) => {
    for (let s = 0; s < 16; s++) {
      if (task.ends.includes(s)) continue;
      // The table pays rewards that are rounded to six decimals.
      const [a, b] = [found[i]!.values[s]!, exact[i]!.values[s]!];
      ok(Math.abs(a - b) < 1e-4, `${a} is not ${b}`);
    }
  });
  const [game] = play(
    anymdp,
    task,
    findPolicy("oracle")!,
    { gamma: 0.5 },
    1,
    1,
  );
  deepEqual(
    game!.actions,
    game!.states.slice(0, -1).map((s) => found[1]!.policy[s as number]),
  );
});

Deno.test("oracle gains the more, the farther it looks", () => {
  const scores = [0, 0.5, 0.994].map((gamma) => ends("oracle", { gamma }, 200));
  ok(scores[0]! < scores[1]! && scores[1]! < scores[2]!, `${scores}`);
  ok(scores[2]! > 0.9);
});

Deno.test("learners do better than chance, and worse than the oracle", () => {
  const model = ends("model-based", {}, 600);
  const boltzmann = ends("boltzmann-q", { alpha: 0.1, patience: 100 }, 600);
  ok(model > 0.2 && model < 0.95, `${model}`);
  ok(boltzmann > 0.2 && boltzmann < 0.95, `${boltzmann}`);
});

Deno.test("startBoltzmann() begins with equal actions, and softly prefers", () => {
  const random = generator(rootKey(1));
  const options = { alpha: 0.5, gamma: 0.5, patience: 0 };
  const { act, learn } = startBoltzmann(3, 2, options, random);
  const counts = new Float64Array(2);
  const tally = () => {
    counts.fill(0);
    for (let i = 0; i < 20_000; i++) {
      const a = act(0, 0, 0);
      counts[a] = counts[a]! + 1;
    }
    return counts;
  };
  matches(tally(), [10_000, 10_000]);
  // Q(0, 0) goes from 2 half the way to 6, to 4, since 2 can be had after it.
  learn(0, 0, 5, 1, false);
  // κ is (0 + 1) / (0 + 1), the deviation of 4 and 2 is 1: odds of e^2.
  const p = 1 / (1 + Math.exp(-2));
  matches(tally(), [20_000 * p, 20_000 * (1 - p)]);
  // An episode ends in 1: it is worth nothing from then on. Of the second visit
  // the step is α sqrt(1 / 2): 4 + (0 - 4) sqrt(1 / 8) is 2.586.
  learn(0, 0, 0, 1, true);
  const q = 4 - 4 * Math.sqrt(1 / 8);
  const deviation = (q - 2) / 2;
  const odds = Math.exp(2 * (q - 2) / deviation);
  matches(tally(), [20_000 * odds / (1 + odds), 20_000 / (1 + odds)]);
});

Deno.test("startModelBased() plans between episodes alone", () => {
  const options = { gamma: 0.5, coefficient: 1e-9 };
  const actor = startModelBased(2, 2, options, generator(rootKey(1)));
  actor.begin();
  const tried = new Set<number>();
  for (let i = 0; i < 50; i++) tried.add(actor.act(0, 0, 0));
  equal(tried.size, 2);
  for (let i = 0; i < 20; i++) actor.learn(0, 1, 1, 1, true);
  for (let i = 0; i < 50; i++) tried.delete(actor.act(0, 0, 0));
  equal(tried.size, 0);
  actor.begin();
  for (let i = 0; i < 50; i++) equal(actor.act(0, 0, 0), 1);
});
