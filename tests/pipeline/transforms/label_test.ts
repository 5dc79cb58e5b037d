import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import type { Environment } from "../../../envs/env.ts";
import { resolveParams } from "../../../envs/params.ts";
import { findEnvironment } from "../../../envs/registry.ts";
import { drawTask } from "../../../envs/rollout.ts";
import type { Table } from "../../../envs/table.ts";
import type { Trial } from "../../../pipeline/schema.ts";
import { label } from "../../../pipeline/transforms/label.ts";
import { apply, failure } from "../trials.ts";
import { labelsOf, parse, refusal, rowsOf } from "./labelled.ts";

function taskOf({ task }: Trial): { env: Environment; task: unknown } {
  const env = findEnvironment(task.env)!;
  const params = resolveParams(env.params, task.params);
  return { env, task: drawTask(env, params, task.seed!).task };
}

/** Column and row of a mark on the map that an environment draws. */
function markOn(map: string, mark: string): readonly [number, number] {
  const lines = map.split("\n").map((line) => line.replaceAll(" ", ""));
  const y = lines.findIndex((line) => line.includes(mark));
  return [lines[y]!.indexOf(mark), y];
}

/** Steps from a cell to another, walls or none. */
function distance(
  [x, y]: readonly [number, number],
  [u, v]: readonly [number, number],
): number {
  return Math.abs(x - u) + Math.abs(y - v);
}

Deno.test("in a Dark Room labels go a shortest way to the goal", async () => {
  const size = 7;
  const rows = await rowsOf({
    env: "dark-room",
    param: [`size=${size}`, "horizon=30"],
    tasks: 8,
    episodes: 3,
    policy: "random",
  });
  let moves = 0;
  for (const row of parse(await apply(label, {}, rows))) {
    const { env, task } = taskOf(row);
    const goal = markOn(env.render!(task), "G");
    row.episodes.forEach(({ observations }, e) => {
      const labels = labelsOf(row, e, "optimal");
      labels.forEach((action, t) => {
        const cell = observations[t] as number;
        const at = [cell % size, Math.floor(cell / size)] as const;
        const far = distance(at, goal);
        // Beyond the reach of what is left no way is better than another.
        if (far === 0 || far > labels.length - t) return;
        const next = env.step(task, cell, action, [] as never);
        const to = next.state as number;
        equal(
          distance([to % size, Math.floor(to / size)], goal),
          far - 1,
          `${row.id} episode ${e} step ${t}`,
        );
        moves++;
      });
    });
  }
  ok(moves > 300, `${moves} moves`);
});

/** Worth of each action, by as many plain sweeps over the table as it takes. */
function worths(
  table: Table,
  discount: number,
  sweeps: number,
): Array<Array<number>> {
  const { states, actions, branches } = table;
  let q = Array.from({ length: states }, () => new Array(actions).fill(0));
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const values = q.map((row) => Math.max(...row));
    q = q.map((row, s) =>
      row.map((_, a) => {
        let sum = 0;
        for (let b = 0; b < branches; b++) {
          const k = (s * actions + a) * branches + b;
          const then = table.terminal[k] ? 0 : values[table.next[k]!]!;
          sum += table.probability[k]! * (table.reward[k]! + discount * then);
        }
        return sum;
      })
    );
  }
  return q;
}

/** The state that shows each observation. */
function statesOf({ observation, states }: Table): Map<number, number> {
  return new Map(
    Array.from({ length: states }, (_, s) => [observation?.[s] ?? s, s]),
  );
}

const WORLDS = [
  ["tabular-mdp", ["horizon=12"]],
  ["anymdp", ["states=8", "actions=3"]],
] as const;

for (const [name, param] of WORLDS) {
  Deno.test(`labels of ${name} are those of plain value iteration`, async () => {
    const rows = await rowsOf({
      env: name,
      param,
      tasks: 4,
      episodes: 1,
      policy: "random",
    });
    const given = { reference: "optimal,oracle", gamma: "0,0.5,0.93" };
    for (const row of parse(await apply(label, given, rows))) {
      const { env, task } = taskOf(row);
      const table = env.table!(task);
      const horizon = env.horizon(task);
      const states = statesOf(table);
      const seen = row.episodes[0]!.observations.slice(0, 40);
      const hold = (name: string, t: number, q: Array<Array<number>>) => {
        const worth = q[states.get(seen[t] as number)!]!;
        const taken = worth[labelsOf(row, 0, name)[t]!]!;
        const gap = Math.max(...worth) - taken;
        // Equal but for what an earlier end is preferred by.
        ok(gap <= 1e-6, `${row.id} ${name} at ${t} loses ${gap}`);
      };
      const steps = Math.min(40, row.episodes[0]!.actions.length);
      for (const discount of [0, 0.5, 0.93]) {
        const q = worths(table, discount, 500);
        for (let t = 0; t < steps; t++) hold(`oracle@${discount}`, t, q);
      }
      for (let t = 0; t < steps; t += 7) {
        hold("optimal", t, worths(table, 1, horizon - t));
      }
    }
  });
}

