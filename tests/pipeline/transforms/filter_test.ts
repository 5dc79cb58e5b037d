import { toolTest } from "../../tools.ts";
import { equal, match } from "node:assert/strict";
import fc from "fast-check";
import { filter } from "../../../pipeline/transforms/filter.ts";
import { fromTrials } from "../../../pipeline/jsonl.ts";
import type { Trial } from "../../../pipeline/schema.ts";
import {
  apply,
  collect,
  episode,
  failure,
  ids,
  lines,
  output,
  trial,
} from "../trials.ts";

const rewards = fc.array(fc.integer({ min: -8, max: 8 }).map((n) => n / 4), {
  minLength: 1,
  maxLength: 4,
});
const trials = fc.array(
  fc.record({
    sample: fc.integer({ min: 0, max: 5 }),
    size: fc.integer({ min: 8, max: 10 }),
    episodes: fc.array(fc.tuple(rewards, fc.boolean()), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  { minLength: 1, maxLength: 12 },
).map((rows) =>
  rows.map(({ sample, size, episodes }, i): Trial =>
    trial(`t${i}`, sample, {
      task: { id: `t${i}`, env: "toy", version: 1, params: { size } },
      episodes: episodes.map(([r, success]) => episode(r, { success })),
    })
  )
);

const RETURNS = "([.episodes[].rewards|add])";
/** The same question in our language and in jq's. */
const QUESTIONS: ReadonlyArray<readonly [string, string]> = [
  ["sample >= 3", ".sample >= 3"],
  ["sample >= 3.0", ".sample >= 3"],
  ["sample == 3 || sample != 2.0", ".sample == 3 or .sample != 2"],
  ["successes == 0", "([.episodes[]|select(.success)]|length) == 0"],
  ["episode_returns[0] > 0.5", `${RETURNS}[0] > 0.5`],
  ["episode_returns[0] > 0", `${RETURNS}[0] > 0`],
  ["size(episodes) == 4", "(.episodes|length) == 4"],
  ["task.params.size == 9", ".task.params.size == 9"],
  ["task.params.size in [9, 10]", ".task.params.size as $s|[9,10]|index($s)"],
  ["sample + 1 > size(episodes)", ".sample + 1 > (.episodes|length)"],
  ["size(episodes) - sample <= 0.5", "(.episodes|length) - .sample <= 0.5"],
  ["sample % 2 == 1", ".sample % 2 == 1"],
  ["2 * sample == task.params.size", "2 * .sample == .task.params.size"],
  ["sample / 2 == 1.5", ".sample / 2 == 1.5"],
  ["sum(episode_returns) == trial_return", "true"],
  ["sum(episode_returns) > 1", `(${RETURNS}|add) > 1`],
  ["trial_return == 0", `(${RETURNS}|add) == 0`],
  [
    "mean(episode_returns) < episode_returns[0]",
    `(${RETURNS}|add/length) < ${RETURNS}[0]`,
  ],
  ["max(episode_returns) == 1", `(${RETURNS}|max) == 1`],
  ["min(length) == 2", "([.episodes[].actions|length]|min) == 2"],
  ["steps > 5", "([.episodes[].actions|length]|add) > 5"],
  [
    "length[size(length) - 1] == 3",
    "(.episodes[-1].actions|length) == 3",
  ],
  [
    "episodes.exists(e, e.success && e.rewards[0] < 0)",
    "any(.episodes[]; .success and .rewards[0] < 0)",
  ],
  ["credit == null", ".credit == null"],
  ["id.startsWith('t1')", '.id|startswith("t1")'],
  ["max([1, 2.5]) == 2.5 && sum([1, 2]) == 3", "true"],
];

toolTest(
  "filter keeps the rows that jq keeps, byte for byte",
  ["jq"],
  async (t) => {
    const rows = fc.sample(trials, { numRuns: 40, seed: 1 }).flat();
    for (const [ours, theirs] of QUESTIONS) {
      await t.step(ours, async () => {
        const jq = output("jq", ["-c", `select(${theirs})`], lines(rows));
        equal(await apply(filter, { where: ours }, rows), jq);
      });
    }
  },
);

Deno.test("filter passes each row as the bytes it came as", async () => {
  const odd = lines([trial("t", 1)]).replace('"sample":1', '"sample" : 1.0e0');
  equal(await apply(filter, { where: "sample == 1" }, odd), odd);
});

Deno.test("filter shows where an expression goes wrong", async () => {
  const wrong = async (where: string, message: RegExp) => {
    const error = await failure(apply(filter, { where }, [trial("t", 0)]));
    equal(error._tag, "UsageError");
    match((error as Error).message, message);
  };
  await wrong(
    "sample >",
    /Cannot read .*"sample >": Unexpected token: EOF[^]*\^/,
  );
  await wrong("sucesses > 1", /Unknown variable: sucesses; did you mean succ/);
  await wrong("size(episodes)", /it gives int, not true or false/);
});

Deno.test("filter names the line where an expression has no answer", async () => {
  const rows = [trial("a", 0, { credit: {} }), trial("b", 0)];
  const where = "credit.gamma == 1 || id == 'a/0'";
  const error = await failure(
    collect(filter.apply({ where })(fromTrials(rows))),
  );
  equal(error._tag, "DataError");
  match(
    (error as Error).message,
    /^trials: line 2: Cannot evaluate --where: No such key: gamma$/,
  );
});

Deno.test("filter goes on after a bad line where it is asked to", async () => {
  const seen: Array<string> = [];
  const text = lines([trial("a", 0)]) + "{}\n" + lines([trial("b", 0)]);
  const kept = await apply(filter, { where: "true" }, text, (error) => {
    seen.push(error.message);
  });
  equal(ids(kept).join(), "a/0,b/0");
  equal(seen.join(), "test.jsonl: line 2: id is missing");
});

Deno.test("filter refuses a value that is not true or false", async () => {
  const error = await failure(
    apply(filter, { where: "sample" }, [trial("a", 0)]),
  );
  match((error as Error).message, /line 1: .*gives number, not true or false/);
});
