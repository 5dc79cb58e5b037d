import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  actionValue,
  evaluate,
  type FiniteMdp,
  plan,
} from "../../kernels/finite_horizon.ts";
import { dirichlet } from "../../kernels/random/distributions.ts";
import {
  type Generator,
  generator,
  integer,
  uniform,
} from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";

interface Shape {
  states: number;
  actions: number;
  branches: number;
  ends: number;
}

/** Any MDP; rewards are quarters, so that ties happen. */
function randomMdp(random: Generator, shape: Shape): FiniteMdp {
  const { states, actions, branches, ends } = shape;
  const outcomes = states * actions * branches;
  const fill = (draw: () => number) =>
    Float64Array.from({ length: outcomes }, draw);
  const probability = new Float64Array(outcomes);
  for (let k = 0; k < outcomes; k += branches) {
    probability.set(dirichlet(random, new Float64Array(branches).fill(1)), k);
  }
  const terminal = Uint8Array.from(fill(() => Number(uniform(random) < ends)));
  return {
    states,
    actions,
    branches,
    next: Int32Array.from(fill(() => integer(random, states))),
    probability,
    reward: fill(() => integer(random, 4) / 4),
    terminal,
    success: Uint8Array.from(fill(() => Number(uniform(random) < 0.1))),
    starts: Int32Array.from(new Set([0, integer(random, states)])),
  };
}

/** Return, success and length from `s` at `t` on, straight from their meaning. */
function worth(
  mdp: FiniteMdp,
  horizon: number,
  choose: (t: number, s: number) => ReadonlyArray<number>,
  t: number,
  s: number,
): [number, number, number] {
  const sums: [number, number, number] = [0, 0, 0];
  if (t === horizon) return sums;
  choose(t, s).forEach((share, a) => {
    for (let b = 0; b < mdp.branches && share > 0; b++) {
      const k = (s * mdp.actions + a) * mdp.branches + b;
      const p = share * mdp.probability[k]!;
      const [r, w, l] = mdp.terminal[k]
        ? [0, 0, 0]
        : worth(mdp, horizon, choose, t + 1, mdp.next[k]!);
      sums[0] += p * (mdp.reward[k]! + r);
      sums[1] += p * (mdp.success[k] ? 1 : w);
      sums[2] += p * (1 + l);
    }
  });
  return sums;
}

/** The best return, trying every action at every step. */
function best(mdp: FiniteMdp, left: number, s: number): number {
  if (left === 0) return 0;
  let most = -Infinity;
  for (let a = 0; a < mdp.actions; a++) {
    let sum = 0;
    for (let b = 0; b < mdp.branches; b++) {
      const k = (s * mdp.actions + a) * mdp.branches + b;
      const after = mdp.terminal[k] ? 0 : best(mdp, left - 1, mdp.next[k]!);
      sum += mdp.probability[k]! * (mdp.reward[k]! + after);
    }
    most = Math.max(most, sum);
  }
  return most;
}

const anyMdp = fc.record({
  seed: fc.nat(),
  states: fc.integer({ min: 1, max: 4 }),
  actions: fc.integer({ min: 1, max: 3 }),
  branches: fc.integer({ min: 1, max: 2 }),
  ends: fc.constantFrom(0, 0.3),
}).map(({ seed, ...shape }) => randomMdp(generator(rootKey(seed)), shape));
const anyHorizon = fc.integer({ min: 1, max: 4 });

function close(a: number, b: number): void {
  ok(Math.abs(a - b) < 1e-8, `${a} is not ${b}`);
}

Deno.test("plan() gives the return of trying everything", () => {
  fc.assert(fc.property(anyMdp, anyHorizon, (mdp, horizon) => {
    const { values } = plan(mdp, horizon);
    for (let s = 0; s < mdp.states; s++) {
      close(values[s]!, best(mdp, horizon, s));
    }
  }));
});

Deno.test("plan() values are what its actions are worth", () => {
  fc.assert(fc.property(anyMdp, anyHorizon, (mdp, horizon) => {
    const { values, actions } = plan(mdp, horizon);
    const mean = mdp.starts.reduce((sum, s) => sum + values[s]!, 0) /
      mdp.starts.length;
    close(evaluate(mdp, horizon, actions).return, mean);
    for (let s = 0; s < mdp.states; s++) {
      const worths = Array.from(
        { length: mdp.actions },
        (_, a) =>
          actionValue(
            mdp,
            { horizon, states: mdp.states, actions, values },
            0,
            s,
            a,
          ),
      );
      close(worths[actions[s]!]!, Math.max(...worths));
    }
  }));
});

