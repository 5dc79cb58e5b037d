import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { isAction } from "../../envs/actions.ts";
import type { LinearState, LinearTask } from "../../envs/linear/system.ts";
import { linearDynamics } from "../../envs/linear_dynamics.ts";
import { resolveParams } from "../../envs/params.ts";
import { findPolicy } from "../../envs/registry.ts";
import {
  drawTask,
  emptyRecord,
  playTrial,
  TERMINATED,
} from "../../envs/rollout.ts";
import { normal } from "../../kernels/random/distributions.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { bestInputs } from "../kernels/linear/least_squares.ts";
import type { Given } from "./play.ts";

function taskOf(given: Given, seed: number): LinearTask {
  const params = resolveParams(linearDynamics.params, given);
  // What the environment drew is its own.
  return drawTask(linearDynamics, params, `${seed}`).task as LinearTask;
}

const random = generator(rootKey(1));

function step(task: LinearTask, from: LinearState, action: Array<number>) {
  const moved = linearDynamics.step(task, from, action, random);
  return { ...moved, state: moved.state as LinearState };
}

function startOf(task: LinearTask, seed: number): LinearState {
  return linearDynamics.reset(task, generator(rootKey(seed)))
    .state as LinearState;
}

/** Where x' = A x + B u + c leads in 0.1, by small steps of Runge and Kutta. */
function flowed(
  { states, inputs, rate, drive, drift }: LinearTask,
  start: ReadonlyArray<number>,
  u: ReadonlyArray<number>,
): ReadonlyArray<number> {
  const flow = (x: ReadonlyArray<number>) =>
    drift.map((c, i) => {
      let sum = c;
      for (let j = 0; j < states; j++) sum += rate[i * states + j]! * x[j]!;
      for (let j = 0; j < inputs; j++) sum += drive[i * inputs + j]! * u[j]!;
      return sum;
    });
  const h = 0.1 / 200;
  const along = (x: ReadonlyArray<number>, by: ReadonlyArray<number>, k = h) =>
    x.map((value, i) => value + k * by[i]!);
  let x = start;
  for (let i = 0; i < 200; i++) {
    const k1 = flow(x);
    const k2 = flow(along(x, k1, h / 2));
    const k3 = flow(along(x, k2, h / 2));
    const k4 = flow(along(x, k3));
    x = along(
      x,
      k1.map((k, j) => (k + 2 * k2[j]! + 2 * k3[j]! + k4[j]!) / 6),
    );
  }
  return x;
}

/** C x + d. */
function outputOf(
  { states, readout, shift }: LinearTask,
  x: readonly number[],
) {
  return shift.map((d, i) => {
    let sum = d;
    for (let j = 0; j < states; j++) sum += readout[i * states + j]! * x[j]!;
    return sum;
  });
}

/** Where the output should be at step t. */
function targetAt({ centre, waves }: LinearTask, t: number) {
  return centre.map((mean, i) => {
    let sum = mean;
    for (const { period, sine, cosine } of waves) {
      sum += sine[i]! * Math.sin(t / period * 2 * Math.PI);
      sum += cosine[i]! * Math.cos(t / period * 2 * Math.PI);
    }
    return sum;
  });
}

const norm = (x: ReadonlyArray<number>) => Math.hypot(...x);

function near(found: number, wanted: number, tolerance: number): void {
  ok(Math.abs(found - wanted) <= tolerance, `${found} is not ${wanted}`);
}

Deno.test("linear-dynamics moves, shows and pays as its equations say", () => {
  const given = { states: 4, inputs: 2, observations: 2, delay: 3 };
  for (const target of ["static", "fourier"]) {
    const task = taskOf({ ...given, target }, 2);
    equal(task.waves.length, target === "static" ? 0 : 3);
    let state = startOf(task, 3);
    const felt: Array<Array<number>> = [[0, 0], [0, 0], [0, 0]];
    for (let t = 0; t < 20; t++) {
      const action = [normal(random) / 3, normal(random) / 3];
      felt.push(action);
      const x = flowed(task, state.x, felt[t]!);
      const moved = step(task, state, action);
      moved.state.x.forEach((value, i) => near(value, x[i]!, 1e-10));
      const output = outputOf(task, x);
      const seen = moved.observation as ReadonlyArray<number>;
      equal(seen.length, 2);
      seen.forEach((y, i) => near(y, output[i]!, 1e-6));
      const aim = targetAt(task, t + 1);
      const error = norm(output.map((y, i) => y - aim[i]!));
      const cost = error ** 2 / 100 + 0.001 * norm(action) ** 2;
      near(moved.reward, 1 - cost, 1e-6);
      equal(moved.terminated, error > 10);
      state = moved.state;
    }
  }
});

