/** What ends `credit`, and what is said of it. */
import { deepEqual, equal, match } from "node:assert/strict";
import { EXIT, exitCode } from "../../../../pipeline/errors.ts";
import type { AnyOptions } from "../../../../pipeline/flags.ts";
import type { Episode, Trial } from "../../../../pipeline/schema.ts";
import { credit } from "../../../../pipeline/transforms/credit.ts";
import { allClose } from "../../../all_close.ts";
import { apply, episode, failure, ids, lines, trial } from "../../trials.ts";
import { advantages, advantagesOf, credited, parse } from "./groups.ts";

/** A row with one episode of one step, which earns `reward`. */
function earns(
  task: string,
  sample: number,
  reward: number,
  more: Partial<Episode> = {},
): Trial {
  return trial(task, sample, { episodes: [episode([reward], more)] });
}

/** What is said where `given` cannot be done with these rows, exit code 65. */
async function refusal(
  rows: ReadonlyArray<Trial>,
  given: AnyOptions,
): Promise<string> {
  const error = await failure(apply(credit, given, lines(rows)));
  equal(exitCode(error), EXIT.data);
  return error.message;
}

/** The ids that are left when what is wrong is skipped, and what was said. */
async function skipping(rows: ReadonlyArray<Trial>, given: AnyOptions) {
  const said: Array<string> = [];
  const onBad = (error: { readonly message: string }) => {
    said.push(error.message);
  };
  const text = await apply(credit, given, lines(rows), onBad);
  return { text, ids: ids(text), said };
}

Deno.test("rows of a group must stand together", async () => {
  const rows = [earns("a", 0, 1), earns("b", 0, 1), earns("a", 1, 2)];
  const message = await refusal(rows, { advantage: "grpo" });
  match(message, /^test\.jsonl: line 3: task a was there before/);
  match(message, /retrial sort/);
  // Where rows are looked at one by one it does not matter.
  const values = { values: [0, 0] };
  const valued = [earns("a", 0, 1, values), earns("b", 0, 1, values)];
  const mixed = [...valued, earns("a", 1, 2, values)];
  equal((await advantages(mixed, { advantage: "gae" })).length, 3);
});

for (
  const [column, given] of [
    ["values", { advantage: "gae" }],
    ["values", { advantage: "gae", whiten: true }],
    ["values", { advantage: "vtrace" }],
    ["logprobs", { advantage: "vtrace" }],
    ["target_logprobs", { advantage: "vtrace" }],
    ["success", { advantage: "grpo", score: "success" }],
    ["success", { advantage: "grpo", score: "orbit" }],
    ["success", { advantage: "grpo", cross: "orbit" }],
    ["success", { cross: "orbit" }],
  ] as const
) {
  Deno.test(`${JSON.stringify(given)} asks for ${column}`, async () => {
    const all = {
      values: [0, 0],
      logprobs: [0],
      target_logprobs: [0],
      success: true,
    };
    const { [column]: _, ...without } = all;
    const good = [earns("a", 0, 1, all), earns("a", 1, 2, all)];
    const bad = trial("a", 2, {
      episodes: [episode([1], all), episode([1], without)],
    });
    equal((await advantages(good, { advantage: "rloo", ...given })).length, 2);
    const rows = [good[0]!, bad, good[1]!];
    match(
      await refusal(rows, given),
      new RegExp(
        `^test\\.jsonl: line 2: episodes\\[1\\]\\.${column} is missing`,
      ),
    );
    const kept = await skipping(rows, given);
    deepEqual(kept.ids, ["a/0", "a/1"]);
    equal(kept.said.length, 1);
    // As though the bad row had never been there.
    equal(kept.text, await apply(credit, given, lines(good)));
  });
}

Deno.test("a group whose first rows are skipped goes on with the others", async () => {
  const given = { advantage: "dr-grpo", score: "success" };
  const rows = [
    earns("a", 0, 0, { success: true }),
    earns("b", 0, 0),
    earns("b", 1, 0, { success: true }),
    earns("b", 2, 0, { success: false }),
    earns("c", 0, 0),
    earns("d", 0, 0, { success: true }),
  ];
  const kept = await skipping(rows, given);
  deepEqual(kept.ids, ["a/0", "b/1", "b/2", "d/0"]);
  deepEqual(kept.said.map((said) => said.slice(0, 19)), [
    "test.jsonl: line 2:",
    "test.jsonl: line 5:",
  ]);
  allClose(parse(kept.text).flatMap(advantagesOf), [1, 0.5, -0.5, 1], 1e-9);
});

