import { deepEqual, equal, match } from "node:assert/strict";
import fc from "fast-check";
import * as fs from "node:fs";
import * as path from "node:path";
import { encodeNpy } from "../../../kernels/npy.ts";
import { promptOf, referenceOf } from "../../../pipeline/anymdp_record.ts";
import type { AnyOptions } from "../../../pipeline/flags.ts";
import type { Trial } from "../../../pipeline/schema.ts";
import { filter } from "../../../pipeline/transforms/filter.ts";
import { peerTest, python } from "../../peers.ts";
import { bash, withFolder } from "../../shell.ts";
import { exported } from "../exports/records.ts";
import { apply, episode, failure, lines, trial } from "../trials.ts";
import { imported } from "./steps.ts";

const ANYMDP = { from: "anymdp" };
const CUT_OFF = { unfinished: "truncated", "final-observation": "repeat" };

async function trialsOf(
  operands: string | ReadonlyArray<string>,
  given: AnyOptions = {},
): Promise<ReadonlyArray<Trial>> {
  const text = await imported(operands, { ...ANYMDP, ...given });
  // What import writes must be what every stage reads.
  equal(await apply(filter, { where: "true" }, text), text);
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

peerTest(
  "import reads records that numpy wrote",
  ["numpy"],
  () =>
    withFolder(async (folder) => {
      const made: ReadonlyArray<
        ReadonlyArray<{
          observations: Array<number>;
          actions: Array<number>;
          labels: Array<number>;
          rewards: Array<number>;
          tags: Array<number>;
        }>
      > = JSON.parse(await python("anymdp_peer.py", ["write", folder]));
      const refused = await failure(imported(folder, ANYMDP));
      match(
        (refused as Error).message,
        /record-000001: no separator behind the last step, entry \d+: .*--unfinished truncated --final-observation repeat/,
      );
      const given = {
        ...CUT_OFF,
        ends: "terminated",
        env: "lake",
        policy: "ppo",
      };
      const found = await trialsOf(folder, { ...given, reference: "own" });
      equal(found.length, made.length);
      found.forEach(({ task, policy, episodes }, i) => {
        match(task.id, /^lake-[0-9a-f]{16}$/);
        equal(policy.name, "ppo");
        const name = ["oracle@0.994", "oracle@0.93", "own", "exp2"][i % 4]!;
        deepEqual(
          episodes,
          made[i]!.map(({ labels, tags, ...columns }, e) => {
            const isCut = i % 3 === 1 && e === made[i]!.length - 1;
            const ends = { terminated: !isCut, truncated: isCut };
            return { ...columns, ...ends, labels: { [name]: labels }, tags };
          }),
        );
      });
      equal(new Set(found.map(({ id }) => id)).size, found.length);
      // Tasks go by what is in a record, not by where it lies or how it is named.
      const one = path.join(folder, "record-000004");
      const [alone] = await trialsOf(one, given);
      equal(alone!.task.id, found[4]!.task.id);
      const twice = await trialsOf([one, one, folder, one], given);
      const samples = twice.filter((row) => row.task.id === alone!.task.id);
      deepEqual(samples.map(({ sample }) => sample), [0, 1, 2]);
    }),
);

Deno.test("prompts name references, and references prompts", () => {
  const prompts = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const names = prompts.map(referenceOf);
  deepEqual(names, [
    "oracle@0",
    "oracle@0.5",
    "oracle@0.93",
    "oracle@0.994",
    "exp1",
    "exp2",
    "rnd",
    undefined,
    undefined,
  ]);
  deepEqual(names.map(promptOf), [0, 1, 2, 3, 4, 5, 6, 7, 7]);
  deepEqual([promptOf("optimal"), promptOf("oracle@0.9")], [7, 7]);
});

type Columns = { readonly [name: string]: ReadonlyArray<number> };

/** Two episodes of three actions, of two steps and one. */
const RECORD: Columns = {
  observations: [4, 5, 6, 7, 8],
  prompts: [3, 3, 7, 3, 7],
  tags: [0, 6, 7, 3, 7],
  actions_behavior: [0, 2, 3, 1, 3],
  actions_label: [1, 2, 3, 1, 3],
  rewards: [0.5, 0, 0, -1.25, 0],
};

function writeRecord(folder: string, columns: Columns): void {
  fs.mkdirSync(folder, { recursive: true });
  for (const [name, list] of Object.entries(columns)) {
    const type = name === "rewards" ? Float32Array : Uint32Array;
    const bytes = encodeNpy(type.from(list));
    fs.writeFileSync(path.join(folder, `${name}.npy`), bytes);
  }
}

Deno.test("episodes are cut behind the largest action, or behind --actions", () =>
  withFolder(async (folder) => {
    writeRecord(folder, RECORD);
    for (const given of [{}, { actions: 3 }]) {
      const [row] = await trialsOf(folder, given);
      deepEqual(row!.episodes, [
        {
          observations: [4, 5, 6],
          actions: [0, 2],
          rewards: [0.5, 0],
          terminated: false,
          truncated: true,
          labels: { "oracle@0.994": [1, 2] },
          tags: [0, 6],
        },
        {
          observations: [7, 8],
          actions: [1],
          rewards: [-1.25],
          terminated: false,
          truncated: true,
          labels: { "oracle@0.994": [1] },
          tags: [3],
        },
      ]);
    }
    const given = { ...ANYMDP, actions: 4, ...CUT_OFF };
    const error = await failure(imported(folder, given));
    match((error as Error).message, /prompts\.npy: entry 2 is 7, and 3 before/);
  }));

Deno.test("import reads files of a record as the record, in number order", () =>
  withFolder(async (folder) => {
    const numbers = [1_000_000, 999_999, 3];
    for (const n of numbers) {
      const name = `record-${String(n).padStart(6, "0")}`;
      const tags = RECORD.tags!.map((tag, i) => i === 0 ? n : tag);
      writeRecord(path.join(folder, name), { ...RECORD, tags });
    }
    fs.mkdirSync(path.join(folder, "record-000000.partial"));
    const firsts = (rows: ReadonlyArray<Trial>) =>
      rows.map(({ episodes }) => episodes[0]!.tags![0]);
    deepEqual(firsts(await trialsOf(folder)), [3, 999_999, 1_000_000]);
    const files = ["tags", "rewards"].map((name) =>
      path.join(folder, "record-000003", `${name}.npy`)
    );
    deepEqual(firsts(await trialsOf(files)), [3]);
  }));

Deno.test("import says what is wrong with which file of a record", () =>
  withFolder(async (folder) => {
    const refused = async (
      change: (record: string) => void,
      message: RegExp,
      given: AnyOptions = {},
    ) => {
      const record = fs.mkdtempSync(path.join(folder, "record-"));
      writeRecord(record, RECORD);
      change(record);
      const error = await failure(imported(record, { ...ANYMDP, ...given }));
      equal(error._tag, "DataError", `${message} ${error}`);
      match((error as Error).message, message);
    };
    const put = (columns: Columns) => (record: string) =>
      writeRecord(record, columns);
    const npy = (name: string, bytes: Uint8Array) => (record: string) =>
      fs.writeFileSync(path.join(record, `${name}.npy`), bytes);
    const cut = encodeNpy(Uint32Array.from(RECORD.tags!)).subarray(0, -1);
    await refused(npy("tags", cut), /tags\.npy: it has 19 bytes of data/);
    await refused(
      npy("tags", new Uint8Array(3)),
      /tags\.npy: it is not an NPY/,
    );
    await refused(
      put({ tags: [0, 0] }),
      /tags\.npy: it has 2 entries, and observations\.npy 5$/,
    );
    await refused(
      (record) => fs.rmSync(path.join(record, "prompts.npy")),
      /^Cannot read .*prompts\.npy: no such file/,
    );
    await refused(
      npy("rewards", encodeNpy(Float32Array.of(0, NaN, 0, 0, 0))),
      /rewards\.npy: entry 1 is NaN, not a finite number$/,
    );
    await refused(
      npy("tags", encodeNpy(Float32Array.of(0, 0.5, 0, 0, 0))),
      /tags\.npy: entry 1 is 0\.5, not an integer from 0$/,
    );
    await refused(
      put({ ...RECORD, prompts: [3, 2, 7, 3, 7] }),
      /prompts\.npy: entry 1 is 2, and 3 before it in its episode$/,
    );
    await refused(
      put({ ...RECORD, actions_label: [1, 2, 2, 1, 3] }),
      /actions_behavior\.npy: entry 2 is 3, the largest, but row 2 .*--actions$/,
    );
    await refused(() => {}, /entry 1 is 2, and there are 1 actions$/, {
      actions: 1,
    });
    const none = Object.keys(RECORD).map((name) => [name, []]);
    await refused(put(Object.fromEntries(none)), /: it has no steps$/);
    for (
      const given of [{ unfinished: "truncated" }, {
        "final-observation": "repeat",
      }]
    ) {
      const part = Object.entries(RECORD).map(([name, list]) =>
        [name, list.slice(0, 4)] as const
      );
      await refused(
        put(Object.fromEntries(part)),
        /last step, entry 3:/,
        given,
      );
    }
    const empty = fs.mkdtempSync(path.join(folder, "empty"));
    const error = await failure(imported(empty, ANYMDP));
    match((error as Error).message, /there are no records .* in it$/);
  }));

Deno.test("import refuses what does not fit trial.json", () =>
  withFolder(async (folder) => {
    const row = trial("a", 0, { episodes: [episode([1, 0]), episode([0.5])] });
    const given = { actions: 4, labels: "behaviour" };
    await exported(folder, [row], given);
    const file = path.join(folder, "record-000000/trial.json");
    const rest = JSON.parse(fs.readFileSync(file, "utf8"));
    const wrong: ReadonlyArray<readonly [unknown, RegExp]> = [
      ["{", /trial\.json: not JSON/],
      [null, /format is undefined, expected retrial\/anymdp@1/],
      [{ ...rest, format: "x" }, /format is x/],
      [{ ...rest, lengths: [2] }, /lengths are not the steps/],
      [{ ...rest, lengths: [4, -1] }, /lengths are not the steps/],
      [{ ...rest, lengths: [1, 2] }, /do not fit actions_behavior\.npy/],
      [{ ...rest, lengths: [2, 2] }, /do not fit actions_behavior\.npy/],
      [{ ...rest, actions: 3 }, /do not fit actions_behavior\.npy/],
      [{ ...rest, trial: 7 }, /lengths are not the steps/],
      [
        { ...rest, trial: { ...rest.trial, episodes: [null, null] } },
        /trial: episodes/,
      ],
      [
        { ...rest, trial: { ...rest.trial, sample: -1 } },
        /trial: sample is -1/,
      ],
    ];
    for (const [value, message] of wrong) {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      fs.writeFileSync(file, text);
      const error = await failure(imported(folder, ANYMDP));
      equal(error._tag, "DataError", String(message));
      match((error as Error).message, message);
    }
    // Arrays that another program has changed are read as they are.
    fs.writeFileSync(file, JSON.stringify(rest));
    const rewards = Float32Array.of(0, 7, 0, 0.25, 0);
    const array = path.join(folder, "record-000000/rewards.npy");
    fs.writeFileSync(array, encodeNpy(rewards));
    const [changed] = await trialsOf(folder);
    deepEqual(changed!.episodes.map((e) => e.rewards), [[0, 7], [0.25]]);
  }));

Deno.test("damaged records are refused, never misread as a bug", () =>
  withFolder(async (folder) => {
    await exported(folder, [trial("a", 0)], {
      actions: 4,
      labels: "behaviour",
    });
    const record = path.join(folder, "record-000000");
    const files = fs.readdirSync(record).sort();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.nat(400),
        fc.nat(255),
        async (name, place, byte) => {
          const file = path.join(record, name);
          const before = fs.readFileSync(file);
          const damaged = Uint8Array.from(before);
          damaged[place % damaged.length] = byte;
          fs.writeFileSync(file, damaged);
          try {
            await imported(folder, ANYMDP);
          } catch (error) {
            equal((error as { _tag?: string })._tag, "DataError", `${error}`);
          } finally {
            fs.writeFileSync(file, before);
          }
        },
      ),
      { numRuns: 300 },
    );
  }));

