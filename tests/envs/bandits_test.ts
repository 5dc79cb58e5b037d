import { deepEqual, equal, ok } from "node:assert/strict";
import type { Environment } from "../../envs/env.ts";
import { linearThompson } from "../../envs/policies/linear_thompson.ts";
import { optimalPolicy } from "../../envs/policies/optimal.ts";
import type { Policy } from "../../envs/policies/policy.ts";
import { randomPolicy } from "../../envs/policies/random.ts";
import { thompson } from "../../envs/policies/thompson.ts";
import { ucb } from "../../envs/policies/ucb.ts";
import { findEnvironment } from "../../envs/registry.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { follows, matches, near, normalCdf } from "../laws.ts";
import { draw, type Given, moments, play, sum } from "./play.ts";

const gaussian = findEnvironment("bandit-gaussian")!;
const bernoulli = findEnvironment("bandit-bernoulli")!;
const linear = findEnvironment("bandit-linear")!;
const adversarial = findEnvironment("bandit-adversarial")!;
const abrupt = findEnvironment("bandit-abrupt")!;
const piecewise = findEnvironment("bandit-piecewise")!;
const drift = findEnvironment("bandit-drift")!;

/** Regret, by the means, of single episodes on as many tasks. */
function regret(env: Environment, policy: Policy, given: Given, n: number) {
  const random = generator(rootKey(1));
  return moments(Array.from({ length: n }, (_, i) => {
    const { task } = draw(env, random);
    const { means } = task as { means: Array<number> };
    const best = Math.max(...means);
    const [episode] = play(env, task, policy, given, 1, i);
    return sum(episode!.actions.map((arm) => best - means[arm as number]!));
  }));
}

/** Rewards of single episodes on as many tasks. */
function rewards(env: Environment, policy: Policy, given: Given, n: number) {
  const random = generator(rootKey(2));
  return moments(Array.from({ length: n }, (_, i) => {
    const { task } = draw(env, random);
    return sum(play(env, task, policy, given, 1, i)[0]!.rewards);
  }));
}

// The goldens are simulated too: to one decimal, from samples of unknown size,
// which are taken to be as large as ours.
const regrets: ReadonlyArray<[Policy, Given, number, number]> = [
  [randomPolicy, {}, 164.2, 1500],
  [thompson, {}, 9.3, 600],
  [ucb, {}, 10.6, 600],
  [ucb, { form: "ucb1" }, 48.0, 400],
];
for (const [policy, given, wanted, n] of regrets) {
  const name = [policy.name, ...Object.values(given)].join(" ");
  Deno.test(`bandit-gaussian: the regret of ${name} is ${wanted}`, () => {
    const measured = regret(gaussian, policy, given, n);
    near(measured, wanted, measured.se);
  });
}

Deno.test("bandit-gaussian: rewards are the mean and noise of 0.3", () => {
  const task = { means: [0.25, 0.5], horizon: 9, sd: 0.3 };
  const random = generator(rootKey(3));
  const paid = Array.from(
    { length: 20_000 },
    () => gaussian.step(task, 0, 1, random),
  );
  const { mean, se } = moments(paid.map((moved) => moved.reward));
  near({ mean, se }, 0.5);
  near({ mean: se * Math.sqrt(20_000), se: 0.3 / Math.sqrt(40_000) }, 0.3);
  ok(paid.every(({ reward }) => reward === Number(reward.toFixed(6))));
  ok(paid.every((moved) => !("success" in moved)));
});

Deno.test("bandit-bernoulli: Thompson sampling collects what is known of it", () => {
  // Duan and others 2016 simulated 74.7, and 75.3 was seen again since.
  const measured = rewards(bernoulli, thompson, { form: "bernoulli" }, 2000);
  near(measured, 75.3, measured.se);
});

/** Length around the convex hull of points, by gift wrapping. */
function perimeter(points: ReadonlyArray<ReadonlyArray<number>>): number {
  const [x, y] = [(i: number) => points[i]![0]!, (i: number) => points[i]![1]!];
  const first = points.reduce((low, _, i) => x(i) < x(low) ? i : low, 0);
  let [at, length] = [first, 0];
  do {
    let next = at === 0 ? 1 : 0;
    for (let i = 0; i < points.length; i++) {
      const turn = (x(next) - x(at)) * (y(i) - y(at)) -
        (y(next) - y(at)) * (x(i) - x(at));
      if (i !== at && turn > 0) next = i;
    }
    length += Math.hypot(x(next) - x(at), y(next) - y(at));
    at = next;
  } while (at !== first);
  return length;
}

Deno.test("bandit-linear: the regret of chance is the width of the features", () => {
  // The best arm's mean is |theta| times the features' extent along theta. On
  // average |theta| is sqrt(pi) / 2, and the extent the perimeter over 2 pi.
  const { task } = draw(linear, generator(rootKey(4)));
  const { features } = task as { features: Array<Array<number>> };
  const wanted = 200 * Math.sqrt(Math.PI) / 2 * perimeter(features) /
    (2 * Math.PI);
  near(regret(linear, randomPolicy, {}, 4000), wanted);
});

Deno.test("bandit-linear: arm-wise Thompson sampling regrets a tenth of chance", () => {
  // 16.0 of 169 was simulated for another draw of the features.
  const given = { "prior-mean": 0, "prior-variance": 1 };
  const chance = regret(linear, randomPolicy, {}, 600).mean;
  const learned = regret(linear, thompson, given, 600).mean;
  ok(learned / chance > 0.06 && learned / chance < 0.13);
  // And 3.6 for one who knows the features.
  const knowing = regret(linear, linearThompson, {}, 600).mean;
  ok(knowing / chance > 0.012 && knowing / chance < 0.03, `${knowing}`);
});

