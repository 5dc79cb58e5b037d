import { deepEqual, equal, ok } from "node:assert/strict";
import { darkRoom } from "../../envs/dark_room.ts";
import { darkRoomDpt } from "../../envs/dark_room_dpt.ts";
import { darkRoomHard } from "../../envs/dark_room_hard.ts";
import { darkRoomPermuted } from "../../envs/dark_room_permuted.ts";
import type { Environment } from "../../envs/env.ts";
import { keyToDoor } from "../../envs/key_to_door.ts";
import { planOf } from "../../envs/planning.ts";
import { optimalPolicy } from "../../envs/policies/optimal.ts";
import { randomPolicy } from "../../envs/policies/random.ts";
import { evaluate, type Worth } from "../../kernels/finite_horizon.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { near } from "../laws.ts";
import { draw, moments, play, sum } from "./play.ts";

/** Exact worth, over some tasks, of the optimum with share `epsilon` of noise. */
function worth(
  env: Environment,
  tasks: ReadonlyArray<unknown>,
  epsilon: number,
): Worth {
  const all = tasks.map((task) => {
    const table = env.table!(task);
    const horizon = env.horizon(task);
    return evaluate(table, horizon, planOf(table, horizon).actions, epsilon);
  });
  const mean = (of: (worth: Worth) => number) => sum(all.map(of)) / all.length;
  return {
    return: mean((w) => w.return),
    success: mean((w) => w.success),
    length: mean((w) => w.length),
  };
}

function rooms(size: number, horizon: number): Array<object> {
  return Array.from(
    { length: size ** 2 },
    (_, goal) => ({ size, horizon, goal }),
  );
}

function close(measured: number, wanted: number, within: number): void {
  ok(Math.abs(measured - wanted) < within, `${measured} is not ${wanted}`);
}

/** Returns of single episodes of the random policy, on as many tasks. */
function randomReturns(env: Environment, n: number, given = {}) {
  const random = generator(rootKey(1));
  const returns = new Float64Array(n);
  const lengths = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const { task } = draw(env, random, given);
    const [episode] = play(env, task, randomPolicy, {}, 1, i);
    returns[i] = sum(episode!.rewards);
    lengths[i] = episode!.rewards.length;
  }
  return { returns: moments(returns), lengths: moments(lengths) };
}

Deno.test("dark-room: the optimum is 21 - 40/9 - 1/81", () => {
  const optimum = worth(darkRoom, rooms(9, 20), 0);
  close(optimum.return, 21 - 40 / 9 - 1 / 81, 1e-12);
  equal(optimum.success, 1);
});

Deno.test("dark-room: uniform actions stay uniform, and earn 20/81", () => {
  close(worth(darkRoom, rooms(9, 20), 1).return, 20 / 81, 1e-12);
  near({ mean: 20 / 81, se: 0 }, 0.249, 0.001);
  near(randomReturns(darkRoom, 20_000).returns, 20 / 81);
});

Deno.test("dark-room: returns under noise are those of the table", () => {
  // Simulated, from episodes that deviate by 5: .06 is 4 errors of 100,000.
  const simulated = [
    16.55,
    14.81,
    12.89,
    10.79,
    8.55,
    6.36,
    4.33,
    2.63,
    1.41,
    0.65,
    0.24,
  ];
  simulated.forEach((wanted, i) => {
    close(worth(darkRoom, rooms(9, 20), i / 10).return, wanted, 0.06);
  });
});

Deno.test("dark-room: played optimally, an episode earns what is worked out", () => {
  for (const goal of [0, 40, 44, 80]) {
    const task = { size: 9, horizon: 20, goal };
    const [episode] = play(darkRoom, task, optimalPolicy, {}, 1, 0);
    const distance = Math.abs(goal % 9 - 4) +
      Math.abs(Math.floor(goal / 9) - 4);
    equal(sum(episode!.rewards), 21 - Math.max(1, distance));
    ok(episode!.success && !episode!.terminated);
  }
});

Deno.test("dark-room: up is action 1, right 2, down 3, left 4, and 0 stays", () => {
  const task = { size: 9, horizon: 20, goal: 0 };
  const random = generator(rootKey(0));
  const to = [0, 1, 2, 3, 4].map((action) =>
    darkRoom.step(task, 40, action, random).state
  );
  deepEqual(to, [40, 31, 41, 49, 39]);
  deepEqual(darkRoom.step(task, 1, 4, random), {
    state: 0,
    observation: 0,
    reward: 1,
    terminated: false,
    success: true,
  });
  deepEqual(darkRoom.step(task, 0, 1, random).state, 0);
  equal(darkRoom.render!({ size: 3, horizon: 9, goal: 2 }, 3), "..G\n@S.\n...");
});

