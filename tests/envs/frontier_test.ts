/** Exploration at the frontier, against what is best for one who knows. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { darkRoom } from "../../envs/dark_room.ts";
import { resolveParams } from "../../envs/params.ts";
import { planOf } from "../../envs/planning.ts";
import { findEnvironment, findPolicy } from "../../envs/registry.ts";
import { evaluate } from "../../kernels/finite_horizon.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { draw, play, sum } from "./play.ts";

const frontier = findPolicy("frontier")!;
const frozenLake = findEnvironment("frozen-lake")!;
const tabular = findEnvironment("tabular-mdp")!;

Deno.test("frontier, given the moves, finds every goal of a Dark Room and is then the best", () => {
  const returns: Array<number> = [];
  for (let goal = 0; goal < 81; goal++) {
    const task = { size: 9, horizon: 20, goal };
    const { values } = planOf(darkRoom.table!(task), 20);
    for (const ties of ["first", "random"]) {
      const given = { moves: "given", ties };
      const trial = play(darkRoom, task, frontier, given, 12, goal);
      const earned = trial.map((episode) => sum(episode.rewards));
      const found = earned.findIndex((earned) => earned > 0);
      ok(found >= 0, `goal ${goal} was not found`);
      for (let e = found + 1; e < 12; e++) equal(earned[e], values[40]);
      returns.push(earned[11]!);
    }
  }
  const mean = sum(returns) / returns.length;
  ok(Math.abs(mean - (21 - 40 / 9 - 1 / 81)) < 1e-9, `${mean}`);
});

Deno.test("frontier, given the moves, enters a new cell with every step while there is one beside it", () => {
  const task = { size: 9, horizon: 20, goal: 0 };
  const given = { moves: "given", ties: "first" };
  const [first] = play(darkRoom, task, frontier, given, 1, 1);
  const cells = new Set(first!.states as Array<number>);
  // It may lock itself in: from there the nearest new cell is further.
  ok(cells.size >= 18, `${cells.size} cells`);
});

Deno.test("frontier, knowing nothing, solves any lake before it has tried every move twice", () => {
  const source = generator(rootKey(4));
  for (let i = 0; i < 60; i++) {
    const { task } = draw(frozenLake, source, { "fixed-start": true });
    const { states, actions } = frozenLake.table!(task);
    const trial = play(frozenLake, task, frontier, {}, states * actions, i);
    const first = trial.findIndex(({ success }) => success);
    ok(first >= 0, "it never arrived");
    ok(trial.slice(first).every(({ success }) => success));
  }
});

Deno.test("frontier never tries a move twice that it knows to end without pay", () => {
  const source = generator(rootKey(5));
  for (let i = 0; i < 40; i++) {
    const { task } = draw(frozenLake, source);
    const trial = play(frozenLake, task, frontier, {}, 30, i);
    const ended = trial.filter(({ terminated, success }) =>
      terminated && !success
    ).map(({ states, actions }) =>
      `${states[actions.length - 1]} ${actions.at(-1)}`
    );
    deepEqual(ended.length, new Set(ended).size);
  }
});

Deno.test("frontier says which moves it cannot be given", () => {
  const { task } = draw(tabular, generator(rootKey(6)));
  const why = (env: typeof tabular, moves: string, observations: number) =>
    frontier.refuses!({
      env,
      task,
      table: env.table?.(task),
      params: resolveParams(frontier.params, { moves }),
      actions: 5,
      observations,
      horizon: 10,
      episodes: 1,
    }) ?? "";
  match(why(tabular, "given", 10), /no[rt] a table of certain moves/);
  equal(why(tabular, "learned", 10), "");
  match(why(tabular, "learned", 0), /not discrete/);
});

Deno.test("frontier begins as uniform play and ends as itself, with warm-up", () => {
  const WARM_UP = 3;
  const given = { moves: "given", "warm-up": WARM_UP };
  const first: Array<number> = [];
  const exact: Array<number> = [];
  const taken = new Float64Array(5);
  for (let goal = 0; goal < 81; goal++) {
    const task = { size: 9, horizon: 20, goal };
    const table = darkRoom.table!(task)!;
    const { values } = planOf(table, 20);
    const uniform = evaluate(table, 20, new Int32Array(table.states), 1);
    for (let sample = 0; sample < 40; sample++) {
      const seed = 81 * sample + goal;
      const trial = play(darkRoom, task, frontier, given, 15, seed);
      const earned = trial.map(({ rewards }) => sum(rewards));
      first.push(earned[0]! - uniform.return);
      for (const action of trial[0]!.actions) taken[action as number]!++;
      const found = earned.findIndex((earned) => earned > 0);
      for (let e = Math.max(found + 1, WARM_UP); e < 15; e++) {
        equal(earned[e], values[40]);
      }
    }
    exact.push(uniform.return);
  }
  const n = first.length;
  const off = sum(first) / n;
  const error = Math.sqrt(sum(first.map((x) => (x - off) ** 2))) / n;
  ok(Math.abs(off) < 4 * error, `${off} off ${sum(exact) / 81}`);
  const expected = 20 * n / 5;
  const chiSquare = sum([...taken].map((k) => (k - expected) ** 2 / expected));
  ok(chiSquare < 18.5, `${taken}`); // 0.1 % of 4 degrees of freedom.
});
