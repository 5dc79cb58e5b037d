/** OmniRL's mixture of behaviours. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { anymdp } from "../../envs/anymdp/anymdp.ts";
import type { AnyMdpTask } from "../../envs/anymdp/task.ts";
import { resolveParams } from "../../envs/params.ts";
import { solutionsOf } from "../../envs/planning.ts";
import { driftingTable } from "../../envs/policies/drifting_table.ts";
import { omnirl } from "../../envs/policies/omnirl.ts";
import { findEnvironment, findPolicy } from "../../envs/registry.ts";
import { drawTask, emptyRecord, playTrial } from "../../envs/rollout.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { matches, near } from "../laws.ts";
import type { Given } from "./play.ts";

interface Trial {
  readonly tags: ReadonlyArray<number>;
  readonly actions: ReadonlyArray<number>;
  readonly seen: ReadonlyArray<number>;
  readonly ends: ReadonlyArray<number>;
}

const record = emptyRecord();

function taskOf(seed: number): AnyMdpTask {
  const params = resolveParams(anymdp.params);
  return drawTask(anymdp, params, String(seed)).task as AnyMdpTask;
}

function trial(seed: number, given: Given, episodes = 40): Trial {
  playTrial({
    env: anymdp,
    task: taskOf(seed),
    policy: omnirl,
    params: resolveParams(omnirl.params, given),
    episodes,
    stopOnSuccess: false,
    seed: String(seed),
  }, record);
  const ends = [...record.ends.subarray(0, record.episodes)];
  const steps = ends.at(-1)!;
  const seen = ends.flatMap((end, e) => {
    const first = (ends[e - 1] ?? 0) + e;
    return [...record.codes.subarray(first, end + e)];
  });
  return {
    tags: [...record.sources!.subarray(0, steps)],
    actions: [...record.actions.subarray(0, steps)],
    seen,
    ends,
  };
}

/** Weights of one behaviour alone. */
const only = (i: number) => ({
  weights: Array.from({ length: 12 }, (_, j) => i === j ? 1 : 0).join(","),
});

function tagsOf(i: number): ReadonlyArray<number> {
  const found = [1, 2, 3].flatMap((seed) => trial(seed, only(i)).tags);
  return [...new Set(found)].sort();
}

Deno.test("omnirl tags each action by what it came from", () => {
  deepEqual(tagsOf(0), [6]);
  deepEqual(tagsOf(1).filter((tag) => tag !== 6), [4]);
  deepEqual(tagsOf(2).filter((tag) => tag !== 6), [5]);
  deepEqual([7, 8, 9, 10, 11].map(tagsOf), [[2, 6], [3, 6], [1], [2], [3]]);
  const mixed = [3, 4, 5, 6].map((i) => tagsOf(i));
  mixed.forEach((tags, k) =>
    ok(tags.every((tag) => [k, 4, 6].includes(tag)), `${tags}`)
  );
});

Deno.test("omnirl: where an oracle acts, its best action is taken", () => {
  const task = taskOf(2);
  const { policy } = solutionsOf(anymdp.table!(task), [0.994])[0]!;
  const { tags, actions, seen } = trial(2, only(8));
  const rank = new Map(task.mapping.map((id, s) => [id, s]));
  let oracle = 0;
  tags.forEach((tag, i) => {
    if (tag !== 3) return;
    equal(actions[i], policy[rank.get(seen[i]!)!]);
    oracle++;
  });
  ok(oracle > 100);
});

Deno.test("omnirl: noise falls over a trial, and takes every action alike", () => {
  const counts = new Float64Array(5);
  const noise = [0, 0];
  for (let seed = 1; seed <= 12; seed++) {
    const { tags, actions } = trial(seed, only(8));
    tags.forEach((tag, i) => {
      if (tag !== 6) return;
      counts[actions[i]!] = counts[actions[i]!]! + 1;
      if (i < 20) noise[0]!++;
      else if (i >= 500 && i < 520) noise[1]!++;
    });
  }
  const all = counts.reduce((a, b) => a + b, 0);
  matches(counts, new Float64Array(5).fill(all / 5));
  // It begins at 1, and is gone after 80 steps at the soonest.
  ok(noise[0]! > 200 && noise[1]! < noise[0]! / 2, `${noise}`);
});

