import { deepEqual, equal, match, throws } from "node:assert/strict";
import fc from "fast-check";
import * as fs from "node:fs";
import * as path from "node:path";
import { decodeNpy } from "../../../kernels/npy.ts";
import type { Trial } from "../../../pipeline/schema.ts";
import { writeFolder } from "../../../pipeline/shard.ts";
import { peerTest, python } from "../../peers.ts";
import { bash, succeeded, withFolder } from "../../shell.ts";
import { imported } from "../sources/steps.ts";
import { episode, failure, lines, trial } from "../trials.ts";
import { ACTIONS, discreteTrials, exported, filesOf } from "./records.ts";

const ANYMDP = { from: "anymdp" };

/** One row of a record, by the layout's own words. */
interface Row {
  readonly observations: number;
  readonly prompts: number;
  readonly tags: number;
  readonly actions_behavior: number;
  readonly actions_label: number;
  readonly rewards: number;
}

/** The rows of a trial: a step each, and one behind each episode. */
function rowsOf({ episodes }: Trial, reference: string, prompt: number) {
  return episodes.flatMap((e): Array<Row> => [
    ...e.actions.map((action, t): Row => ({
      observations: e.observations[t] as number,
      prompts: prompt,
      tags: e.tags?.[t] ?? 7,
      actions_behavior: action as number,
      actions_label: e.labels![reference]![t] as number,
      rewards: Math.fround(e.rewards[t]!),
    })),
    {
      observations: e.observations.at(-1) as number,
      prompts: 7,
      tags: 7,
      actions_behavior: ACTIONS,
      actions_label: ACTIONS,
      rewards: 0,
    },
  ]);
}

function readRecord(folder: string): ReadonlyArray<Row> {
  const names = [
    "observations",
    "prompts",
    "tags",
    "actions_behavior",
    "actions_label",
    "rewards",
  ];
  const columns = names.map((name) => {
    const bytes = fs.readFileSync(path.join(folder, `${name}.npy`));
    const { type, values } = decodeNpy(bytes);
    equal(type, name === "rewards" ? "<f4" : "<u4", name);
    return [name, values] as const;
  });
  return Array.from({ length: columns[0]![1].length }, (_, i) =>
    // There is a column for each name.
    Object.fromEntries(columns.map(([name, v]) => [name, v[i]])) as never);
}

Deno.test("records hold a row a step and one between episodes", () =>
  fc.assert(
    fc.asyncProperty(discreteTrials, (trials) =>
      withFolder(async (folder) => {
        const out = path.join(folder, "out");
        for (
          const [reference, prompt, given] of [
            ["oracle@0.994", 3, {}],
            ["oracle@0", 0, { reference: "oracle@0" }],
            ["optimal", 7, { reference: "optimal" }],
          ] as const
        ) {
          const all = { actions: ACTIONS, overwrite: true, ...given };
          await exported(out, trials, all);
          deepEqual(
            fs.readdirSync(out).sort(),
            trials.map((_, i) => `record-00000${i}`),
          );
          trials.forEach((row, i) => {
            const found = readRecord(path.join(out, `record-00000${i}`));
            deepEqual(found, rowsOf(row, reference, prompt));
          });
        }
      })),
    { numRuns: 20 },
  ));

Deno.test("import gives back the bytes that were exported", () =>
  fc.assert(
    fc.asyncProperty(
      discreteTrials,
      fc.constantFrom({}, { reference: "optimal" }, { labels: "behaviour" }),
      (trials, given) =>
        withFolder(async (folder) => {
          const out = path.join(folder, "out");
          await exported(out, trials, { actions: ACTIONS, ...given });
          equal(await imported(out, ANYMDP), lines(trials));
        }),
    ),
    { numRuns: 30 },
  ));

