import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { anymdpV2 } from "../../envs/anymdp/v2/continuous.ts";
import { sampleContinuous } from "../../envs/anymdp/v2/sample.ts";
import type {
  Ball,
  ContinuousState,
  ContinuousTask,
} from "../../envs/anymdp/v2/task.ts";
import { resolveParams } from "../../envs/params.ts";
import { drawTask } from "../../envs/rollout.ts";
import { normal } from "../../kernels/random/distributions.ts";
import { generator, uniform } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { follows, matches, near, normalCdf } from "../laws.ts";
import { type Given, moments, sum } from "./play.ts";

const SMALL = { observation: 6, action: 8 };
const random = generator(rootKey(1));

function taskOf(given: Given, seed: number): ContinuousTask {
  const params = resolveParams(anymdpV2.params, { ...SMALL, ...given });
  return sampleContinuous(generator(rootKey(seed)), params);
}

/** A task in which nothing pays or ends but what is put into it. */
function bare(seed: number, change: Partial<ContinuousTask> = {}) {
  const task = taskOf({ mode: "universal", latent: 4 }, seed);
  if (task.aim.mode !== "universal") throw new Error("another mode");
  const field = { ...task.aim.field, factor: 0 };
  const nothing = { pitfalls: [], bumps: [], constant: 0 };
  const aim = { mode: "universal", field } as const;
  return { ...task, aim, ...nothing, ...change };
}

function step(
  task: ContinuousTask,
  state: ContinuousState,
  action: Array<number> = new Array(task.done).fill(0),
) {
  const moved = anymdpV2.step(task, state, action, random);
  return { ...moved, state: moved.state as ContinuousState };
}

const someAction = () =>
  Array.from({ length: 8 }, () => 2 * uniform(random) - 1);
const somewhere = (n: number) =>
  Array.from({ length: n }, () => 3 * uniform(random) - 1.5);

/** Entry i of weights [.., x.length] times x. */
function entry(
  weights: ReadonlyArray<number>,
  x: ReadonlyArray<number>,
  i: number,
) {
  return sum(x.map((value, j) => weights[i * x.length + j]! * value));
}

function close(found: number, wanted: number, tolerance = 1e-6): void {
  ok(Math.abs(found - wanted) <= tolerance, `${found} is not ${wanted}`);
}

function counts(values: ReadonlyArray<number>, from: number, to: number) {
  const found = new Float64Array(to - from);
  for (const value of values) found[value - from] = found[value - from]! + 1;
  return found;
}

function isUniform(values: ReadonlyArray<number>, from: number, to: number) {
  const expected = values.length / (to - from);
  const found = counts(values, from, to);
  equal(sum(found), values.length, "none outside");
  matches(found, found.map(() => expected));
}

const drawn = Array.from({ length: 1500 }, (_, seed) => taskOf({}, seed));

Deno.test("anymdp-v2 draws sizes and speeds from their ranges", () => {
  isUniform(drawn.map((task) => task.latent), 4, 16);
  isUniform(drawn.map((task) => Math.floor(task.horizon / 100)), 1, 10);
  isUniform(drawn.map((task) => task.starts.length), 1, 10);
  const above = drawn.map(({ latent, eyes }) =>
    eyes[0].bias.length - Math.max(latent - 3, 3)
  );
  for (const latent of [4, 5, 10]) {
    const own = above.filter((_, i) => drawn[i]!.latent === latent);
    isUniform(own, 0, latent + 1 - Math.max(latent - 3, 3));
  }
  follows(
    drawn.flatMap((task) => task.speed),
    (w) => Math.min(1, Math.max(0, (w - 0.01) / 0.04)),
  );
  follows(
    drawn.flatMap((task) => task.starts.map(({ spread }) => spread)),
    (s) => 1 - Math.exp(-s / 0.1),
  );
});

Deno.test("anymdp-v2 draws aims, pitfalls and bumps as often as it says", () => {
  const modes = ["static", "dynamic", "universal"];
  isUniform(drawn.map(({ aim }) => modes.indexOf(aim.mode)), 0, 3);
  const share = (has: (task: ContinuousTask) => boolean) =>
    moments(drawn.map((task) => Number(has(task))));
  near(share(({ pitfalls }) => pitfalls.length > 0), 0.7);
  near(share(({ bumps }) => bumps.length > 0), 0.5);
  const some = (of: (task: ContinuousTask) => ReadonlyArray<unknown>) =>
    drawn.map((task) => of(task).length).filter((n) => n > 0);
  const pits = some(({ pitfalls }) => pitfalls);
  ok(Math.min(...pits) >= 1 && Math.max(...pits) <= 149);
  isUniform(
    pits.filter((n) => n < 149).map((n) => Math.floor((n - 1) / 4)),
    0,
    37,
  );
  isUniform(some(({ bumps }) => bumps), 1, 5);
});

