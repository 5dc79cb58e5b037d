import { deepEqual, equal, match, ok } from "node:assert/strict";
import { darkRoom } from "../../envs/dark_room.ts";
import { darkRoomDpt } from "../../envs/dark_room_dpt.ts";
import { darkRoomHard } from "../../envs/dark_room_hard.ts";
import type { Environment } from "../../envs/env.ts";
import { resolveParams } from "../../envs/params.ts";
import { planOf } from "../../envs/planning.ts";
import type { Actor, Policy, Trial } from "../../envs/policies/policy.ts";
import { findEnvironment, findPolicy, policies } from "../../envs/registry.ts";
import { evaluate } from "../../kernels/finite_horizon.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { near } from "../laws.ts";
import { draw, type Given, moments, play, sum } from "./play.ts";

const frozenLake = findEnvironment("frozen-lake")!;
const banditLinear = findEnvironment("bandit-linear")!;
const banditGaussian = findEnvironment("bandit-gaussian")!;
const [
  random,
  optimal,
  qLearning,
  epsilonGreedy,
  noiseCurriculum,
  ucb,
  thompson,
] = [
  "random",
  "optimal",
  "q-learning",
  "epsilon-greedy",
  "noise-curriculum",
  "ucb",
  "thompson",
].map((name) => findPolicy(name)!) as [
  Policy,
  Policy,
  Policy,
  Policy,
  Policy,
  Policy,
  Policy,
];

/** Mean return of an episode over some tasks, and its standard error. */
function earns(
  env: Environment,
  policy: Policy,
  tasks: number,
  episodes: number,
) {
  const source = generator(rootKey(1));
  return moments(Array.from({ length: tasks }, (_, i) => {
    const { task } = draw(env, source);
    const trial = play(env, task, policy, {}, episodes, i);
    return sum(trial.flatMap((episode) => episode.rewards)) / episodes;
  }));
}

for (const name of ["frozen-lake", "dark-room", "tabular-mdp"]) {
  Deno.test(`${name}: who knows beats who learns beats who guesses`, () => {
    const env = findEnvironment(name)!;
    const [best, learned, guessed] = [optimal, qLearning, random].map((
      policy,
    ) => earns(env, policy, 40, 200).mean);
    ok(
      best! > learned! && learned! > guessed!,
      `${best} ${learned} ${guessed}`,
    );
  });
}

for (const name of ["bandit-gaussian", "bandit-linear"]) {
  Deno.test(`${name}: who knows beats who learns beats who guesses`, () => {
    const env = findEnvironment(name)!;
    const [best, sampled, bound, guessed] = [optimal, thompson, ucb, random]
      .map((
        policy,
      ) => earns(env, policy, 40, 1).mean);
    ok(best! > sampled! && best! > bound!);
    ok(sampled! > guessed! && bound! > guessed!);
  });
}

Deno.test("q-learning ends better on frozen-lake than it begins", () => {
  const source = generator(rootKey(2));
  const gains = Array.from({ length: 40 }, (_, i) => {
    const { task } = draw(frozenLake, source);
    const trial = play(frozenLake, task, qLearning, {}, 200, i);
    const part = (from: number) =>
      sum(trial.slice(from, from + 50).flatMap((e) => e.rewards)) / 50;
    return part(150) - part(0);
  });
  const { mean, se } = moments(gains);
  ok(mean > 0.3 && mean > 8 * se, `gains ${mean} (${se})`);
});

/** An actor on two observations and two actions, seeing only what it is told. */
function actorOf(
  policy: Policy,
  given: Given,
  change: Partial<Trial> = {},
): Actor {
  const actor = policy.start({
    env: darkRoom,
    task: {},
    table: undefined,
    params: resolveParams(policy.params, given),
    actions: 2,
    observations: 2,
    horizon: 5,
    episodes: 4,
    random: generator(rootKey(3)),
    ...change,
  });
  // Two actions, which are integers.
  return actor as Actor;
}

Deno.test("q-learning looks ahead from a cut episode, not from an ended one", () => {
  for (const terminated of [false, true]) {
    const actor = actorOf(qLearning, {
      alpha: 0.5,
      gamma: 0.5,
      "epsilon-start": 0,
      "epsilon-end": 0,
    });
    actor.begin!();
    // Observation 1 is worth 4, so going there is worth 0.5 * 0.5 * 4 = 1.
    actor.learn!(1, 0, 8, 0, true);
    actor.learn!(0, 1, 0, 1, terminated);
    actor.learn!(0, 0, 1, 0, true);
    // Action 0 is worth 0.5: less than going to 1, more than an end there.
    equal(actor.act(0, 0, 0), terminated ? 0 : 1);
  }
});