Deno.test("what imports from arrays alone exports to the same arrays", () =>
  fc.assert(
    fc.asyncProperty(discreteTrials, (trials) =>
      withFolder(async (folder) => {
        const [first, second] = ["1", "2"].map((n) => path.join(folder, n));
        await exported(first!, trials, { actions: ACTIONS });
        for (const name of fs.readdirSync(first!)) {
          fs.rmSync(path.join(first!, name, "trial.json"));
        }
        const given = { ...ANYMDP, actions: ACTIONS, ends: "terminated" };
        const rows = await imported(first!, given);
        const made: ReadonlyArray<Trial> = rows.trim().split("\n").map((line) =>
          JSON.parse(line)
        );
        equal(made.length, trials.length);
        equal(new Set(made.map(({ id }) => id)).size, made.length);
        made.forEach(({ episodes }, i) =>
          episodes.forEach((e, j) => {
            const from = trials[i]!.episodes[j]!;
            deepEqual(e.observations, from.observations);
            deepEqual(e.actions, from.actions);
            deepEqual(e.rewards, from.rewards);
            deepEqual([e.terminated, e.truncated], [true, false]);
            deepEqual(e.tags, from.tags ?? from.actions.map(() => 7));
            if (e.actions.length === 0) return;
            const name = "oracle@0.994";
            deepEqual(e.labels, { [name]: from.labels![name] });
          })
        );
        const hasSteps = trials.every(({ episodes }) =>
          episodes.every(({ actions }) => actions.length > 0)
        );
        // Of an episode without steps nothing says who labelled it.
        if (!hasSteps) return;
        await exported(second!, rows, { actions: ACTIONS });
        const strip = (files: Map<string, Uint8Array>) =>
          [...files].filter(([name]) => name.endsWith(".npy"));
        deepEqual(strip(filesOf(second!)), strip(filesOf(first!)));
      })),
    { numRuns: 20 },
  ));

Deno.test("the number of actions is the task's", () =>
  withFolder(async (folder) => {
    const script = `
      retrial generate --env anymdp --param states=8 --param actions=3 --tasks 6 \
        --episodes 3 --policy omnirl --seed 2 \
        then label --reference oracle --gamma 0.5,0.994 > rows
      retrial export --to anymdp --out named rows
      retrial export --to anymdp --actions 3 --out given rows
      diff -r named given && retrial import --from anymdp named | cmp - rows`;
    const { code, out, err } = await bash(folder, script);
    equal(code, 0, out + err);
    match(err, /named now holds 6 records, \d+ rows\n/);
    const last = readRecord(path.join(folder, "named/record-000005")).at(-1)!;
    deepEqual([last.actions_behavior, last.actions_label], [3, 3]);
  }));

const plain = trial("a", 0, {
  episodes: [episode([1], { labels: { one: [2] } }), episode([0, 1])],
});

Deno.test("export says which field it cannot hold, and where", () =>
  withFolder(async (folder) => {
    const change = (more: object) =>
      trial("a", 0, {
        episodes: [{ ...episode([0, 0.5]), labels: { one: [0, 1] }, ...more }],
      });
    const wrong: ReadonlyArray<readonly [Trial, RegExp, object?]> = [
      [plain, /episodes\[1\]\.labels\.one is missing$/],
      [change({ labels: {} }), /episodes\[0\]\.labels is missing: run label/],
      [change({ labels: { a: [0, 0], b: [0, 0] } }), /has a, b: choose one/],
      [change({}), /labels has no two: there are one$/, { reference: "two" }],
      [change({ observations: [0, "x", 1] }), /observations\[1\] is "x", and/],
      [
        change({ observations: [0, 1, [2]] }),
        /observations\[2\] is \[2\], and/,
      ],
      [change({ observations: [0, 1, 2 ** 32] }), /\[2\] is 4294967296, and/],
      [change({ observations: [-1, 1, 2] }), /observations\[0\] is -1, and/],
      [change({ actions: [0, 4] }), /actions\[1\] is 4, and .* from 0 to 3/],
      [change({ actions: [0.5, 0] }), /actions\[0\] is 0\.5, and/],
      [change({ labels: { one: [0, 4] } }), /labels\.one\[1\] is 4, and/],
      [change({ tags: [0, 0.5] }), /tags\[1\] is 0\.5, and/],
      [change({ rewards: [0, 1e39] }), /rewards\[1\] is 1e\+39, beyond/],
      [change({}), /task\.env is toy, which is not known here; --actions/, {
        actions: undefined,
      }],
    ];
    for (const [i, [row, message, given]] of wrong.entries()) {
      const out = path.join(folder, `${i}`);
      const all = { actions: 4, ...given };
      const error = await failure(exported(out, [row], all));
      equal(error._tag, "DataError", String(message));
      match((error as Error).message, message);
      match((error as Error).message, /^test\.jsonl: line 1: /);
      deepEqual(fs.readdirSync(out), []);
    }
    const both = { labels: "behaviour", reference: "one" };
    const error = await failure(exported(folder, [plain], both));
    equal(error._tag, "UsageError");
  }));