const PLAYED = [
  "dark-room",
  "dark-room-dpt",
  "key-to-door",
  "frozen-lake",
  "garnet",
  "anymdp",
  "anymdp-partial",
  "bandit-gaussian",
  "bandit-abrupt",
  "bandit-drift",
] as const;

for (const env of PLAYED) {
  Deno.test(`what the optimum plays in ${env} is what it labels`, async () => {
    const rows = await rowsOf({
      env,
      tasks: 3,
      samples: 2,
      episodes: 2,
      policy: "optimal",
    });
    const labelled = parse(await apply(label, {}, rows));
    equal(labelled.length, 6);
    for (const { episodes } of labelled) {
      for (const { labels, actions } of episodes) {
        deepEqual(labels, { optimal: actions });
      }
    }
  });
}

Deno.test("what an oracle plays is what it labels", async () => {
  const rows = await rowsOf({
    env: "anymdp",
    tasks: 3,
    episodes: 2,
    policy: "oracle",
    "policy-param": ["gamma=0.93"],
  });
  const given = { reference: "oracle", gamma: "0.93" };
  for (const { episodes } of parse(await apply(label, given, rows))) {
    for (const { labels, actions } of episodes) {
      deepEqual(labels, { "oracle@0.93": actions });
    }
  }
});

Deno.test("steps tagged as an oracle's are what the oracle labels", async () => {
  const rows = await rowsOf({
    env: "anymdp",
    param: ["states=8"],
    tasks: 30,
    episodes: 6,
    policy: "omnirl",
  });
  const gammas = ["0", "0.5", "0.93", "0.994"];
  const given = { reference: "oracle", gamma: gammas.join(",") };
  const counts = [0, 0, 0, 0, 0, 0, 0];
  for (const { episodes } of parse(await apply(label, given, rows))) {
    for (const { labels, actions, tags } of episodes) {
      equal(tags!.length, actions.length);
      tags!.forEach((tag, t) => {
        counts[tag]!++;
        // Beyond the oracles are learners and noise.
        if (tag >= gammas.length) return;
        equal(labels![`oracle@${gammas[tag]}`]![t], actions[t]);
      });
    }
  }
  ok(counts[2]! + counts[3]! > 100, `${counts}`);
});

Deno.test("rows have tags only of policies that say them", async () => {
  const rows = await rowsOf({ ...room, tasks: 1, policy: "random" });
  equal(parse(rows)[0]!.episodes[0]!.tags, undefined);
});

const room = {
  env: "dark-room",
  param: ["size=4", "horizon=5"],
  episodes: 2,
};

Deno.test("label twice is label once, in any order of references", async () => {
  const rows = await rowsOf({ ...room, tasks: 2, policy: "random" });
  const both = { reference: "optimal,oracle", gamma: "0.5" };
  const once = await apply(label, both, rows);
  equal(await apply(label, both, once), once);
  equal(await apply(label, {}, once), once);
  const apart = await apply(label, {}, rows);
  equal(await apply(label, { reference: "oracle", gamma: "0.5" }, apart), once);
});

