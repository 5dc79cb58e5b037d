import { deepEqual, ok } from "node:assert/strict";
import type { Box } from "../../envs/actions.ts";
import { checkEnvironment } from "../../envs/contract.ts";
import { darkRoom } from "../../envs/dark_room.ts";
import type { Environment } from "../../envs/env.ts";
import { frozenLakeGym } from "../../envs/frozen_lake_gym.ts";
import { keyToDoor } from "../../envs/key_to_door.ts";
import { environments, findEnvironment } from "../../envs/registry.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { aiming } from "./aiming.ts";

const variants = [
  ["frozen-lake", { slippery: true, "fixed-start": true }],
  ["frozen-lake", { "min-size": 6, "max-size": 7 }],
  ["frozen-lake-gym", { size: 8, map: "random" }],
  ["frozen-lake-gym", { slippery: false }],
  ["key-to-door", { size: 3, "fixed-start": true }],
  ["bandit-adversarial", { favoured: "both" }],
  ["bandit-piecewise", { hazard: 0.2 }],
  ["tabular-mdp", { states: 64, "reward-sd": 0 }],
  ["garnet", { states: 3, branches: 8 }],
  ["anymdp-partial", { "observation-tokens": 4, "action-tokens": 2 }],
  ["anymdp-partial", { states: 1, symbols: 3 }],
  ["anymdp", { states: 1 }],
  ["anymdp", { states: 3, actions: 2 }],
  ["anymdp", { states: 24, "min-states": 8, "kernel-width": "action" }],
  ["anymdp-v2", { mode: "static", observation: 3, action: 2 }],
  ["anymdp-v2", { mode: "dynamic", latent: 1, observation: 3, action: 1 }],
  ["anymdp-v2", { mode: "universal", latent: 40, action: 9, horizon: 5 }],
  ["linear-dynamics", { target: "fourier", "show-target": true }],
  ["linear-dynamics", { states: 1, delay: 29, horizon: 7 }],
  ["linear-dynamics", { observations: 3, inputs: 5, delay: 0 }],
  ["random-language", { kind: "pattern", phrase: 3 }],
  ["random-language", { vocabulary: 2, order: 8, temperature: 0.001 }],
] as const;

for (const env of environments) {
  Deno.test(`${env.name} keeps the contract`, () => {
    deepEqual(checkEnvironment(env, rootKey(1)), []);
  });
}

for (const [name, params] of variants) {
  Deno.test(`${name} with ${JSON.stringify(params)} keeps the contract`, () => {
    const env = findEnvironment(name)!;
    deepEqual(checkEnvironment(env, rootKey(2), { params }), []);
  });
}

Deno.test("a world whose actions are vectors keeps the contract", () => {
  deepEqual(checkEnvironment(aiming, rootKey(6)), []);
});

Deno.test("the registry names nothing twice", () => {
  const names = environments.map((env) => env.name);
  deepEqual([...new Set(names)], names);
});

let calls = 0;
const stepped = darkRoom.step;
const { table: _, ...bare } = darkRoom;
const tabled = (change: object): Partial<Environment> => ({
  table: (task) => ({ ...darkRoom.table!(task), ...change }),
});

const box = (change: Partial<Box>): Box => ({
  kind: "box",
  low: -1,
  high: 1,
  shape: [2],
  ...change,
});