Deno.test("q-learning explores less from episode to episode", () => {
  const given = { "epsilon-start": 1, "epsilon-end": 0, "epsilon-decay": 0.5 };
  const actor = actorOf(qLearning, given, { episodes: 4 });
  actor.learn!(0, 1, 1, 0, true);
  const other = [0, 1, 2, 3].map(() => {
    actor.begin!();
    const acts = Array.from({ length: 4000 }, () => actor.act(0, 0, 0));
    return acts.filter((action) => action === 0).length / 4000;
  });
  [0.5, 0.25, 0, 0].forEach((share, i) => {
    near({ mean: other[i]!, se: Math.sqrt(share * (1 - share) / 4000) }, share);
  });
});

Deno.test("q-learning draws among actions that are equally good", () => {
  const actor = actorOf(
    qLearning,
    { "epsilon-start": 0, "epsilon-end": 0 },
    { actions: 3 },
  );
  actor.begin!();
  const counts = [0, 0, 0];
  for (let i = 0; i < 6000; i++) counts[actor.act(0, 0, 0)]!++;
  for (const count of counts) near({ mean: count, se: 36.5 }, 2000);
});

Deno.test("ucb pulls every arm once, then by its bound", () => {
  const actor = actorOf(ucb, { coefficient: 1 }, { actions: 3 });
  const pulls = [0, 0.9, 0, 0, 0, 0].map((reward) => {
    const arm = actor.act(0, 0, 0);
    actor.learn!(0, arm, reward, 0, false);
    return arm;
  });
  // Bounds after three pulls: 1, 1.9, 1; then 1, .45 + .707, 1; then
  // 1, .3 + .577, 1.
  deepEqual(pulls, [0, 1, 2, 1, 1, 0]);
});

Deno.test("ucb with a window pulls again what has left it", () => {
  const actor = actorOf(ucb, { coefficient: 0.1, window: 3 });
  const pulls = [0, 1, 1, 1, 1, 1, 1].map((reward) => {
    const arm = actor.act(0, 0, 0);
    actor.learn!(0, arm, arm === 1 ? reward : 0, 0, false);
    return arm;
  });
  deepEqual(pulls, [0, 1, 1, 1, 0, 1, 1]);
});

Deno.test("ucb with a window is no bolder for a longer past", () => {
  // A bonus that went on growing would make it pull the worse arm more often.
  const given = { form: "ucb1", window: 3 };
  const actor = actorOf(ucb, given);
  const pulls = Array.from({ length: 400 }, () => {
    const arm = actor.act(0, 0, 0);
    actor.learn!(0, arm, arm, 0, false);
    return arm;
  });
  deepEqual(pulls.slice(0, 4), [0, 1, 1, 1]);
  deepEqual(pulls.slice(-4), [0, 1, 1, 1]);
});

Deno.test("epsilon-greedy earns what its noise allows", () => {
  const task = { size: 9, horizon: 20, goal: 12 };
  const table = darkRoom.table!(task);
  const { actions } = planOf(table, 20);
  for (const epsilon of [0, 0.3, 1]) {
    const trial = play(darkRoom, task, epsilonGreedy, { epsilon }, 3000, 4);
    const returns = trial.map((episode) => sum(episode.rewards));
    const exact = evaluate(table, 20, actions, epsilon).return;
    if (epsilon === 0) equal(returns[0], exact);
    else near(moments(returns), exact);
  }
});

Deno.test("epsilon-greedy lets its reference learn", () => {
  const { task } = draw(banditGaussian, generator(rootKey(5)));
  const given = { reference: "thompson", epsilon: 0 };
  deepEqual(
    play(banditGaussian, task, epsilonGreedy, given, 1, 6)[0]!.actions.length,
    500,
  );
  const { means } = task as { means: Array<number> };
  const best = means.indexOf(Math.max(...means));
  const [episode] = play(banditGaussian, task, epsilonGreedy, given, 1, 6);
  const last = episode!.actions.slice(-200);
  ok(last.filter((arm) => arm === best).length > 150);
});

Deno.test("dirichlet keeps odds for a trial, with one action favoured", () => {
  const pairs = Array.from({ length: 20_000 }, (_, i) => {
    const actor = actorOf(findPolicy("dirichlet")!, {}, {
      actions: 5,
      random: generator(rootKey(i)),
    });
    const [first, , , later] = [0, 1, 2, 3].map((t) => actor.act(0, 0, t));
    return Number(first === later);
  });
  // Two draws agree with probability sum p^2. With w uniform in 0, .1, ..., 1:
  // E (1 - w)^2 = E w^2 = .35, E w (1 - w) = .15; of Dirichlet(1) over n = 5,
  // sum E d^2 = 2 / (n + 1), E d = 1 / n.
  near(moments(pairs), 0.35 * 2 / 6 + 2 * 0.15 / 5 + 0.35);
});