Deno.test("omnirl changes behaviour after one episode in five, of trials that do", () => {
  const kinds = { weights: "0,0,0,0,0,0,0,0,0,1,1,0" };
  let [changes, chances, constant] = [0, 0, 0];
  const trials = 300;
  for (let seed = 1; seed <= trials; seed++) {
    const { tags, ends } = trial(seed % 20 + 1, { ...kinds, switching: 1 }, 20);
    const each = ends.map((end) => tags[end - 1]!);
    for (let e = 1; e < each.length; e++) {
      chances++;
      if (each[e] !== each[e - 1]) changes++;
    }
    if (seed > 20) continue;
    const still = trial(seed, { ...kinds, switching: 0 }, 20);
    constant += new Set(still.tags).size === 1 ? 1 : 0;
  }
  // Half of those drawn anew are the same again; 20 trials are repeated.
  const mean = changes / chances;
  near({ mean, se: Math.sqrt(0.09 / (20 * 19)) }, 0.1);
  equal(constant, 20);
});

Deno.test("omnirl: planning of the active learner alone is the same where none changes", () => {
  for (const i of [1, 4]) {
    const given = { ...only(i), switching: 0 };
    const all = trial(3, given, 100);
    deepEqual(trial(3, { ...given, planning: "active" }, 100), all);
  }
});

Deno.test("omnirl learns from what others do", () => {
  // Switches from oracles to the model-based learner, which is then as good.
  const task = taskOf(1);
  const watched = {
    weights: "0,1,0,0,0,0,0,0,0,0,0,9",
    switching: 1,
    switch: 1,
  };
  const { tags } = trial(1, watched, 400);
  const shares = [3, 4].map((tag) =>
    tags.filter((own) => own === tag).length / tags.length
  );
  ok(shares[0]! > 0.8 && shares[1]! > 0.05, `${shares} of ${task.states}`);
});

Deno.test("omnirl refuses what it cannot do", () => {
  const refusal = (env: string, given: Given) => {
    const found = findEnvironment(env)!;
    const params = resolveParams(found.params);
    const { task } = drawTask(found, params, "1");
    try {
      playTrial({
        env: found,
        task,
        policy: omnirl,
        params: resolveParams(omnirl.params, given),
        episodes: 2,
        stopOnSuccess: false,
        seed: "1",
      }, emptyRecord());
    } catch (error) {
      return (error as Error).message;
    }
  };
  const bad =
    "Cannot play with policy omnirl: its weights are not twelve numbers of 0 or more";
  for (const weights of ["1,2", only(0).weights + "x", only(20).weights]) {
    equal(refusal("anymdp", { weights }), bad);
  }
  equal(
    refusal("anymdp-partial", {}),
    "Cannot play with policy omnirl: anymdp-partial is not a finite MDP",
  );
  equal(refusal("dark-room", {}), undefined);
});

Deno.test("a record has sources only of policies that say them", () => {
  trial(1, {});
  playTrial({
    env: anymdp,
    task: taskOf(1),
    policy: findPolicy("random")!,
    params: {},
    episodes: 1,
    stopOnSuccess: false,
    seed: "1",
  }, record);
  equal(record.sources, undefined);
});

Deno.test("driftingTable() drifts the same, however seldom it is asked", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const streams = [1, 2].map(() => generator(rootKey(seed)));
    const [often, once] = streams.map((own) => driftingTable(own, 3, 5));
    for (let t = 0; t < 3000; t++) often!(1, t);
    const state = generator(rootKey(1000 + seed));
    streams.forEach((own) => own.set(state));
    equal(often!(1, 3000), once!(1, 3000));
  }
});

Deno.test("driftingTable() prefers some actions for long", () => {
  const choose = driftingTable(generator(rootKey(4)), 2, 4);
  const counts = [0, 20_000].map((from) => {
    const tally = new Float64Array(4);
    for (let t = from; t < from + 5000; t++) {
      const a = choose(0, t);
      tally[a] = tally[a]! + 1;
    }
    return tally;
  });
  const favourite = counts[0]!.indexOf(Math.max(...counts[0]!));
  ok(counts[0]![favourite]! > 1500);
  ok(Math.abs(counts[1]![favourite]! - counts[0]![favourite]!) < 1500);
});