/** Each breaks one clause on purpose. */
const broken: ReadonlyArray<[string, Partial<Environment>, Environment?]> = [
  ["name", { name: "Dark Room" }],
  ["version", { version: 0.5 }],
  ["summary", { summary: "" }],
  ["params", { params: { ...darkRoom.params, Bad: darkRoom.params.size! } }],
  [
    "throws",
    {
      params: { ...darkRoom.params, low: { default: 1, min: 2, summary: "" } },
    },
  ],
  ["sampleTask", {
    sampleTask: () => ({ size: 9, horizon: 20, goal: calls++ % 81 }),
  }],
  ["sampleTask", { sampleTask: () => ({ refused: "" }) }],
  ["task", {
    sampleTask: () => ({ size: 9, horizon: 20, goal: 3, at: new Date(0) }),
  }],
  ["actions", { actions: () => 0 }],
  ["horizon", { horizon: () => 0 }],
  ["world", { world: () => calls++ }],
  ["label", { label: () => "Nine by nine" }],
  ["render", { render: () => 3 as unknown as string }],
  ["reset", {
    reset: () => ({ state: calls++ % 2, observation: 0 }),
  }],
  ["observations", { observations: () => ({ kind: "discrete", n: 10 }) }],
  ["observations", { observations: () => ({ kind: "box", shape: [2] }) }],
  ["reward", {
    step: (...all) => ({ ...stepped(...all), reward: NaN }),
  }],
  ["terminated", {
    step: (...all) => ({ ...stepped(...all), terminated: 0 as never }),
  }],
  ["step", {
    step: (...all) => ({ ...stepped(...all), reward: calls++ }),
  }],
  ["step", {
    step: (task, ...all) => {
      (task as { steps: number }).steps = calls++;
      return stepped(task, ...all);
    },
  }],
  ["actions", { actions: () => box({ low: 1 }) }, aiming],
  ["actions", { actions: () => box({ high: Infinity }) }, aiming],
  ["actions", { actions: () => box({ shape: [0] }) }, aiming],
  ["actions", { actions: () => box({ shape: [2, 2] as never }) }, aiming],
  ["optimal", { optimal: () => () => [0.5] }, aiming],
  ["optimal", { optimal: () => () => [0.5, 2] }, aiming],
  ["optimal", { optimal: () => () => 0 }, aiming],
  ["step", {
    step: (task, state, action, random) => {
      (action as Array<number>)[0] = 0;
      return aiming.step(task, state, action, random);
    },
  }, aiming],
  ["throws", {
    step: (task, state, action, random) => {
      if ((action as Array<number>)[1] === 1) throw new RangeError("a corner");
      return aiming.step(task, state, action, random);
    },
  }, aiming],
  ["throws", {
    step: (task, state, action, random) => {
      if (action === 4) throw new RangeError("not that one");
      return stepped(task, state, action, random);
    },
  }],
  ["optimal", { optimal: () => () => 5 }, bare],
  ["table", tabled({ starts: Int32Array.of(81) })],
  ["table", tabled({ starts: Int32Array.of() })],
  ["table", tabled({ starts: Int32Array.of(0) })],
  ["table", tabled({ probability: new Float64Array(405).fill(0.5) })],
  ["table", tabled({ success: new Uint8Array(404) })],
  ["table", tabled({ terminal: new Uint8Array(405).fill(1) })],
  ["table", tabled({ reward: new Float64Array(405).fill(7) })],
  ["table", tabled({ observation: new Int32Array(81) })],
  ["table", tabled({ startProbability: Float64Array.of(0.5) })],
  ["table", tabled({ startProbability: Float64Array.of(0.5, 0.5) })],
  ["table", tabled({ rewardDeviations: new Float64Array(404) })],
  ["table", tabled({ rewardDeviations: new Float64Array(405).fill(-1) })],
  ["table", tabled({ next: new Int32Array(405).fill(81) })],
];

broken.forEach(([clause, change, env = darkRoom], i) => {
  Deno.test(`checkEnvironment() sees a broken ${clause} (${i})`, () => {
    const faults = checkEnvironment({ ...env, ...change }, rootKey(3), {
      steps: 400,
    });
    const clauses = faults.map((fault) => fault.split(":")[0]);
    ok(clauses.includes(clause), `found only ${JSON.stringify(faults)}`);
  });
});

Deno.test("checkEnvironment() sees starts that are more likely than a table says", () => {
  const skewed: Environment = {
    ...keyToDoor,
    table: (task) => {
      const table = keyToDoor.table!(task);
      const n = table.starts.length;
      const startProbability = new Float64Array(n).fill(0.5 / (n - 1));
      startProbability[0] = 0.5;
      return { ...table, startProbability };
    },
  };
  const params = { size: 3 };
  deepEqual(checkEnvironment(skewed, rootKey(5), { params }), [
    "table: starts come more or less often than it says",
  ]);
});

Deno.test("checkEnvironment() sees a table whose odds are not those of step()", () => {
  const skewed: Environment = {
    ...frozenLakeGym,
    table: (task) => {
      const table = frozenLakeGym.table!(task);
      const probability = table.probability.map((p) =>
        p === 1 || p === 0 ? p : 0
      );
      for (let k = 0; k < probability.length; k += 3) {
        if (probability[k] === 1) continue;
        probability.set([0.1, 0.8, 0.1], k);
      }
      return { ...table, probability };
    },
  };
  deepEqual(checkEnvironment(skewed, rootKey(4)), [
    "table: outcomes come more or less often than it says",
  ]);
});