Deno.test("anymdp-v2 pays in each step an exponential times -2, -1, 0 or 1", () => {
  const constants = drawn.map(({ constant }) => constant);
  near(moments(constants.map((c) => Number(c === 0))), 1 / 4);
  near(moments(constants.map((c) => Number(c > 0))), 1 / 4);
  follows(
    constants.filter((c) => c > 0),
    (c) => 1 - Math.exp(-c / 0.01),
  );
  // Half of what is below 0 is twice an exponential.
  follows(
    constants.filter((c) => c < 0).map((c) => -c),
    (c) => 1 - Math.exp(-c / 0.01) / 2 - Math.exp(-c / 0.02) / 2,
  );
});

Deno.test("anymdp-v2 keeps pitfalls off the starts and the goal", () => {
  const clear = (ball: Ball, place: ReadonlyArray<number>) =>
    Math.hypot(...place.map((x, i) => x - ball.centre[i]!)) > ball.radius;
  for (const { starts, aim, pitfalls } of drawn) {
    const places = starts.map(({ centre }) => centre);
    if (aim.mode === "static") {
      ok(places.every((place) => clear(aim.goal, place)));
      places.push(aim.goal.centre);
    }
    ok(pitfalls.every((ball) => places.every((place) => clear(ball, place))));
  }
});

Deno.test("anymdp-v2 moves as its equation says, with little noise", () => {
  const noises: Array<number> = [];
  for (let seed = 0; seed < 40; seed++) {
    const task = taskOf({}, seed);
    for (let k = 0; k < 20; k++) {
      const [x, action] = [somewhere(task.latent), someAction()];
      const { state } = step(task, { x, t: 7 }, action);
      equal(state.t, 8);
      state.x.forEach((value, i) => {
        const own = Math.tanh(
          entry(task.drift.weights, x, i) + task.drift.bias[i]!,
        );
        const push = Math.tanh(entry(task.push, action, i));
        noises.push((value - x[i]! - (own + push) * task.speed[i]!) / 0.001);
      });
    }
  }
  follows(noises, normalCdf);
});

Deno.test("anymdp-v2 is seen through its network", () => {
  const task = taskOf({}, 2);
  const { state, observation } = step(task, {
    x: somewhere(task.latent),
    t: 0,
  });
  const seen = observation as ReadonlyArray<number>;
  const [hidden, output] = task.eyes;
  const inner = hidden.bias.map((b, i) =>
    Math.tanh(b + entry(hidden.weights, state.x, i))
  );
  equal(seen.length, 6);
  seen.forEach((y, i) =>
    close(y, Math.tanh(output.bias[i]! + entry(output.weights, inner, i)))
  );
});

Deno.test("anymdp-v2 starts about its starts", () => {
  const starts = [{ centre: [0.5, -0.5, 0, 1], spread: 0.2 }];
  const task = bare(3, { starts });
  const off: Array<number> = [];
  for (let k = 0; k < 500; k++) {
    const { x } = anymdpV2.reset(task, random).state as ContinuousState;
    x.forEach((value, i) => off.push((value - starts[0]!.centre[i]!) / 0.2));
  }
  follows(off, normalCdf);
  const wide = bare(3, { starts: [{ centre: [0, 0, 0, 0], spread: 9 }] });
  const { x } = anymdpV2.reset(wide, random).state as ContinuousState;
  ok(x.every((value) => Math.abs(value) <= 2));
  ok(x.some((value) => Math.abs(value) === 2));
});

Deno.test("anymdp-v2 ends where the box is left, and not before", () => {
  let [ends, goes] = [0, 0];
  for (let k = 0; k < 200; k++) {
    const x = somewhere(4);
    x[k % 4] = (k % 2 ? 1 : -1) * 1.998;
    const drift = { weights: new Array(16).fill(0), bias: [0, 0, 0, 0] };
    const moved = step(bare(k, { drift }), { x, t: 0 }, someAction());
    const isOut = moved.state.x.some((value) => value > 2 || value < -2);
    equal(moved.terminated, isOut);
    equal(moved.reward, 0);
    equal("success" in moved, false);
    if (isOut) ends++;
    else goes++;
  }
  ok(ends > 20 && goes > 20, `${ends} end, ${goes} go on`);
});

/** Steps from a ball's centre and from just outside it. */
function enter(change: (ball: Ball) => Partial<ContinuousTask>, pays: number) {
  const centre = [0.5, 0.5, -0.5, 0];
  const task = bare(4, change({ centre, radius: 0.2, pays }));
  return [centre, [0.8, 0.5, -0.5, 0]].map((x) => step(task, { x, t: 0 }));
}

Deno.test("anymdp-v2 ends in a pitfall, which costs", () => {
  const [inside, outside] = enter((ball) => ({ pitfalls: [ball] }), -3);
  deepEqual([inside!.reward, inside!.terminated], [-3, true]);
  deepEqual([outside!.reward, outside!.terminated], [0, false]);
});

