/** Shaping and acceptance where their outcome is known. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { memoryOfStart } from "../../envs/anymdp/ergodicity.ts";
import { longRun, refusalOf, valueGap } from "../../envs/anymdp/acceptance.ts";
import { raise } from "../../envs/anymdp/shaping.ts";
import type { BandedMdp } from "../../kernels/solvers/banded.ts";
import { linearScratch } from "../../kernels/solvers/elimination.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";

/** All states lead to the first `reached`; action 0 pays `paid`, 1 nothing. */
function evenly(n: number, reached: number, paid: number): BandedMdp {
  const rows = 2 * n;
  return {
    states: n,
    actions: 2,
    from: new Int32Array(rows),
    to: new Int32Array(rows).fill(reached),
    offset: new Int32Array(rows),
    probability: new Float64Array(reached).fill(1 / reached),
    reward: Float64Array.from({ length: rows }, (_, i) => i % 2 ? 0 : paid),
  };
}

function judged(mdp: BandedMdp): string | undefined {
  const n = mdp.states;
  const draft = {
    states: n,
    actions: 2,
    maxSteps: 100,
    starts: [0],
    startProbability: [1],
    ends: new Uint8Array(n),
    goal: false,
  };
  const solving = {
    policy: new Int32Array(n),
    values: new Float64Array(n),
    linear: linearScratch(n),
  };
  return refusalOf(mdp, draft, solving, new Float64Array(n));
}

Deno.test("refusalOf() asks for a gain of 2", () => {
  const mdp = evenly(16, 16, 1);
  const solving = {
    policy: new Int32Array(16),
    values: new Float64Array(16),
    linear: linearScratch(16),
  };
  const gap = valueGap(
    mdp,
    [0],
    2 ** (-1 / 16),
    100,
    solving,
    new Float64Array(16),
  );
  // Uniform play loses half of what is paid, but for the first action.
  ok(Math.abs(gap - 50 * 2 ** (-1 / 16)) < 1e-9);
  equal(judged(evenly(16, 16, 2.001 / gap)), undefined);
  equal(judged(evenly(16, 16, 1.999 / gap)), "the best play gains too little");
});

Deno.test("refusalOf() asks for a Gini index of 0.7 and an entropy of 0.35", () => {
  const few = "the best play stays in too few states";
  equal(judged(evenly(8, 3, 1)), few);
  equal(judged(evenly(8, 4, 1)), undefined);
  // ln 4 / ln 64 is a third; ln 5 / ln 64 is 0.387.
  equal(judged(evenly(64, 4, 1)), "the best play is too unevenly spread");
  equal(judged(evenly(64, 5, 1)), undefined);
});

Deno.test("longRun() goes on from an end with a start", () => {
  const mdp = {
    ...evenly(3, 1, 1),
    from: new Int32Array(6).fill(2),
    to: new Int32Array(6).fill(3),
  };
  const draft = {
    states: 3,
    actions: 2,
    maxSteps: 10,
    starts: [0, 1],
    startProbability: [0.25, 0.75],
    ends: Uint8Array.of(0, 0, 1),
    goal: true,
  };
  // In and out in turn: after 16 steps at a start.
  deepEqual([...longRun(mdp, new Int32Array(3), draft, 0)], [0.25, 0.75, 0]);
});

const draft = {
  states: 5,
  actions: 2,
  maxSteps: 100,
  starts: [0, 1],
  startProbability: [0.5, 0.5],
  ends: Uint8Array.of(0, 0, 1, 0, 0),
  goal: false,
};
const goalDraft = { ...draft, ends: Uint8Array.of(0, 0, 1, 0, 1), goal: true };
const random = generator(rootKey(1));

Deno.test("raise() leaves a bonus alone that is good", () => {
  const bonus = Float64Array.of(0, 0, -1, 0, 1);
  const values = Float64Array.of(1, 2, 0, 0.5, 7.1);
  equal(raise(random, draft, values, bonus), undefined);
  deepEqual([...bonus], [0, 0, -1, 0, 1]);
  const goal = Float64Array.of(1, 2, 0, 7.1, 0);
  equal(raise(random, goalDraft, goal, bonus), undefined);
});

Deno.test("raise() makes pitfalls worse by what is missing and 1 to 10", () => {
  const extra: Array<number> = [];
  for (let i = 0; i < 500; i++) {
    // The least value is 0.5, so that -0.5 is a bonus too high by exactly 0.
    const bonus = Float64Array.of(0, 0, -0.25, 0, 1);
    const values = Float64Array.of(1, 2, 0, 0.5, 9);
    equal(raise(random, draft, values, bonus), "pitfalls are worth too much");
    extra.push(-0.25 - bonus[2]! - 0.25);
    deepEqual([bonus[0], bonus[1], bonus[3], bonus[4]], [0, 0, 0, 1]);
  }
  ok(Math.min(...extra) >= 1 && Math.min(...extra) < 1.2);
  ok(Math.max(...extra) <= 10 && Math.max(...extra) > 9.8);
});

Deno.test("raise() gives the top twice what is missing, a hundredth if it stays", () => {
  const why = "the top is worth too little";
  const more: Array<number> = [];
  const values = Float64Array.of(1, 22, 0, 2, 2);
  for (let i = 0; i < 500; i++) {
    const goal = Float64Array.of(0, 0, -9, 0, 1);
    equal(raise(random, goalDraft, values, goal), why);
    more.push(goal[4]! - 1);
    deepEqual([...goal.subarray(0, 4)], [0, 0, -9, 0]);
    const stays = Float64Array.of(0, 0, -9, 0, 1);
    equal(raise(random, draft, values, stays), why);
    more.push((stays[4]! - 1) * 100);
  }
  // The top is 20 below the better start, and 2 to 5 above it is asked.
  ok(Math.min(...more) >= 44 && Math.min(...more) < 44.1);
  ok(Math.max(...more) <= 50 && Math.max(...more) > 49.9);
});

Deno.test("memoryOfStart() is that of the chain's power, as it is worked out", () => {
  // Two states that each keep to themselves with probability p: the second
  // eigenvalue of the chain is 2p - 1, the rows end (1 ± λ^m) / 2.
  const p = 0.98;
  const mdp = {
    ...evenly(2, 2, 1),
    offset: Int32Array.of(0, 0, 2, 2),
    probability: Float64Array.of(p, 1 - p, 1 - p, p),
  };
  const draft = {
    states: 2,
    actions: 2,
    maxSteps: 10,
    starts: [0],
    startProbability: [1],
    ends: new Uint8Array(2),
    goal: false,
  };
  const half = (2 * p - 1) ** 16 / 2;
  ok(Math.abs(memoryOfStart(mdp, draft) - half ** 2) < 1e-12);
  // From an end to the start: the start is in turn left and come back to.
  const periodic = {
    ...evenly(2, 1, 1),
    from: new Int32Array(4).fill(1),
    to: new Int32Array(4).fill(2),
  };
  const ends = Uint8Array.of(0, 1);
  equal(memoryOfStart(periodic, { ...draft, ends, goal: true }), 0.25);
});