Deno.test("label leaves every other byte as it was", async () => {
  const rows = await rowsOf({ ...room, tasks: 2, policy: "random" });
  const labels = /,"labels":\{"optimal":\[[\d,]*\]\}/g;
  const plain = await apply(label, {}, rows);
  equal(plain.match(labels)!.length, 4);
  equal(plain.replaceAll(labels, ""), rows);
  const strange = fc.constantFrom(
    '"mine":[9 ,9,9,9, 9]',
    '"optimal":[1,1,1,1,1]',
    '"é":["a",null,{},[],1e3]',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(strange, { minLength: 1 }),
      fc.constantFrom("", " "),
      async (members, space) => {
        const before = `,"labels": {${members.join(`,${space}`)}${space}}`;
        const given = rows.replaceAll(',"terminated"', before + "$&")
          .replace('"sample":', '"mine": 1.50,"sample":');
        const made = await apply(label, {}, given);
        const wanted = parse(plain)[0]!.episodes[0]!.labels!;
        const { labels } = parse(made)[0]!.episodes[0]!;
        deepEqual(labels, { ...labels, ...wanted });
        const hide = (text: string) =>
          text.replaceAll(/,?"optimal":\[[\d,]*\]/g, "").replaceAll(" }", "}")
            .replaceAll("{,", "{").replaceAll("{ ", "{");
        equal(hide(made), hide(given));
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("key-to-door needs no seed of the trial to be followed", async () => {
  const env = "key-to-door";
  const rows = await rowsOf({ env, tasks: 2, episodes: 3, policy: "random" });
  const bare = parse(rows).map(({ seed: _, ...row }) => row);
  const text = bare.map((row) => JSON.stringify(row) + "\n").join("");
  deepEqual(
    parse(await apply(label, {}, text)).map(({ episodes }) => episodes),
    parse(await apply(label, {}, rows)).map(({ episodes }) => episodes),
  );
});

Deno.test("label says which field does not let it label", async () => {
  const same = (text: string) => text;
  const swap = (from: string | RegExp, to: string) => (text: string) => {
    ok(text.search(from) >= 0);
    return text.replace(from, to);
  };
  const small = { ...room, episodes: 1 };
  const door = { env: "key-to-door", param: ["size=4", "horizon=5"] };
  const cases = [
    [small, swap('"env":"dark-room"', '"env":"mine"'), /task.env is mine/],
    [small, swap('"version":1', '"version":9'), /task.version is 9/],
    [small, swap(/"task":(.*?)"seed":"\d+",/, '"task":$1'), /task.seed is mis/],
    [small, swap('"size":4', '"size":"x"'), /task.params: .*size/],
    [small, swap(/"world":"\w+"/, '"world":"x"'), /task.world is x, and/],
    [small, swap(/("observations":\[)\d+/, "$199"), /tions\[0\] is 99, which/],
    [small, swap(/("observations":\[)\d+/, "$1[1]"), /tions\[0\] is \[1\], wh/],
    [door, swap(/("actions":\[)\d+/, "$177"), /actions\[0\] is 77, not one/],
    [{ env: "random-cartpole" }, same, /task.env is random-cartpole, which/],
    [
      { env: "bandit-abrupt" },
      swap(/("sample":0,)"seed":"\d+",/, "$1"),
      / seed is missing/,
    ],
    [
      { env: "bandit-abrupt" },
      swap(/("observations":\[)0/, "$11"),
      /observations\[0\] is 1, and played again it is 0/,
    ],
  ] as const;
  for (const [given, change, wanted] of cases) {
    match(await refusal(given, change), wanted);
  }
  const gamma = { gamma: "0.5" };
  match(
    await refusal({ env: "bandit-abrupt" }, same, {
      ...gamma,
      reference: "oracle",
    }),
    /bandit-abrupt, which is not a finite MDP/,
  );
});

Deno.test("label refuses episodes beyond the horizon by the clock alone", async () => {
  const longer = (text: string) =>
    text.replace('"observations":[', '"observations":[0,')
      .replace('"actions":[', '"actions":[0,')
      .replace('"rewards":[', '"rewards":[0,');
  const rows = longer(await rowsOf({ ...room, tasks: 1, policy: "random" }));
  const { message } = await failure(apply(label, {}, rows));
  match(message, /episodes\[0\].actions has 6 entries, and the horizon .* 5/);
  const oracle = await apply(label, { reference: "oracle" }, rows);
  equal(labelsOf(parse(oracle)[0]!, 0, "oracle@0.994").length, 6);
});

Deno.test("label refuses references and discounts that it does not know", async () => {
  const cases = [
    [{ reference: "best" }, /--reference to "best": not one of/],
    [{ gamma: "1" }, /--gamma to "1": not a number from 0 to 0.999999/],
    [{ gamma: "0.5," }, /--gamma to ""/],
    [{ reference: "optimal", gamma: "0.5" }, /without --reference oracle/],
    [{ "reference-param": ["a=1"] }, /--reference-param with no learner/],
    [
      { reference: "ucb", "reference-param": ["window=-1"] },
      /--reference ucb: .*window/,
    ],
  ] as const;
  for (const [given, wanted] of cases) {
    match((await failure(apply(label, given, ""))).message, wanted);
  }
});