function prepared(env: Environment, given: Given, episodes = 8): number {
  return noiseCurriculum.prepare!({
    env,
    envParams: resolveParams(env.params),
    params: resolveParams(noiseCurriculum.params, given),
    episodes,
    key: rootKey(7),
  }).floor as number;
}

Deno.test("noise-curriculum finds its floor by the return", () => {
  equal(prepared(darkRoom, {}), 0);
  // By the table of returns under noise, .384 of the optimum is at .5.
  const floor = prepared(darkRoom, { "max-performance": 6.378 / 16.543 });
  ok(Math.abs(floor - 0.5) < 0.02, `${floor}`);
  // Nothing is worse than chance, so all of the noise is allowed.
  equal(prepared(darkRoom, { "max-performance": 0 }), 1);
  equal(prepared(darkRoom, { floor: 0.2 }), 0.2);
});

Deno.test("noise-curriculum plays, where there is nothing to work out", () => {
  const { table: _, ...bare } = darkRoom;
  const blind: Environment = {
    ...bare,
    optimal: (task) => {
      const { actions, states } = planOf(darkRoom.table!(task), 20);
      return (state, t) => actions[t * states + (state as number)]!;
    },
  };
  const given = { "max-performance": 0.5 };
  ok(Math.abs(prepared(blind, given) - prepared(darkRoom, given)) < 0.03);
  equal(prepared(blind, given), prepared(blind, given));
});

Deno.test("noise-curriculum falls in a line to its floor", () => {
  // The goal is far, so that the best actions go there and never tie with it.
  const task = { size: 9, horizon: 10, goal: 0 };
  const { actions } = planOf(darkRoom.table!(task), 10);
  const others = new Float64Array(20);
  const trials = 600;
  for (let i = 0; i < trials; i++) {
    const given = { floor: 0.4 };
    play(darkRoom, task, noiseCurriculum, given, 20, i).forEach((episode, e) =>
      episode.actions.forEach((action, t) => {
        const best = actions[t * 81 + (episode.states[t] as number)]!;
        others[e]! += Number(action !== best) / (10 * trials);
      })
    );
  }
  others.forEach((share, e) => {
    // Mean of epsilon over the ten steps; a uniform action is best 1 in 5.
    let epsilon = 0;
    for (let t = 0; t < 10; t++) {
      epsilon += Math.max(0.4, 1 - 0.6 * (10 * e + t) / 180) / 10;
    }
    const wanted = 0.8 * epsilon;
    const se = Math.sqrt(wanted * (1 - wanted) / (10 * trials));
    near({ mean: share, se }, wanted);
  });
});

Deno.test("noise-curriculum counts an early end as the whole episode", () => {
  const task = { size: 17, horizon: 20, goal: 145 };
  for (let i = 0; i < 30; i++) {
    const trial = play(
      darkRoomHard,
      task,
      noiseCurriculum,
      { floor: 0 },
      10,
      i,
    );
    deepEqual(trial[9]!.actions, [2]);
  }
});

Deno.test("policies say what they cannot play", () => {
  const { task } = draw(darkRoom, generator(rootKey(8)));
  const { table: _, ...bare } = darkRoom;
  const why = (policy: Policy, env: Environment, given = {}, seen = 0) =>
    policy.refuses?.({
      env,
      task,
      table: env.table?.(task),
      params: resolveParams(policy.params, given),
      actions: 5,
      observations: seen,
      horizon: 20,
      episodes: 1,
    }) ?? "";
  match(why(ucb, darkRoom, {}, 81), /not a bandit/);
  match(why(thompson, darkRoom, {}, 81), /not a bandit/);
  match(why(qLearning, darkRoom), /not discrete/);
  match(why(optimal, bare), /dark-room has no known optimum/);
  match(why(epsilonGreedy, bare), /no known optimum/);
  match(why(noiseCurriculum, darkRoom), /floor was not worked out/);
  match(why(noiseCurriculum, bare, { floor: 0 }), /no known optimum/);
  equal(why(noiseCurriculum, darkRoom, { floor: 0 }), "");
});

Deno.test("q-learning sees vectors of a finite environment by their index", () => {
  const { task } = draw(darkRoomDpt, generator(rootKey(9)), { horizon: 20 });
  equal(play(darkRoomDpt, task, qLearning, {}, 3, 1).length, 3);
});

for (const policy of policies) {
  Deno.test(`${policy.name} plays the same trial again`, () => {
    const { task } = draw(banditLinear, generator(rootKey(10)), {
      horizon: 40,
    });
    const given: Given = policy.params.floor ? { floor: 0.1 } : {};
    const [first, again, other] = [1, 1, 2].map((seed) =>
      play(banditLinear, task, policy, given, 3, seed)
    );
    deepEqual(first, again);
    ok(JSON.stringify(first) !== JSON.stringify(other));
  });
}