Deno.test("linear-dynamics shows the target where it is asked to", () => {
  const given = { target: "fourier", states: 3, inputs: 2, observations: 2 };
  const task = taskOf({ ...given, "show-target": true }, 4);
  deepEqual(linearDynamics.observations(task), { kind: "box", shape: [4] });
  let state = startOf(task, 5);
  const shown = [];
  for (let t = 1; t <= 5; t++) {
    const moved = step(task, state, [0, 0]);
    const seen = moved.observation as ReadonlyArray<number>;
    const target = targetAt(task, t);
    target.forEach((y, i) => near(seen[2 + i]!, y, 1e-6));
    shown.push(target);
    state = moved.state;
  }
  notDeepEqual(shown[0], shown[4], "the target moves");
});

Deno.test("linear-dynamics ends where the error is above 10", () => {
  const task = taskOf({ states: 2, inputs: 2, observations: 2, delay: 0 }, 6);
  const ends = [0.5, 1, 2, 4, 8, 16, 32, 64].map((far) => {
    const moved = step(task, { t: 0, x: [far, -far], queue: [] }, [0, 0]);
    const aim = targetAt(task, 1);
    const output = outputOf(task, moved.state.x);
    const error = norm(output.map((y, i) => y - aim[i]!));
    equal(moved.terminated, error > 10, `${error}`);
    // Whoever ends it has gained nothing by that.
    ok(moved.terminated ? moved.reward < 0 : moved.reward > -0.01);
    return moved.terminated;
  });
  deepEqual([ends[0], ends.at(-1)], [false, true]);
});

Deno.test("linear-dynamics' reference is the least-squares solution, delay and all", () => {
  const [steps, delay] = [14, 4];
  const drawn = taskOf(
    { states: 3, inputs: 2, observations: 2, delay, target: "fourier" },
    7,
  );
  // So little is asked of it that the box does not matter.
  const small = (values: ReadonlyArray<number>) => values.map((x) => x / 20);
  const task: LinearTask = {
    ...drawn,
    horizon: steps,
    drift: small(drawn.drift),
    shift: small(drawn.shift),
    centre: small(drawn.centre),
    waves: drawn.waves.map(({ period, sine, cosine }) => ({
      period,
      sine: small(sine),
      cosine: small(cosine),
    })),
  };
  let state = startOf(task, 8);
  state = { ...state, x: small(state.x) };
  const from = state;
  const outputs = (inputs: Float64Array) => {
    let x: ReadonlyArray<number> = from.x;
    return Array.from({ length: steps }, (_, t) => {
      const first = 2 * (t - delay);
      x = flowed(
        task,
        x,
        t < delay ? [0, 0] : [inputs[first]!, inputs[first + 1]!],
      );
      return outputOf(task, x);
    }).flat();
  };
  const targets = Array.from(
    { length: steps },
    (_, t) => targetAt(task, t + 1),
  ).flat();
  const best = bestInputs(outputs, targets, 2 * steps, {
    error: 1 / 100,
    effort: 0.001,
  });
  const optimal = linearDynamics.optimal!(task);
  for (let t = 0; t < steps; t++) {
    const action = optimal(state, t) as Array<number>;
    ok(action.every((u) => Math.abs(u) < 1), "the box does not bite");
    action.forEach((u, i) => near(u, best[2 * t + i]!, 1e-8));
    state = step(task, state, action).state;
  }
  ok(norm(best) > 0.1, "there was something to do");
});

Deno.test("linear-dynamics' reference stays in its box", () => {
  const task = taskOf({ delay: 5 }, 9);
  const far: LinearState = {
    ...startOf(task, 10),
    x: new Array(task.states).fill(1000),
  };
  const action = linearDynamics.optimal!(task)(far, 0) as Array<number>;
  ok(isAction(linearDynamics.actions(task), action));
  ok(action.some((u) => Math.abs(u) === 1));
});

