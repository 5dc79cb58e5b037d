import { toolTest } from "../../tools.ts";
import { deepEqual, equal, match } from "node:assert/strict";
import fc from "fast-check";
import type { AnyOptions } from "../../../pipeline/flags.ts";
import type { Episode } from "../../../pipeline/schema.ts";
import { output } from "../trials.ts";

import { imported, type Log, refused, step, trials, written } from "./steps.ts";

const END = { terminated: true };
const simple = [
  step(3, 0, 0),
  step(3, 0, 1, END),
  step(3, 1, 0, END),
  step(4, 0, 0, END),
];

Deno.test("import gathers steps into episodes and trials", async () => {
  const [first, second] = await trials(simple, { env: "maze", policy: "ppo" });
  deepEqual(first!.episodes, [
    {
      observations: [0, 1, 2],
      actions: [1, 1],
      rewards: [0, 0.5],
      terminated: true,
      truncated: false,
    },
    {
      observations: [0, 1],
      actions: [1],
      rewards: [0],
      terminated: true,
      truncated: false,
    },
  ]);
  match(first!.task.id, /^maze-[0-9a-f]{16}$/);
  deepEqual([first!.sample, first!.policy.name], [0, "ppo"]);
  equal(second!.episodes.length, 1);
  equal(second!.task.id === first!.task.id, false);
});

