import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { frozenLake } from "../../envs/frozen_lake.ts";
import { frozenLakeGym } from "../../envs/frozen_lake_gym.ts";
import { frozenLakeMap } from "../../envs/frozen_lake_map.ts";
import { goalDistances, type Lake } from "../../envs/lake.ts";
import { planOf } from "../../envs/planning.ts";
import { evaluate } from "../../kernels/finite_horizon.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { isRefusal } from "../../envs/env.ts";
import { resolveParams } from "../../envs/params.ts";
import { near } from "../laws.ts";
import { draw, type Given, moments } from "./play.ts";

/** Maps, and the draws that they took. */
function sample(
  given: Given,
  n: number,
): { lakes: Array<Lake>; draws: number } {
  const random = generator(rootKey(1));
  let draws = 0;
  const lakes = Array.from({ length: n }, () => {
    const drawn = draw(frozenLake, random, given);
    draws += drawn.draws;
    return drawn.task as Lake;
  });
  return { lakes, draws };
}

function tiles({ map }: Lake, kind: string): number {
  return map.join("").split(kind).length - 1;
}

/** Mean distances to the nearest goal, from every start. */
function distances(lakes: ReadonlyArray<Lake>): Array<number> {
  return lakes.flatMap(({ map }) => {
    const distance = goalDistances(map.join(""), map[0]!.length);
    return [...map.join("")].flatMap((tile, i) =>
      tile === "S" ? [distance[i]!] : []
    );
  });
}

/** Exact probabilities of goal and hole, and length, of uniform actions. */
function chance(lake: Lake): [goal: number, hole: number, length: number] {
  const table = frozenLake.table!(lake);
  const none = new Int32Array(table.states);
  const { success, length } = evaluate(table, 100, none, 1);
  const ended = { ...table, success: table.terminal };
  return [success, evaluate(ended, 100, none, 1).success - success, length];
}

/** Acceptance, path, starts, goals, holes; goal, hole and length by chance. */
const settings: ReadonlyArray<[string, Given, Array<number>]> = [
  ["3..5", {}, [.0506, 4.85, 1.37, 1.33, .167, .150, .845, 11.6]],
  ["6..7", { "min-size": 6, "max-size": 7 }, [
    .0423,
    5.89,
    2.48,
    2.27,
    .180,
    .070,
    .928,
    10.5,
  ]],
  ["3..6 from 3 hops", { "max-size": 6, "min-hops": 3 }, [
    .1293,
    4.24,
    1.68,
    1.64,
    .162,
    .214,
    .781,
    11.5,
  ]],
];

// The goldens come from 3,000 to 4,000 maps, with played episodes.
const MAPS = 2500;

for (const [name, given, wanted] of settings) {
  Deno.test(`frozen-lake ${name}: maps are as the paper's sampler makes them`, () => {
    const { lakes, draws } = sample(given, MAPS);
    const rate = MAPS / draws;
    const worths = lakes.map(chance);
    const measured = [
      { mean: rate, se: rate * Math.sqrt((1 - rate) / MAPS) },
      moments(distances(lakes)),
      moments(lakes.map((lake) => tiles(lake, "S"))),
      moments(lakes.map((lake) => tiles(lake, "G"))),
      moments(lakes.map((l) => tiles(l, "H") / l.map.join("").length)),
      ...[0, 1, 2].map((i) => moments(worths.map((worth) => worth[i]!))),
    ];
    measured.forEach((one, i) => near(one, wanted[i]!, one.se));
  });
}

Deno.test("frozen-lake: small maps are rarely taken", () => {
  const { lakes } = sample({}, MAPS);
  const wanted = [[3, .024], [4, .115], [5, .163]] as const;
  for (const [size, share] of wanted) {
    const squares = lakes.map(({ map }) =>
      Number(map.length === size && map[0]!.length === size)
    );
    near(moments(squares), share, Math.sqrt(share * (1 - share) / 3500));
  }
});

Deno.test("frozen-lake: draws are refused for what is wrong with them", () => {
  const params = resolveParams(frozenLake.params);
  const random = generator(rootKey(2));
  const reasons = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const drawn = frozenLake.sampleTask(random, params);
    const why = isRefusal(drawn) ? drawn.refused : "taken";
    reasons.set(why, (reasons.get(why) ?? 0) + 1);
  }
  deepEqual([...reasons.keys()].sort(), [
    "no-start",
    "taken",
    "too-near",
    "unreachable",
  ]);
  // Exactly: the mean of 0.9^(width * height) over sides of 3 to 5.
  let none = 0;
  for (const w of [3, 4, 5]) {
    for (const h of [3, 4, 5]) none += 0.9 ** (w * h) / 9;
  }
  const measured = reasons.get("no-start")! / 20_000;
  near({ mean: measured, se: Math.sqrt(none * (1 - none) / 20_000) }, none);
});