/** Mean cost of a step over some tasks, and the share of episodes that end. */
function playedCost(name: string, given: Given) {
  let [cost, steps, ends] = [0, 0, 0];
  const record = emptyRecord();
  for (let seed = 0; seed < 25; seed++) {
    playTrial({
      env: linearDynamics,
      task: taskOf(given, seed),
      policy: findPolicy(name)!,
      params: {},
      episodes: 2,
      stopOnSuccess: false,
      seed: `${seed}`,
    }, record);
    const end = record.ends[1]!;
    steps += end;
    for (let i = 0; i < end; i++) cost += 1 - record.rewards[i]!;
    ends += (record.flags[0]! & TERMINATED) + (record.flags[1]! & TERMINATED);
  }
  return { cost: cost / steps, ends: ends / 50 };
}

Deno.test("linear-dynamics' reference costs a third of random play at most", () => {
  for (const delay of [0, 29]) {
    const optimal = playedCost("optimal", { delay });
    const random = playedCost("random", { delay });
    ok(3 * optimal.cost < random.cost, `${optimal.cost}, ${random.cost}`);
    ok(optimal.ends <= 0.02, `${optimal.ends} of its episodes end early`);
  }
});

Deno.test("linear-dynamics draws what is not given, and from all of its range", () => {
  const drawn = Array.from({ length: 150 }, (_, seed) => taskOf({}, seed));
  const seen = (of: (task: LinearTask) => number) =>
    [...new Set(drawn.map(of))].sort((a, b) => a - b);
  deepEqual(seen((task) => task.states), [2, 3, 4, 5, 6, 7, 8]);
  deepEqual(seen((task) => task.inputs), [1, 2, 3, 4]);
  deepEqual(seen((task) => task.outputs), [1, 2, 3, 4]);
  deepEqual(seen((task) => task.waves.length), [0, 3]);
  const delays = seen((task) => task.delay);
  deepEqual([delays[0], delays.at(-1)], [0, 29]);
  for (const { states, inputs, outputs, rate } of drawn) {
    ok(outputs <= inputs && inputs <= states);
    // Triangular, or in a band of two places at most.
    const places = rate.flatMap((x, at) =>
      x === 0 ? [] : [at % states - Math.floor(at / states)]
    );
    ok(Math.max(...places) <= 0 || places.every((k) => Math.abs(k) <= 2));
  }
});

Deno.test("linear-dynamics refuses by name, and keeps the sizes", () => {
  const params = resolveParams(linearDynamics.params, { states: 12 });
  const stream = generator(rootKey(11));
  const refused = new Set<string>();
  let kept: unknown;
  for (let i = 0; i < 200; i++) {
    const draw = linearDynamics.sampleTask(stream, params, kept) as {
      refused?: string;
      kept?: { inputs: number; delay: number };
    };
    if (draw.refused === undefined) {
      const { inputs, delay } = draw as LinearTask;
      if (kept) deepEqual({ inputs, delay }, pick(kept));
      kept = undefined;
      continue;
    }
    refused.add(draw.refused);
    if (kept) deepEqual(draw.kept, kept);
    kept = draw.kept;
  }
  deepEqual([...refused].sort(), ["out-of-reach", "unstable"]);
});

function pick(frame: unknown) {
  const { inputs, delay } = frame as LinearTask;
  return { inputs, delay };
}

Deno.test("linear-dynamics is the same system for any short horizon", () => {
  const [short, long] = [5, 150].map((horizon) => taskOf({ horizon }, 12));
  deepEqual({ ...short, horizon: 150 }, long);
});

Deno.test("linear-dynamics' reference holds every system from rest", () => {
  const given = { states: 6, inputs: 1, observations: 6 };
  for (let seed = 0; seed < 60; seed++) {
    const task = taskOf(given, seed);
    const optimal = linearDynamics.optimal!(task);
    let state: LinearState = {
      ...startOf(task, 1),
      x: new Array(task.states).fill(0),
    };
    for (let t = 0; t < task.horizon; t++) {
      const moved = step(task, state, optimal(state, t) as Array<number>);
      ok(!moved.terminated, `task ${seed} ends at ${t}`);
      state = moved.state;
    }
  }
});
