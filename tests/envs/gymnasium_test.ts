import { deepEqual, equal, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { frozenLakeGym } from "../../envs/frozen_lake_gym.ts";
import type { Table } from "../../envs/table.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { draw } from "./play.ts";

const python = fileURLToPath(
  new URL("../../.venv/bin/python", import.meta.url),
);
const script = fileURLToPath(
  new URL("gymnasium_transitions.py", import.meta.url),
);

function runPython(...args: Array<string>): string | undefined {
  try {
    const { success, stdout } = new Deno.Command(python, { args }).outputSync();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
}

type Outcome = [
  probability: number,
  next: number,
  reward: number,
  over: boolean,
];

const installed = runPython("-c", "import gymnasium") !== undefined;
const cases = [[4, true], [4, false], [8, true], [8, false]] as const;

/** Outcomes that can happen, in the table's order. */
function outcomes(table: Table, state: number, action: number): Array<Outcome> {
  const first = (state * 4 + action) * table.branches;
  return Array.from({ length: table.branches }, (_, b): Outcome => [
    table.probability[first + b]!,
    table.next[first + b]!,
    table.reward[first + b]!,
    table.terminal[first + b] === 1,
  ]).filter(([probability]) => probability > 0);
}

Deno.test({
  name: installed
    ? "frozen-lake-gym has the transitions of Gymnasium, in their order"
    : "frozen-lake-gym against Gymnasium: no .venv/bin/python that has gymnasium",
  ignore: !installed,
  fn() {
    const theirs = JSON.parse(runPython(script)!);
    for (const [size, slippery] of cases) {
      const given = { size, slippery };
      const { task } = draw(frozenLakeGym, generator(rootKey(1)), given);
      const table = frozenLakeGym.table!(task);
      const wanted: Array<Array<Array<Outcome>>> =
        theirs[`${size}x${size} ${slippery ? "slippery" : "firm"}`];
      equal(wanted.length, table.states);
      wanted.forEach((actions, state) =>
        actions.forEach((list, action) => {
          const ours = outcomes(table, state, action);
          deepEqual(ours.map(([, ...rest]) => rest), list.map(([, ...r]) => r));
          list.forEach(([p], i) => ok(Math.abs(p - ours[i]![0]) < 1e-15));
        })
      );
    }
  },
});