const value = fc.oneof(
  fc.integer({ min: -5, max: 300 }),
  fc.integer({ min: -99, max: 99 }).map((n) => n / 8),
);
const columns = fc.record({
  rewards: fc.array(value, { minLength: 1, maxLength: 4 }),
  end: fc.constantFrom("terminated", "truncated"),
  success: fc.boolean(),
});
const logs = fc.array(fc.array(columns, { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 4,
});
type Made = ReadonlyArray<{
  readonly rewards: ReadonlyArray<number>;
  readonly end: string;
  readonly success: boolean;
}>;

/** The episodes that a drawn log should become. */
function expected(episodes: Made, observe: (t: number) => unknown) {
  return episodes.map(({ rewards, end, success }) => ({
    observations: [...rewards, 0].map((_, t) => observe(t)),
    actions: rewards.map((_, t) => t % 3),
    rewards,
    terminated: end === "terminated",
    truncated: end === "truncated",
    success,
  }));
}

const WRITE_CSV = `
import csv, json, sys
rows = json.load(sys.stdin)
w = csv.DictWriter(sys.stdout, rows[0].keys(), quoting=csv.QUOTE_MINIMAL)
w.writeheader()
w.writerows(rows)
`;

toolTest(
  "import reads what Python's csv module writes",
  ["python3"],
  () =>
    fc.assert(
      fc.asyncProperty(
        logs,
        fc.constantFrom("number", "vector", "columns", "text"),
        async (drawn, kind) => {
          const observe = (t: number) =>
            kind === "text"
              ? `room ${t}, "north"\nof it`
              : kind === "number"
              ? t
              : [t, -t / 2];
          const rows = drawn.flatMap((episodes, trial) =>
            expected(episodes, observe).flatMap((e, episode) =>
              e.rewards.map((r, t) => ({
                run: `r${trial}`,
                episode,
                step: t + 1,
                obs: kind === "vector"
                  ? JSON.stringify(observe(t))
                  : observe(t),
                x: t,
                y: -t / 2,
                a: t % 3,
                r,
                terminated: e.terminated && t === e.rewards.length - 1,
                truncated: e.truncated && t === e.rewards.length - 1,
                next_obs: kind === "vector"
                  ? JSON.stringify(observe(t + 1))
                  : observe(t + 1),
                nx: t + 1,
                ny: -(t + 1) / 2,
                success: e.success,
              }))
            )
          );
          const csv = output(
            "python3",
            ["-c", WRITE_CSV],
            JSON.stringify(rows),
          );
          const map = kind === "columns"
            ? ["observation=x+y,next_observation=nx+ny"]
            : ["observation=obs,next_observation=next_obs"];
          const given = {
            map: [...map, "action=a,reward=r,t=step"],
            "trial-by": "run",
          };
          const made = await trials(csv, given, ".csv");
          const episodes: unknown = made.map((trial) => trial.episodes);
          deepEqual(episodes, drawn.map((e) => expected(e, observe)));
        },
      ),
      { numRuns: 25 },
    ),
);

Deno.test("import reads packed logs, and several as one", async () => {
  const whole = await imported(written(simple, ".jsonl"));
  equal(await imported(written(simple, ".ndjson.zst")), whole);
  const halves = [simple.slice(0, 1), simple.slice(1)];
  const files = halves.map((log) => written(log, ".jsonl"));
  equal(await imported(files), whole);
});

Deno.test("import groups trials by task, with params and samples", async () => {
  const rows = [7, 7, 9].map((size, i) =>
    step(`run${i}`, 0, 0, { ...END, size, name: "001", big: i < 2 })
  );
  const made = await trials(rows, { "task-by": "size,name,big" });
  deepEqual(made.map((trial) => trial.sample), [0, 1, 0]);
  deepEqual(made[0]!.task.params, { size: 7, name: "001", big: true });
  equal(made[0]!.task.id, made[1]!.task.id);
  deepEqual(made.map((trial) => trial.id), [
    `${made[0]!.task.id}/0`,
    `${made[0]!.task.id}/1`,
    `${made[2]!.task.id}/0`,
  ]);
});

const one = async (log: Log, given: AnyOptions = {}): Promise<Episode> =>
  (await trials(log, given))[0]!.episodes[0]!;

Deno.test("import says terminated and truncated apart", async () => {
  const done = (more: { readonly [name: string]: unknown }) => {
    const { terminated: _, ...row } = step(1, 0, 0, more);
    return [row];
  };
  const ends = async (log: Log, given: AnyOptions = {}) => {
    const { terminated, truncated } = await one(log, given);
    return [terminated, truncated];
  };
  deepEqual(await ends(done({ done: 1 })), [true, false]);
  const means = { "done-means": "truncated" };
  deepEqual(await ends(done({ done: true }), means), [false, true]);
  deepEqual(await ends(done({ done: 1, truncated: 1 })), [false, true]);
  deepEqual(await ends([step(1, 0, 0, { done: 1 })]), [false, true]);
  const unfinished = { unfinished: "truncated" };
  deepEqual(await ends(done({}), unfinished), [false, true]);
  const log = done({ done: 0, truncated: 1 });
  await refused(log, /line 1: done is false, but terminated false, trunc/);
});

Deno.test("import finds the observation behind the last action", async () => {
  const { next_observation: _, ...last } = step(1, 0, 0, END);
  const final = { trial: 1, episode: 0, t: 1, observation: 8, action: "" };
  deepEqual((await one([last, final])).observations, [0, 8]);
  const repeat = { "final-observation": "repeat" };
  deepEqual((await one([last], repeat)).observations, [0, 0]);
  await refused([last], /line 1: episode 0 has no observation behind its last/);
});

Deno.test("import keeps optional columns", async () => {
  const more = { valid: 1, logprob: -1.5, value: 2, label: 3, response: "9" };
  const log = [
    step(1, 0, 0, { ...more }),
    step(1, 0, 1, { ...more, ...END, success: "true" }),
  ];
  const { success, valid, logprobs, values, labels, responses } = await one(
    log,
    { reference: "optimal" },
  );
  deepEqual([success, valid, logprobs], [true, [true, true], [-1.5, -1.5]]);
  deepEqual([values, labels], [[2, 2, 0], { optimal: [3, 3] }]);
  deepEqual(responses, ["9", "9"]);
  const cut = [step(1, 0, 0, { value: 1, terminated: 0, truncated: 1 })];
  await refused(cut, /is truncated, and has no value behind its last/);
  const gap = [step(1, 0, 0), step(1, 0, 1, { ...END, value: 1 })];
  await refused(gap, /line 2: value is empty at the steps before/);
});

Deno.test("import cuts episodes at their ends where no column names them", async () => {
  const rows = simple.map(({ episode: _, ...row }) => row);
  const [first, second] = await trials(rows);
  deepEqual(first!.episodes.map((e) => e.actions.length), [2, 1]);
  equal(second!.episodes.length, 1);
});

Deno.test("import reads numbers as text where it is told to", async () => {
  const csv = "trial,observation,action,reward,done,next_observation\n" +
    "1,50,42,0,0,guess\n1,guess,7,1,1,done\n";
  await refused(
    csv,
    /line 2: next_observation is text, but a number at line 2/,
    {},
    ".csv",
  );
  const [made] = await trials(csv, { text: "observation,action" }, ".csv");
  deepEqual(made!.episodes[0]!.observations, ["50", "guess", "done"]);
  deepEqual(made!.episodes[0]!.actions, ["42", "7"]);
});

Deno.test("import refuses what it cannot place, and says where", async (t) => {
  const cases: ReadonlyArray<
    readonly [string, Log, RegExp, AnyOptions?, string?]
  > = [
    [
      "a trial that comes again",
      [...simple, step(3, 2, 0, END)],
      /line 5: trial 3 appears again, after .*: line 1; sort the log by trial$/,
    ],
    [
      "an episode that comes again",
      [simple[2]!, step(3, 2, 0, END), step(3, 1, 0, END)],
      /line 3: episode 1 of trial 3 appears again$/,
    ],
    [
      "steps behind the end",
      [step(1, 0, 0, END), step(1, 0, 1, END)],
      /line 2: episode 0 goes on after its end at line 1$/,
    ],
    [
      "a gap in time",
      [step(1, 0, 0), step(1, 0, 2, END)],
      /line 2: t is 2, expected 1$/,
    ],
    [
      "an episode without end",
      [step(1, 0, 0), step(2, 0, 0, END)],
      /line 1: episode 0 stops without .* --unfinished truncated takes it so$/,
    ],
    [
      "a reward that is no number",
      [step(1, 0, 0, { ...END, reward: "much" })],
      /line 1: reward is "much", not a finite number$/,
    ],
    [
      "a reward that is not finite",
      "trial,observation,action,reward,done\n1,0,0,1e999,1\n",
      /line 2: reward is "1e999", not a finite number$/,
      { "final-observation": "repeat" },
      ".csv",
    ],
    [
      "no reward",
      [step(1, 0, 0, { ...END, reward: null })],
      /line 1: reward is empty, not a finite number$/,
    ],
    [
      "observations of two kinds",
      [step(1, 0, 0), step(1, 0, 1, { ...END, observation: [1, 2] })],
      /line 2: observation is a vector, but a number at line 1$/,
    ],
    [
      "a next observation that is another",
      [step(1, 0, 0, { next_observation: 9 }), step(1, 0, 1, END)],
      /line 2: observation is not the next_observation of the step before/,
    ],
    [
      "a missing column",
      [{ trial: 1, obs: 1, action: 1, reward: 1 }],
      /line 1: no column observation: map it with --map observation=COLUMN/,
    ],
    [
      "a mapped column that is not there",
      simple,
      /line 1: no column rewad; did you mean reward\?$/,
      { map: ["reward=rewad"] },
    ],
    [
      "no trial",
      [{ observation: 1, action: 1, reward: 1 }],
      /line 1: no column trial: name those of a trial with --trial-by/,
    ],
    [
      "an id that numbers cannot hold",
      '{"trial":12345678901234567890,"observation":1,"action":1,"reward":1}\n',
      /line 1: trial is 12345678901234567000, beyond 2\^53/,
    ],
    [
      "a target that is none",
      simple,
      /Cannot map rewards: no such column of a step; did you mean reward/,
      { map: ["rewards=r"] },
    ],
    [
      "a file of no known kind",
      simple,
      /Cannot tell the format of .*\.txt: give --format/,
      {},
      ".txt",
    ],
    ["what is not JSON", "{]\n", /line 1: not JSON: /],
    ["what is no object", "[1]\n", /line 1: not a JSON object$/],
    ["a log without steps", "", /there are no steps/],
    [
      "a row of too few columns",
      "trial,observation,action,reward\n1,2\n",
      /line 2: 2 columns, expected 4 as in the header$/,
      {},
      ".csv",
    ],
    [
      "a quote without end",
      'trial,observation,action,reward\n1,"2,3,4\n',
      /line 1: a quote is not closed$/,
      {},
      ".csv",
    ],
    [
      "a flag that is none",
      [step(1, 0, 0, { terminated: "maybe" })],
      /line 1: terminated is "maybe", not true or false$/,
    ],
  ];
  for (const [name, log, message, given = {}, ending] of cases) {
    await t.step(name, () => refused(log, message, given, ending));
  }
});