Deno.test("evaluate() agrees with following every branch", () => {
  fc.assert(fc.property(
    anyMdp,
    anyHorizon,
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.nat(),
    (mdp, horizon, epsilon, seed) => {
      const random = generator(rootKey(seed));
      const A = mdp.actions;
      const actions = Int32Array.from(
        { length: horizon * mdp.states },
        () => integer(random, A),
      );
      const choose = (t: number, s: number) =>
        Array.from({ length: A }, (_, a) =>
          epsilon / A +
          (actions[t * mdp.states + s] === a ? 1 - epsilon : 0));
      const all = [...mdp.starts].map((s) => worth(mdp, horizon, choose, 0, s));
      const [paid, solved, length] = [0, 1, 2].map((i) =>
        all.reduce((sum, one) => sum + one[i]!, 0) / all.length
      );
      const measured = evaluate(mdp, horizon, actions, epsilon);
      close(measured.return, paid!);
      close(measured.success, solved!);
      close(measured.length, length!);
    },
  ));
});

Deno.test("evaluate() weighs starts by how likely they are", () => {
  const shape = { states: 4, actions: 2, branches: 2, ends: 0.1 };
  const mdp = randomMdp(generator(rootKey(7)), shape);
  const row = Int32Array.of(0, 1, 1, 0);
  const from = (starts: ReadonlyArray<number>, odds?: ReadonlyArray<number>) =>
    evaluate(
      {
        ...mdp,
        starts: Int32Array.from(starts),
        ...(odds && { startProbability: Float64Array.from(odds) }),
      },
      5,
      row,
    ).return;
  close(from([1, 3], [0.25, 0.75]), 0.25 * from([1]) + 0.75 * from([3]));
  close(from([1, 3], [0.5, 0.5]), from([1, 3]));
});

Deno.test("evaluate() takes one row of actions for all steps", () => {
  fc.assert(fc.property(
    anyMdp,
    fc.integer({ min: 2, max: 4 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.nat(),
    (mdp, horizon, epsilon, seed) => {
      const random = generator(rootKey(seed));
      const row = Array.from(
        { length: mdp.states },
        () => integer(random, mdp.actions),
      );
      const rows = Array.from({ length: horizon }, () => row).flat();
      const one = evaluate(mdp, horizon, Int32Array.from(row), epsilon);
      const all = evaluate(mdp, horizon, Int32Array.from(rows), epsilon);
      close(one.return, all.return);
      close(one.success, all.success);
      close(one.length, all.length);
    },
  ));
});

/** A corridor of `n` cells; its last step pays 1 and ends. */
function corridor(n: number): FiniteMdp {
  const mdp = {
    states: n,
    actions: 3, // 0 stays, 1 goes back, 2 goes on
    branches: 1,
    next: new Int32Array(3 * n),
    probability: new Float64Array(3 * n).fill(1),
    reward: new Float64Array(3 * n),
    terminal: new Uint8Array(3 * n),
    success: new Uint8Array(3 * n),
    starts: Int32Array.of(0),
  };
  for (let s = 0; s < n; s++) {
    mdp.next.set([s, Math.max(0, s - 1), Math.min(n - 1, s + 1)], 3 * s);
  }
  mdp.reward[3 * n - 1] = mdp.terminal[3 * n - 1] = 1;
  mdp.success[3 * n - 1] = 1;
  return mdp;
}

Deno.test("plan() goes straight to the end, however much time there is", () => {
  const { actions } = plan(corridor(6), 40);
  const straight = evaluate(corridor(6), 40, actions);
  deepEqual(straight, { return: 1, success: 1, length: 6 });
  // Step 35 is the first from which the end is out of reach.
  equal(actions[34 * 6], 2);
  equal(actions[35 * 6], 0);
});

Deno.test("plan() ends a hopeless episode as soon as it can", () => {
  const mdp = corridor(3);
  mdp.reward.fill(0);
  deepEqual([...plan(mdp, 5).actions.subarray(0, 3)], [2, 2, 2]);
});

Deno.test("plan() takes the lowest of actions that are the same", () => {
  const mdp = randomMdp(generator(rootKey(2)), {
    states: 5,
    actions: 4,
    branches: 3,
    ends: 0.2,
  });
  // All actions do what action 0 does, with outcomes in another order.
  for (let s = 0; s < 5; s++) {
    for (let a = 1; a < 4; a++) {
      for (let b = 0; b < 3; b++) {
        const from = s * 12 + b;
        const to = s * 12 + a * 3 + (b + a) % 3;
        mdp.next[to] = mdp.next[from]!;
        mdp.probability[to] = mdp.probability[from]!;
        mdp.reward[to] = mdp.reward[from]!;
        mdp.terminal[to] = mdp.terminal[from]!;
      }
    }
  }
  ok(plan(mdp, 30).actions.every((action) => action === 0));
});

Deno.test("plan() has the same rows whether or not it stops early", () => {
  // Everything ends within 7 steps, so that rows repeat.
  const mdp = corridor(7);
  for (let s = 0; s < 7; s++) mdp.terminal[3 * s] = mdp.terminal[3 * s + 1] = 1;
  const long = plan(mdp, 50);
  const short = plan(mdp, 12);
  deepEqual(long.actions.subarray(38 * 7), short.actions);
  deepEqual(long.values.subarray(38 * 7), short.values);
  for (let t = 0; t < 43; t++) {
    deepEqual(
      long.values.subarray(t * 7, t * 7 + 7),
      short.values.subarray(0, 7),
    );
  }
});