Deno.test("sums that are no numbers are refused, not written", async () => {
  const huge = Number.MAX_VALUE;
  const twice = trial("a", 0, { episodes: [episode([huge, huge])] });
  const small = trial("a", 1, { episodes: [episode([1])] });
  for (
    const given of [
      { advantage: "grpo", gamma: 0 },
      { advantage: "reinforce++", gamma: 1 },
      { advantage: "gigpo", gamma: 1, score: "return" },
    ]
  ) {
    match(
      await refusal([small, twice], given),
      /^test\.jsonl: line 2: episodes\[0\]\.rewards add up to no finite number/,
    );
    deepEqual((await skipping([small, twice], given)).ids, ["a/1"]);
  }
  const valued = earns("a", 0, huge, { values: [-huge, huge] });
  match(await refusal([valued], { advantage: "gae" }), /values add up to no/);
  const apart = [earns("a", 0, huge), earns("a", 1, -huge)];
  match(
    await refusal(apart, { advantage: "dr-grpo" }),
    /line 1: the group of a: its scores are too far apart/,
  );
  match(await refusal(apart, { advantage: "remax" }), /too far apart/);
  // Their mean is a number; their deviation is none.
  const squared = [earns("a", 0, 1e200), earns("a", 1, -1e200)];
  match(await refusal(squared, { advantage: "grpo" }), /too far apart/);
  match(
    await refusal(
      [earns("a", 0, 1e200), earns("b", 0, 1)],
      { advantage: "reinforce++" },
    ),
    /line 1: .* too far apart to be whitened/,
  );
});

Deno.test("remax says which group has no greedy trial", async () => {
  const rows = [earns("a", 0, 1), earns("b", 1, 1), earns("b", 2, 1)];
  const message = await refusal(rows, { advantage: "remax" });
  match(message, /^test\.jsonl: line 2: the group of b: no trial is sample 0/);
  match(message, /--greedy/);
});

Deno.test("remax goes on with the last episode of a greedy trial that stopped early", async () => {
  const rows = [
    trial("a", 0, { episodes: [episode([1]), episode([2, 3])] }),
    trial("a", 1, { episodes: [[4], [5], [6]].map((r) => episode(r)) }),
  ];
  const given = { advantage: "remax", score: "episode" };
  const found = await advantages(rows, { ...given, greedy: 0 });
  allClose(found, [0, 0, 0, 4 - 1, 5 - 5, 6 - 5], 1e-9);
  const other = await advantages(rows, { ...given, greedy: 1 });
  allClose(other, [1 - 4, 5 - 5, 5 - 5, 0, 0, 0], 1e-9);
});

Deno.test("--group compares by policies, or by task and policy", async () => {
  const by = (task: string, sample: number, name: string, reward: number) => ({
    ...earns(task, sample, reward),
    policy: { name, params: {} },
  });
  const rows = [
    by("a", 0, "random", 1),
    by("b", 0, "random", 3),
    by("b", 1, "greedy", 8),
    by("b", 2, "greedy", 4),
  ];
  const given = { advantage: "dr-grpo" };
  const found = await advantages(rows, { ...given, group: "policy.name" });
  allClose(found, [-1, 1, 2, -2], 1e-9);
  const both = { ...given, group: "task,policy.name" };
  allClose(await advantages(rows, both), [1, 3, 2, -2], 1e-9);
  const worlds = rows.map((row) => ({
    ...row,
    task: { ...row.task, world: "w" },
  }));
  const world = { ...given, group: "world" };
  allClose(await advantages(worlds, world), [-3, -1, 4, 0], 1e-9);
  match(
    await refusal([{ ...rows[0]!, policy: {} } as never], {
      ...given,
      group: "policy.name",
    }),
    /line 1: policy\.name is missing/,
  );
});

Deno.test("a group by what rows have not is refused before any row is read", async () => {
  const given = { advantage: "grpo", group: "polcy.name" };
  const error = await failure(apply(credit, given, "nonsense\n"));
  equal(exitCode(error), EXIT.usage);
  match(error.message, /Cannot group by polcy\.name: rows have schema, id/);
});

Deno.test("one trial alone keeps its score; two that are equal have none", async () => {
  const grpo = { advantage: "grpo" };
  allClose(await advantages([earns("a", 0, 3)], grpo), [3 / (1 + 1e-6)], 1e-9);
  const twins = [earns("a", 0, 0.1), earns("a", 1, 0.1)];
  deepEqual(await advantages(twins, grpo), [0, 0]);
  deepEqual(await advantages(twins, { advantage: "pass-at-k" }), [0, 0]);
  const [row] = await credited([trial("a", 0)], { advantage: "gigpo" });
  equal(row!.episodes[0]!.advantages!.length, 2);
});

Deno.test("a reflection in a trial without steps returns nothing", async () => {
  const idle = episode([], { success: true, reflection: { text: "left" } });
  const rows = [
    // What these leave behind is not read.
    ...["a", "c", "d"].map((task) => earns(task, 0, 1, { success: true })),
    trial("b", 0, { episodes: [idle, idle] }),
  ];
  const found = await credited(rows, { preset: "orbit" });
  for (const { reflection, advantages } of found[3]!.episodes) {
    deepEqual([reflection!.return, advantages], [0, []]);
  }
});