Deno.test("linear-thompson draws theta from its posterior", () => {
  // Features e1 and (1, 1): the draw for the second arm less that for the first
  // is the second entry of theta. Its posterior is by hand.
  const features = [[1, 0], [1, 1], [1, 0.3]];
  const actor = linearThompson.start({
    env: linear,
    task: { features },
    table: undefined,
    params: { "prior-variance": 0.5, noise: 1 },
    actions: 3,
    observations: 1,
    horizon: 1,
    episodes: 1,
    random: generator(rootKey(11)),
  });
  actor.learn!(0, 0, 1, 0, false);
  actor.learn!(0, 1, 1.5, 0, false);
  // Precision [[4, 1], [1, 3]], weighted [2.5, 1.5]: the mean of the second
  // entry is 3.5 / 11, its variance 4 / 11; arm 1 is pulled where it is above 0.
  const n = 20_000;
  let pulled = 0;
  for (let i = 0; i < n; i++) pulled += Number(actor.act(0, 0, 0) === 1);
  const share = normalCdf(3.5 / 11 / Math.sqrt(4 / 11));
  near({ mean: pulled / n, se: Math.sqrt(share * (1 - share) / n) }, share);
});

Deno.test("bandit-linear: features are the same for all tasks of a seed", () => {
  const random = generator(rootKey(5));
  const features = (given: Given) =>
    (draw(linear, random, given).task as { features: unknown }).features;
  deepEqual(features({}), features({}));
  ok(
    JSON.stringify(features({ "feature-seed": 1 })) !==
      JSON.stringify(features({})),
  );
});

Deno.test("bandit-adversarial: one parity pays", () => {
  const random = generator(rootKey(6));
  const odd = (given: Given) => {
    const { means } = draw(adversarial, random, given).task as {
      means: Array<number>;
    };
    means.forEach((mean, arm) => {
      ok(mean <= 0.05 || mean >= 0.95);
      if (arm % 2 === 1) ok(Math.abs(mean + means[arm - 1]! - 1) < 1e-12);
    });
    return means[1]! > 0.5;
  };
  ok(odd({ favoured: "odd" }) && !odd({ favoured: "even" }));
  const both = Array.from({ length: 200 }, () => odd({ favoured: "both" }));
  matches([both.filter((x) => x).length, both.filter((x) => !x).length], [
    100,
    100,
  ]);
});

const changing: ReadonlyArray<[string, Policy, Given, number]> = [
  ["chance", randomPolicy, {}, 63.1],
  ["the oracle", optimalPolicy, {}, 179.9],
  // Its bonus is 0.3 sqrt(ln t / n), without the 2 of UCB1.
  ["UCB(0.3)", ucb, { form: "ucb1", coefficient: 0.3 / Math.SQRT2 }, 128.6],
  ["UCB(0.3) of the last 100", ucb, {
    form: "ucb1",
    coefficient: 0.3 / Math.SQRT2,
    window: 100,
  }, 141.5],
];
for (const [name, policy, given, wanted] of changing) {
  Deno.test(`bandit-abrupt: ${name} collects ${wanted}`, () => {
    const measured = rewards(abrupt, policy, given, 1000);
    near(measured, wanted, measured.se);
  });
}

interface Path {
  readonly means: ReadonlyArray<ReadonlyArray<number>>;
  readonly phase: ReadonlyArray<number>;
}

Deno.test("bandit-abrupt: the best arm moves once, in the middle third", () => {
  const random = generator(rootKey(7));
  const changes = Array.from({ length: 300 }, () => {
    const { means, phase } = draw(abrupt, random).task as Path;
    const [before, after] = means;
    equal(means.length, 2);
    ok(before!.indexOf(0.9) !== after!.indexOf(0.9));
    deepEqual([...before!].sort(), [...after!].sort());
    return phase.indexOf(1);
  });
  ok(Math.min(...changes) >= 66 && Math.max(...changes) < 132);
});

Deno.test("bandit-piecewise: changes come at the rate of the hazard", () => {
  const random = generator(rootKey(8));
  const changes = Array.from(
    { length: 400 },
    () => (draw(piecewise, random).task as Path).means.length - 1,
  );
  near(moments(changes), 199 * 0.01);
});

Deno.test("bandit-drift: means start uniform and move by normal steps", () => {
  const random = generator(rootKey(9));
  const [first, moves]: [Array<number>, Array<number>] = [[], []];
  for (let i = 0; i < 300; i++) {
    const { means } = draw(drift, random, { horizon: 2 }).task as Path;
    first.push(...means[0]!);
    means[0]!.forEach((mean, arm) => {
      // Far enough from the walls that none of them is met.
      if (Math.abs(mean - 0.5) < 0.2) moves.push(means[1]![arm]! - mean);
    });
    ok(means.flat().every((mean) => mean >= 0 && mean <= 1));
  }
  follows(first, (x) => x);
  const { mean, se } = moments(moves);
  near({ mean, se }, 0);
  const sd = se * Math.sqrt(moves.length);
  near({ mean: sd, se: 0.05 / Math.sqrt(2 * moves.length) }, 0.05);
});

Deno.test("bandit-drift: every episode of a trial meets the same path", () => {
  const { task } = draw(drift, generator(rootKey(10)));
  const best = play(drift, task, optimalPolicy, {}, 3, 1).map((e) => e.actions);
  deepEqual(best[0], best[1]);
  deepEqual(best[0], best[2]);
  ok(new Set(best[0]).size > 1);
});