Deno.test("frozen-lake: every start is min-hops from every goal", () => {
  for (const hops of [1, 3, 6]) {
    const { lakes } = sample({ "min-hops": hops }, 60);
    ok(distances(lakes).every((distance) => distance >= hops));
  }
});

Deno.test("frozen-lake: a fixed start is one of the map's", () => {
  const random = generator(rootKey(3));
  for (let i = 0; i < 30; i++) {
    const { task } = draw(frozenLake, random, { "fixed-start": true });
    equal(tiles(task as Lake, "S"), 1);
    equal(frozenLake.table!(task).starts.length, 1);
  }
});

Deno.test("frozen-lake: min-size above max-size is refused", () => {
  throws(
    () => draw(frozenLake, generator(rootKey(0)), { "min-size": 6 }),
    /Cannot set min-size to 6: above max-size, 5/,
  );
});

const stitching: Lake = {
  map: ["HHFF", "FFFF", "SFFH", "HFFF", "HFFF", "HFGF"],
  horizon: 100,
  grip: 1,
};

Deno.test("frozen-lake: the map of the stitching test, walked", () => {
  const random = generator(rootKey(4));
  const steps = (from: number, actions: Array<number>) => {
    let state: unknown = from;
    return actions.map((action) => {
      const moved = frozenLake.step(stitching, state, action, random);
      state = moved.state;
      return [moved.state, moved.reward, moved.terminated, moved.success];
    });
  };
  const on = [0, false, false];
  deepEqual(steps(2, [1, 1, 1, 1, 1]), [
    [6, ...on],
    [10, ...on],
    [14, ...on],
    [18, ...on],
    [22, 1, true, true],
  ]);
  deepEqual(steps(8, [2, 2, 2]), [[9, ...on], [10, ...on], [
    11,
    0,
    true,
    false,
  ]]);
  deepEqual(steps(8, [0, 3, 3]), [[8, ...on], [4, ...on], [0, 0, true, false]]);
  equal(frozenLake.render!(stitching, 9), "HHFF\nFFFF\nS@FH\nHFFF\nHFFF\nHFGF");
});

/** Exact probability of the goal, for one who knows the map. */
function optimum(given: Given): number {
  const { task } = draw(frozenLakeGym, generator(rootKey(5)), given);
  const table = frozenLakeGym.table!(task);
  const horizon = frozenLakeGym.horizon(task);
  return evaluate(table, horizon, planOf(table, horizon).actions).success;
}

Deno.test("frozen-lake-gym: the optimum on slippery ice is known", () => {
  equal(optimum({}).toFixed(4), "0.7442");
  equal(optimum({ size: 8 }).toFixed(4), "0.9132");
  equal(optimum({ size: 8, horizon: 100 }).toFixed(4), "0.6407");
  equal(optimum({ slippery: false }), 1);
});

Deno.test("frozen-lake-gym: random maps have a way, and few holes", () => {
  const random = generator(rootKey(6));
  for (let i = 0; i < 100; i++) {
    const { task } = draw(frozenLakeGym, random, { size: 6, map: "random" });
    const { map } = task as Lake;
    ok(map[0]!.startsWith("S") && map[5]!.endsWith("G"));
    ok(goalDistances(map.join(""), 6)[0]! >= 10);
  }
  throws(
    () => draw(frozenLakeGym, random, { size: 5 }),
    /Cannot set size to 5: the fixed maps/,
  );
});

Deno.test("frozen-lake-map: the map is the one that is given", () => {
  const given = (params: Given) =>
    draw(frozenLakeMap, generator(rootKey(1)), params).task as Lake;
  deepEqual(given({}), stitching);
  deepEqual(given({ map: "SF/HG", horizon: 7, slippery: true }), {
    map: ["SF", "HG"],
    horizon: 7,
    grip: 1 / 3,
  });
  for (const map of ["", "SF/G", "FG/HF", "SX/GF", "S/"]) {
    throws(() => given({ map }), /Cannot set map to .*: rows of one length/);
  }
});