Deno.test("anymdp-v2 is solved in a static goal, which pays", () => {
  const [inside, outside] = enter(
    (goal) => ({ aim: { mode: "static", goal } }),
    4,
  );
  deepEqual([inside!.reward, inside!.terminated, inside!.success], [
    4,
    true,
    true,
  ]);
  deepEqual([outside!.reward, outside!.terminated], [0, false]);
  equal(outside!.success, false);
});

Deno.test("anymdp-v2 pays for being near a moving goal", () => {
  const { aim } = taskOf({ mode: "dynamic", latent: 4 }, 5);
  if (aim.mode !== "dynamic") throw new Error("another mode");
  const { period, sine, cosine, height, width } = aim.path;
  ok(period >= 100 && period < 1000 && height >= 0.2 && height < 1);
  const goal = (t: number) =>
    sine[0]!.map((_, i) =>
      1.5 * Math.tanh(sum([1, 2, 3].map((k) => {
        const angle = t * k / period * 2 * Math.PI;
        return sine[k - 1]![i]! * Math.sin(angle) +
          cosine[k - 1]![i]! * Math.cos(angle);
      })))
    );
  notDeepEqual(goal(1), goal(30));
  for (const t of [0, 29, 500]) {
    const from = goal(t).map((x) => x + 0.1 * normal(random));
    const { state, reward } = step(bare(5, { aim }), { x: from, t });
    const off = Math.hypot(...state.x.map((x, i) => x - goal(t + 1)[i]!));
    close(reward, height * Math.exp(-((off / width) ** 2) / 2));
    ok(reward > height / 2);
  }
});

Deno.test("anymdp-v2 pays what a field has above a half", () => {
  let paid = 0;
  for (let seed = 0; seed < 60; seed++) {
    const { aim } = taskOf({ mode: "universal", latent: 4 }, seed);
    if (aim.mode !== "universal") throw new Error("another mode");
    const { inner, outer, factor } = aim.field;
    const { state, reward } = step(bare(seed, { aim }), {
      x: somewhere(4),
      t: 0,
    });
    const bent = inner.bias.map((b, i) => {
      const y = b + entry(inner.weights, state.x, i);
      return i % 2 ? Math.tanh(y) : Math.sin(y);
    });
    const value = Math.tanh(outer.bias[0]! + entry(outer.weights, bent, 0));
    close(reward, value > 0.5 ? factor * (value - 0.5) : 0);
    if (reward > 0) paid++;
  }
  ok(paid > 5 && paid < 50, `${paid} of 60 pay`);
});

Deno.test("anymdp-v2 pays a potential's rise, and its constant", () => {
  const bumps = [
    { centre: [0, 0, 0, 0], height: 2, width: 1 },
    { centre: [1, 0, 1, 0], height: -1, width: 0.5 },
  ];
  const height = (x: ReadonlyArray<number>) =>
    sum(bumps.map(({ centre, height, width }) => {
      const off = Math.hypot(...x.map((value, i) => value - centre[i]!));
      return height * Math.exp(-((off / width) ** 2) / 2);
    }));
  const task = bare(6, { bumps, constant: -0.25 });
  for (let k = 0; k < 20; k++) {
    const x = somewhere(4);
    const { state, reward } = step(task, { x, t: 0 }, someAction());
    close(reward, height(state.x) - height(x) - 0.25);
  }
});

Deno.test("anymdp-v2's goals can mostly be reached by one who knows the way", () => {
  let reached = 0;
  for (let seed = 0; seed < 20; seed++) {
    const given = { mode: "static", action: 64, horizon: 800 };
    const task = { ...taskOf(given, seed), pitfalls: [] };
    if (task.aim.mode !== "static") throw new Error("another mode");
    const { centre } = task.aim.goal;
    let state = anymdpV2.reset(task, random).state as ContinuousState;
    for (let t = 0; t < task.horizon; t++) {
      const way = centre.map((x, i) => Math.sign(x - state.x[i]!));
      // Each number of an action goes where most of what it pushes should go.
      const action = Array.from(
        { length: task.done },
        (_, j) =>
          Math.sign(sum(way.map((w, i) => w * task.push[i * task.done + j]!))),
      );
      const moved = step(task, state, action);
      if (moved.success) reached++;
      if (moved.terminated) break;
      state = moved.state;
    }
  }
  ok(reached > 10, `${reached} of 20 reached`);
});

Deno.test("anymdp-v2 takes what is given, and is what its seed says", () => {
  const params = resolveParams(anymdpV2.params, {
    mode: "dynamic",
    latent: 5,
    horizon: 33,
  });
  const [one, again, other] = ["1", "1", "2"].map((seed) =>
    drawTask(anymdpV2, params, seed).task as ContinuousTask
  );
  deepEqual(one, again);
  notDeepEqual(one, other);
  deepEqual([one!.aim.mode, one!.latent, one!.horizon], ["dynamic", 5, 33]);
  deepEqual(anymdpV2.observations(one), { kind: "box", shape: [256] });
  deepEqual(anymdpV2.actions(one), {
    kind: "box",
    low: -1,
    high: 1,
    shape: [256],
  });
});
