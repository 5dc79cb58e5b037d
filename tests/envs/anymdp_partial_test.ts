import { deepEqual, equal, ok } from "node:assert/strict";
import { drawEmission, drawSymbol } from "../../envs/anymdp/emission.ts";
import {
  anymdpPartial,
  type PartialTask,
  tokensOf,
} from "../../envs/anymdp/partial.ts";
import { tableOf } from "../../envs/anymdp/table.ts";
import { garnet } from "../../envs/garnet.ts";
import { solutionsOf } from "../../envs/planning.ts";
import { findPolicy } from "../../envs/registry.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { follows, matches, normalCdf } from "../laws.ts";
import { draw, type Given, moments, play, sum } from "./play.ts";

const random = generator(rootKey(1));

function partial(given: Given, seed = 1): PartialTask {
  return draw(anymdpPartial, generator(rootKey(seed)), given)
    .task as PartialTask;
}

Deno.test("drawEmission() is as sparse as 4 symbols a state, and rows sum to 1", () => {
  for (const symbols of [1, 5, 20, 64]) {
    const matrix = drawEmission(random, 50, symbols);
    let single = 0;
    for (let s = 0; s < 50; s++) {
      const row = matrix.slice(s * symbols, (s + 1) * symbols);
      ok(Math.abs(sum(row) - 1) < 1e-12);
      single += row.filter((p) => p === 1).length;
    }
    const filled = matrix.filter((p) => p > 0).length;
    const drawn = Math.floor(50 * symbols * Math.min(0.2, 4 / symbols));
    ok(filled >= drawn && filled <= drawn + single);
  }
});

Deno.test("drawSymbol() follows its row", () => {
  const matrix = [0, 1, 0, 0.2, 0, 0.8];
  const counts = new Float64Array(3);
  for (let i = 0; i < 10_000; i++) {
    equal(drawSymbol(random, matrix, 3, 0), 1);
    const o = drawSymbol(random, matrix, 3, 1);
    counts[o] = counts[o]! + 1;
  }
  matches(counts, [2000, 0, 8000]);
});

Deno.test("tokensOf() reads an action as digits", () => {
  deepEqual([0, 7, 13, 24].map((action) => tokensOf(action, 5, 2)), [
    [0, 0],
    [1, 2],
    [2, 3],
    [4, 4],
  ]);
});

Deno.test("anymdp-partial: two tokens are two steps of its world", () => {
  const task = partial({ "action-tokens": 2 });
  const table = tableOf(task.world);
  const [s, action] = [task.world.starts[0]!, 3 * 5 + 1];
  const expected = new Float64Array(16);
  const [first, then] = [(s * 5 + 3) * table.branches, table.branches];
  for (let k = first; k < first + then; k++) {
    const [j, p] = [table.next[k]!, table.probability[k]!];
    if (table.terminal[k]) expected[j] = expected[j]! + p;
    else {
      for (let i = (j * 5 + 1) * then; i < (j * 5 + 2) * then; i++) {
        const to = table.next[i]!;
        expected[to] = expected[to]! + p * table.probability[i]!;
      }
    }
  }
  const counts = new Float64Array(16);
  const n = 20_000;
  for (let i = 0; i < n; i++) {
    const { state } = anymdpPartial.step(task, s, action, random);
    counts[state as number] = counts[state as number]! + 1;
  }
  const often = [...expected.keys()].filter((j) => expected[j]! * n > 5);
  const rest = (x: Float64Array) => sum(x) - sum(often.map((j) => x[j]!));
  matches([...often.map((j) => counts[j]!), rest(counts)], [
    ...often.map((j) => n * expected[j]!),
    n * rest(expected),
  ]);
});

Deno.test("anymdp-partial: with one token the optimum is the oracle's", () => {
  const task = partial({});
  const table = tableOf(task.world);
  const { policy } = solutionsOf(table, [0.994])[0]!;
  const best = anymdpPartial.optimal!(task);
  for (let s = 0; s < 16; s++) {
    if (!task.world.ends.includes(s)) equal(best(s, 0), policy[s]);
  }
});

Deno.test("anymdp-partial: optimal play with two tokens beats chance", () => {
  for (let seed = 1; seed <= 3; seed++) {
    const task = partial({ states: 8, "action-tokens": 2 }, seed);
    const [best, chance] = ["optimal", "random"].map((name) =>
      moments(
        play(anymdpPartial, task, findPolicy(name)!, {}, 200, seed)
          .map(({ rewards }) => sum(rewards)),
      )
    );
    ok(best!.mean - 4 * best!.se > chance!.mean + 4 * chance!.se);
  }
});

interface GarnetTask {
  readonly next: ReadonlyArray<number>;
  readonly probability: ReadonlyArray<number>;
  readonly reward: ReadonlyArray<number>;
}

Deno.test("garnet: successors differ, pieces are uniform, rewards are N(0, σ²)", () => {
  const params = { states: 20, actions: 10, branches: 3, sigma: 2 };
  const tasks = Array.from(
    { length: 20 },
    () => draw(garnet, random, params).task as GarnetTask,
  );
  const reached = new Float64Array(20);
  for (const { next } of tasks) {
    for (let k = 0; k < next.length; k += 3) {
      equal(new Set(next.slice(k, k + 3)).size, 3);
    }
    for (const s of next) reached[s] = reached[s]! + 1;
  }
  ok(moments(reached).se < 25);
  matches(reached, new Float64Array(20).fill(600));
  const pieces = tasks.flatMap(({ probability }) =>
    probability.filter((_, k) => k % 3 === 1)
  );
  follows(pieces, (x) => 1 - (1 - x) ** 2);
  const rewards = tasks.flatMap(({ reward }) => reward);
  follows(rewards, (x) => normalCdf(x / 2));
});