Deno.test("flags of logs mean nothing of records, and the other way", () =>
  withFolder(async (folder) => {
    const usage = async (operands: Array<string>, given: AnyOptions) => {
      const error = await failure(imported(operands, given));
      equal(error._tag, "UsageError");
      return (error as Error).message;
    };
    equal(
      await usage([folder], { ...ANYMDP, map: ["a=b"] }),
      "Cannot use --map with --from anymdp",
    );
    equal(
      await usage(["x.csv"], { actions: 4 }),
      "Cannot use --actions with --from steps",
    );
    match(await usage([], ANYMDP), /without a folder$/);
  }));

Deno.test("a dataset of records replays, and knows what it was made of", () =>
  withFolder(async (folder) => {
    await exported(path.join(folder, "in"), [trial("a", 0), trial("b", 0)], {
      actions: 4,
      labels: "behaviour",
    });
    const script = `retrial import --from anymdp in --out rows 2> /dev/null
      cat rows/data/* && retrial replay rows 2> /dev/null && retrial explain rows
      rm in/record-000001/tags.npy; retrial explain rows | tail -1`;
    const { out } = await bash(folder, script);
    const rows = lines([trial("a", 0), trial("b", 0)]);
    equal(out.slice(0, rows.length), rows);
    match(out, /made by: retrial import --from anymdp \.\.\/in\n/);
    match(out, /record-000001\/tags\.npy is missing/);
  }));