Deno.test("rows before a bad one are whole, and nothing else is there", () =>
  withFolder(async (folder) => {
    const bad = trial("b", 0, { episodes: [episode([1e300])] });
    const good = trial("a", 0);
    const given = { actions: 4, labels: "behaviour" };
    const error = await failure(exported(folder, [good, bad, good], given));
    match((error as Error).message, /test\.jsonl: line 2: episodes\[0\]/);
    deepEqual(fs.readdirSync(folder), ["record-000000"]);
    equal(fs.readdirSync(path.join(folder, "record-000000")).length, 7);
  }));

Deno.test("export refuses a folder in use, and --overwrite takes its own", () =>
  withFolder(async (folder) => {
    const given = { actions: 4, labels: "behaviour" };
    await exported(folder, [trial("a", 0), trial("b", 0)], given);
    fs.mkdirSync(path.join(folder, "record-000002.partial"));
    fs.writeFileSync(path.join(folder, "notes"), "mine");
    const error = await failure(exported(folder, [trial("c", 0)], given));
    equal(error._tag, "UsageError");
    match((error as Error).message, /it is not empty; .* say --overwrite$/);
    await exported(folder, [trial("c", 0)], { ...given, overwrite: true });
    deepEqual(fs.readdirSync(folder).sort(), ["notes", "record-000000"]);
    equal(await imported(folder, ANYMDP), lines([trial("c", 0)]));
  }));

Deno.test("of a folder that cannot be written nothing is left", () =>
  withFolder((folder) => {
    const bytes = Uint8Array.of(1);
    const whole = path.join(folder, "whole");
    writeFolder(whole, { a: bytes, b: bytes });
    deepEqual(fs.readdirSync(whole), ["a", "b"]);
    const half = { a: bytes, "not/there": bytes };
    throws(() => writeFolder(path.join(folder, "half"), half), /ENOENT/);
    deepEqual(fs.readdirSync(folder), ["whole"]);
  }));

peerTest(
  "numpy reads records as OmniRL's programs would",
  ["numpy"],
  () =>
    withFolder(async (folder) => {
      succeeded(
        await bash(
          folder,
          `retrial generate --env anymdp --param states=8 --tasks 5 --episodes 4 \
          --policy omnirl --seed 4 then label --reference oracle > rows
        retrial export --to anymdp --out records rows`,
        ),
      );
      const found = JSON.parse(
        await python("anymdp_peer.py", ["read", path.join(folder, "records")]),
      );
      const rows = fs.readFileSync(path.join(folder, "rows"), "utf8");
      const expected = rows.trim().split("\n").map((line) => {
        const { episodes }: Trial = JSON.parse(line);
        return episodes.map((e) => ({
          observations: e.observations,
          actions: e.actions,
          labels: e.labels!["oracle@0.994"],
          rewards: e.rewards.map(Math.fround),
          tags: e.tags,
          prompts: e.actions.map(() => 3),
        }));
      });
      deepEqual(found, expected);
    }),
);