Deno.test("dark-room-hard: every goal is reached, by chance 1 in 27", () => {
  const all = rooms(17, 20);
  close(worth(darkRoomHard, all, 0).return, 1, 1e-12);
  const chance = worth(darkRoomHard, all, 1);
  near({ mean: chance.return, se: 0 }, 0.0375, 0.0003);
  near(randomReturns(darkRoomHard, 10_000).returns, chance.return);
});

Deno.test("dark-room-dpt: the optimum is 91.99", () => {
  close(worth(darkRoomDpt, rooms(10, 100), 0).return, 91.99, 1e-9);
  const chance = worth(darkRoomDpt, rooms(10, 100), 1).return;
  near({ mean: chance, se: 0 }, 1.008, 0.007);
});

Deno.test("dark-room-dpt: observations are column and row", () => {
  const task = { size: 10, horizon: 100, goal: 99 };
  const random = generator(rootKey(0));
  const seen = [0, 1, 2, 3, 4].map((action) =>
    darkRoomDpt.step(task, 55, action, random).observation
  );
  deepEqual(seen, [[6, 5], [4, 5], [5, 6], [5, 4], [5, 5]]);
  deepEqual(darkRoomDpt.reset(task, random).observation, [0, 0]);
  deepEqual(darkRoomDpt.observations(task), { kind: "box", shape: [2] });
});

Deno.test("dark-room-permuted: the far corner is 18 moves away in any order", () => {
  const random = generator(rootKey(2));
  const orders = new Set<string>();
  for (let i = 0; i < 1500; i++) {
    const { task } = draw(darkRoomPermuted, random);
    const { order } = task as { order: Array<number> };
    orders.add(order.join(""));
    if (i >= 40) continue;
    close(worth(darkRoomPermuted, [task], 0).return, 83, 1e-9);
    const state = darkRoomPermuted.step(task, 0, order.indexOf(0), random);
    deepEqual(state.observation, [1, 0]);
  }
  equal(orders.size, 120);
});

function someDoors(n: number, horizon: number): Array<unknown> {
  const random = generator(rootKey(3));
  return Array.from(
    { length: n },
    () => draw(keyToDoor, random, { horizon }).task,
  );
}

Deno.test("key-to-door: the optimum is 2, in 11.9 steps", () => {
  const tasks = someDoors(600, 50);
  const optimum = worth(keyToDoor, tasks, 0);
  close(optimum.return, 2, 1e-9);
  const lengths = tasks.map((task) => worth(keyToDoor, [task], 0).length);
  // Two mean distances of a 9x9 room; a start on the key takes a step too.
  near(moments(lengths), 4 * 80 / 27 + 1 / 81);
});

Deno.test("key-to-door: by chance .2525 in 50 steps, .209 in 40", () => {
  for (
    const [horizon, wanted, se] of [[50, .2525, .001], [
      40,
      .209,
      .001,
    ]] as const
  ) {
    const returns = someDoors(600, horizon).map((task) =>
      worth(keyToDoor, [task], 1).return
    );
    near(moments(returns), wanted, se);
  }
  const played = randomReturns(keyToDoor, 8000);
  near(played.returns, 0.2525, 0.001);
  near(played.lengths, 49.4, 0.05);
});

Deno.test("key-to-door: three in four uniform actions halve the return", () => {
  const returns = someDoors(600, 40).map((task) =>
    worth(keyToDoor, [task], 0.75).return
  );
  near(moments(returns), 1.018, 0.005);
});

Deno.test("key-to-door: a key that lies at the door opens it at once", () => {
  const random = generator(rootKey(0));
  const task = { size: 3, horizon: 9, key: 4, door: 4, start: null };
  deepEqual(keyToDoor.step(task, 3, 2, random), {
    state: 13,
    observation: 4,
    reward: 2,
    terminated: true,
    success: true,
  });
  const apart = { ...task, door: 5 };
  const onKey = keyToDoor.step(apart, 3, 2, random);
  deepEqual([onKey.state, onKey.observation, onKey.reward], [13, 4, 1]);
  equal(keyToDoor.step(apart, 13, 0, random).reward, 0);
  equal(keyToDoor.step(apart, 13, 2, random).success, true);
  equal(keyToDoor.step(apart, 4, 2, random).terminated, false);
});
