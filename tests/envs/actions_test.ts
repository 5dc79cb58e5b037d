import { deepEqual, equal, ok, throws } from "node:assert/strict";
import * as fc from "fast-check";
import {
  type Action,
  type Box,
  drawAction,
  isAction,
  roundAction,
} from "../../envs/actions.ts";
import { resolveParams } from "../../envs/params.ts";
import type { Policy } from "../../envs/policies/policy.ts";
import { findPolicy, policies } from "../../envs/registry.ts";
import { emptyRecord, playTrial } from "../../envs/rollout.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { follows } from "../laws.ts";
import { aiming } from "./aiming.ts";
import type { Given } from "./play.ts";

const bounds = fc.tuple(
  fc.double({ min: -1e3, max: 1e3, noNaN: true }),
  fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
);

/** A box of one number, and a number in it. */
const placed = bounds.chain(([low, width]) => {
  const box: Box = { kind: "box", low, high: low + width, shape: [1] };
  return fc.double({ min: low, max: low + width, noNaN: true }).map((x) => ({
    box,
    x,
  }));
});

Deno.test("roundAction() stays in the box and near, and rounds once for all", () => {
  fc.assert(fc.property(placed, ({ box, x }) => {
    const rounded = roundAction(box, [x]);
    ok(isAction(box, rounded));
    ok(Math.abs(rounded[0]! - x) <= 0.51e-6);
    ok(!Object.is(rounded[0], -0));
    deepEqual(roundAction(box, rounded), rounded);
    deepEqual(JSON.parse(JSON.stringify(rounded)), rounded);
    const { low, high } = box;
    const isBound = rounded[0] === low || rounded[0] === high;
    ok(isBound || rounded[0] === Number(rounded[0]!.toFixed(6)));
  }));
});

Deno.test("isAction() knows integers below a count, and vectors of a box", () => {
  const box: Box = { kind: "box", low: -1, high: 1, shape: [2] };
  const are: ReadonlyArray<[number | Box, unknown, boolean]> = [
    [3, 0, true],
    [3, 2, true],
    [3, 3, false],
    [3, -1, false],
    [3, 0.5, false],
    [3, "1", false],
    [3, [1], false],
    [box, [1, -1], true],
    [box, [1], false],
    [box, [1, 0, 0], false],
    [box, [1.001, 0], false],
    [box, [0, NaN], false],
    [box, ["0", 0], false],
    [box, 0, false],
    [box, undefined, false],
  ];
  for (const [actions, value, is] of are) {
    equal(isAction(actions, value), is, `${JSON.stringify(value)}`);
  }
});

Deno.test("drawAction() is uniform in the box", () => {
  const random = generator(rootKey(1));
  const box: Box = { kind: "box", low: -3, high: 1, shape: [500] };
  const drawn = Array.from(
    { length: 10 },
    () => drawAction(box, random) as ReadonlyArray<number>,
  );
  follows(drawn.flat(), (x) => (x + 3) / 4);
});

const point = [1 / 3, -2 / 3];

function played(policy: Policy, given: Given = {}, episodes = 2) {
  const record = emptyRecord();
  playTrial({
    env: aiming,
    task: { point },
    policy,
    params: resolveParams(policy.params, given),
    episodes,
    stopOnSuccess: false,
    seed: "1",
  }, record);
  return record;
}

const fixed = (action: Action): Policy => ({
  name: "fixed",
  summary: "The same action",
  params: {},
  start: () => ({ act: () => action }),
});

Deno.test("a trial of vectors is recorded as it was played, in six decimals", () => {
  const record = played(findPolicy("optimal")!);
  const rounded = [0.333333, -0.666667];
  deepEqual(record.actionVectors, new Array(6).fill(rounded));
  const short = -Math.hypot(rounded[0]! - point[0]!, rounded[1]! - point[1]!);
  deepEqual([...record.rewards.subarray(0, 6)], new Array(6).fill(short));
  ok(short < 0, "the reward is that of the rounded action");
});

Deno.test("a record of vectors holds integers again afterwards", () => {
  const record = played(findPolicy("random")!);
  const bandit = {
    ...aiming,
    actions: () => 2,
    step: (_: unknown, state: unknown, action: Action) => ({
      state,
      observation: 0,
      reward: action as number,
      terminated: false,
    }),
  };
  playTrial({
    env: bandit,
    task: {},
    policy: fixed(1),
    params: {},
    episodes: 1,
    stopOnSuccess: false,
    seed: "1",
  }, record);
  equal(record.actionVectors, undefined);
  deepEqual([...record.actions.subarray(0, 3)], [1, 1, 1]);
});

Deno.test("vectors that are not in the box are refused", () => {
  for (const action of [[1], [0, 2], [0, NaN], 1]) {
    throws(
      () => played(fixed(action)),
      /^RangeError: Cannot play aiming: action /,
    );
  }
});

Deno.test("noise over a policy is of vectors where actions are", () => {
  for (const name of ["epsilon-greedy", "noise-curriculum"]) {
    const policy = findPolicy(name)!;
    const given = name === "epsilon-greedy" ? { epsilon: 0.5 } : { floor: 0 };
    const vectors = played(policy, given, 200).actionVectors!;
    const aimed = vectors.filter(([x]) => x === 0.333333).length;
    // Half of 600 steps; of the curriculum a tenth, and half of the others.
    const share = name === "epsilon-greedy" ? 0.5 : 0.55;
    ok(Math.abs(aimed / 600 - share) < 0.08, `${name}: ${aimed} of 600`);
  }
});

Deno.test("policies that choose among integers say that they cannot play", () => {
  const able = ["random", "optimal", "epsilon-greedy", "noise-curriculum"];
  for (const policy of policies) {
    if (able.includes(policy.name)) continue;
    throws(() => played(policy), {
      name: "PolicyRefusal",
      message: /takes vectors as actions$|is not a finite MDP$/,
    }, policy.name);
  }
  for (const name of ["epsilon-greedy", "noise-curriculum"]) {
    const given = { reference: "ucb", ...(name[0] === "n" && { floor: 0 }) };
    throws(() => played(findPolicy(name)!, given), /takes vectors as actions$/);
  }
});
