/** Labels of learners, beside trials of their own and of others. */
import { deepEqual, equal, match } from "node:assert/strict";
import { label } from "../../../pipeline/transforms/label.ts";
import { apply } from "../trials.ts";
import { labelsOf, parse, refusal, rowsOf } from "./labelled.ts";

Deno.test("a learner beside its own trial says what was done", async () => {
  const own = [
    [{ env: "bandit-gaussian", param: ["horizon=60"], policy: "ucb" }, []],
    [
      {
        env: "dark-room",
        episodes: 6,
        policy: "frontier",
        "policy-param": ["moves=given", "ties=first"],
      },
      ["moves=given", "ties=first"],
    ],
    [
      {
        env: "dark-room-dpt",
        episodes: 3,
        policy: "frontier",
        "policy-param": ["ties=first"],
      },
      ["ties=first"],
    ],
  ] as const;
  for (const [given, params] of own) {
    const rows = await rowsOf({ ...given, tasks: 4 });
    const options = {
      reference: given.policy,
      "reference-param": params,
    };
    for (const row of parse(await apply(label, options, rows))) {
      row.episodes.forEach(({ actions }, e) => {
        deepEqual(labelsOf(row, e, given.policy), actions);
      });
    }
  }
});

Deno.test("a learner beside another's trial learns from what that one did", async () => {
  const given = { env: "bandit-gaussian", param: ["horizon=80"], tasks: 10 };
  const rows = await rowsOf({ ...given, policy: "random" });
  const options = { reference: "ucb,optimal", "reference-param": [] };
  for (const row of parse(await apply(label, options, rows))) {
    const { actions, rewards } = row.episodes[0]!;
    const [counts, sums] = [new Array(5).fill(0), new Array(5).fill(0)];
    const wanted = rewards.map((reward, t) => {
      const untried = counts.indexOf(0);
      // Mean and 1 / sqrt(n), as the policy's help has it.
      const bounds = sums.map((sum, a) =>
        sum / counts[a] + 1 / Math.sqrt(counts[a])
      );
      const arm = actions[t] as number;
      counts[arm]++;
      sums[arm] += reward;
      return untried >= 0 ? untried : bounds.indexOf(Math.max(...bounds));
    });
    deepEqual(labelsOf(row, 0, "ucb"), wanted);
    equal(new Set(labelsOf(row, 0, "optimal")).size, 1);
  }
});

Deno.test("a learner is told only what happened, and where it can play", async () => {
  const options = { reference: "ucb", "reference-param": [] };
  const bandit = { env: "bandit-gaussian", param: ["horizon=5"] };
  const swap = (from: RegExp, to: string) => (text: string) =>
    text.replace(from, to);
  match(
    await refusal(bandit, swap(/("rewards":\[)[-\d.]+/, "$199"), options),
    /rewards\[0\] is 99, and played again it is/,
  );
  match(
    await refusal({ env: "dark-room" }, (text) => text, options),
    /task.env is dark-room: ucb: the environment is not a bandit/,
  );
});
