import { bash, withFolder } from "../../shell.ts";
import { toolTest } from "../../tools.ts";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as zlib from "node:zlib";
import { checkOptions } from "../../../pipeline/flags.ts";
import type { Trial } from "../../../pipeline/schema.ts";
import { query } from "../../../pipeline/sinks/query.ts";
import {
  batchesOf,
  episode,
  failure,
  lines,
  output,
  run,
  trial,
} from "../trials.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "query-test-"));
globalThis.addEventListener(
  "unload",
  () => fs.rmSync(folder, { recursive: true }),
);
let files = 0;

/** A file with these rows. */
function file(rows: ReadonlyArray<Trial> | string, ending = ".jsonl"): string {
  const name = path.join(folder, `${files++}${ending}`);
  const text = typeof rows === "string" ? rows : lines(rows);
  const pack = ending.endsWith(".gz")
    ? zlib.gzipSync
    : ending.endsWith(".zst")
    ? zlib.zstdCompressSync
    : Buffer.from;
  fs.writeFileSync(name, pack(Buffer.from(text)));
  return name;
}

/** What a query writes, over files or over a stream. */
async function ask(
  sql: string,
  input: string | ReadonlyArray<Trial>,
  format = "jsonl",
): Promise<string> {
  const answer = path.join(folder, `${files++}.answer`);
  const options = checkOptions(query.flags, { format, output: answer });
  const sinkInput = typeof input === "string"
    ? { words: [sql], files: [input], rows: batchesOf("") }
    : { words: [sql], files: [], rows: batchesOf(lines(input)) };
  // checkOptions has made them what the flags say.
  await run(query.run(options as never, sinkInput));
  return fs.readFileSync(answer, "utf8");
}

const rows: ReadonlyArray<Trial> = [
  trial("a", 0, {
    episodes: [
      episode([0, 0.5], { success: true, returns: [0.4, 0.5] }),
      episode([1, 2, 3], {
        success: false,
        terminated: false,
        truncated: true,
        reflection: { text: 'left, "then" right\n' },
      }),
    ],
    credit: { gamma: 0.5 },
  }),
  trial("a", 1, { episodes: [episode([])] }),
  trial("b", 0, { policy: { name: "q", params: { epsilon: 0.1 } } }),
];

const parsed = (text: string) =>
  text.split("\n").filter(Boolean).map((line) => JSON.parse(line));

Deno.test("query runs the line of the design", async () => {
  const sql =
    "select episode, avg(return) from episodes group by all order by all";
  deepEqual(parsed(await ask(sql, rows)), [
    { "episode": 0, "avg(return)": 0.5 },
    { "episode": 1, "avg(return)": 6 },
  ]);
});

const rewards = fc.array(fc.integer({ min: -8, max: 8 }).map((n) => n / 4), {
  maxLength: 4,
});
const drawn = fc.sample(
  fc.array(fc.tuple(rewards, fc.boolean()), { minLength: 1, maxLength: 4 }),
  { numRuns: 60, seed: 3 },
).map((episodes, i) =>
  trial(`t${i >> 2}`, i & 3, {
    episodes: episodes.map(([r, success]) => episode(r, { success })),
  })
);

/** The same question in SQL and in jq's language. */
const QUESTIONS: ReadonlyArray<readonly [string, string]> = [
  [
    "select trial, task, env, env_version, task_seed, params, sample, seed, " +
    "policy, policy_params, episodes, steps, return, successes from trials",
    `{trial: .id, task: .task.id, env: .task.env, env_version: .task.version,
      task_seed: .task.seed, params: .task.params, sample, seed,
      policy: .policy.name, policy_params: .policy.params,
      episodes: (.episodes|length),
      steps: ([.episodes[].actions|length]|add),
      return: ([.episodes[].rewards|add // 0]|add),
      successes: ([.episodes[]|select(.success)]|length)}`,
  ],
  [
    "select trial, task, env, sample, policy, episode, steps, return, " +
    "success, terminated, truncated from episodes",
    `. as $t | .episodes | to_entries[] | {trial: $t.id, task: $t.task.id,
      env: $t.task.env, sample: $t.sample, policy: $t.policy.name,
      episode: .key, steps: (.value.actions|length),
      return: (.value.rewards|add // 0), success: .value.success,
      terminated: .value.terminated, truncated: .value.truncated}`,
  ],
  [
    "select trial, episode, t, observation, action, reward, " +
    "next_observation, terminated, truncated from steps",
    `. as $r | .episodes | to_entries[] | .key as $e | .value as $v |
      ($v.actions|length) as $n | range($n) as $t | {trial: $r.id,
      episode: $e, t: $t, observation: $v.observations[$t],
      action: $v.actions[$t], reward: $v.rewards[$t],
      next_observation: $v.observations[$t + 1],
      terminated: ($v.terminated and $t == $n - 1),
      truncated: ($v.truncated and $t == $n - 1)}`,
  ],
];

toolTest(
  "query sees in its views what jq sees in the rows",
  ["jq"],
  async (t) => {
    const name = file(drawn);
    for (const [sql, jq] of QUESTIONS) {
      await t.step(sql.slice(-40), async () => {
        const expected = parsed(output("jq", ["-c", jq, name]));
        ok(expected.length > 20);
        deepEqual(parsed(await ask(sql, name)), expected);
        deepEqual(parsed(await ask(sql, drawn)), expected);
      });
    }
  },
);

Deno.test("query reads optional columns, and NULL where there are none", async () => {
  const credited = "select credited, reflection, success from episodes";
  deepEqual(parsed(await ask(credited, rows)), [
    { credited: 0.4, reflection: null, success: true },
    { credited: null, reflection: 'left, "then" right\n', success: false },
    { credited: null, reflection: null, success: null },
    { credited: null, reflection: null, success: null },
  ]);
  const more = { valid: [1, false], logprobs: [-1, -2], values: [1, 2, 3] };
  const full = trial("a", 0, {
    episodes: [
      episode([0, 1], { ...more, advantages: [0.5, -0.5], returns: [1, 1] }),
    ],
  });
  const sql =
    "select valid, logprob, value, advantage, return_to_go from steps";
  deepEqual(parsed(await ask(sql, [trial("b", 0), full])).slice(1), [
    {
      valid: null,
      logprob: null,
      value: null,
      advantage: null,
      return_to_go: null,
    },
    { valid: true, logprob: -1, value: 1, advantage: 0.5, return_to_go: 1 },
    { valid: false, logprob: -2, value: 2, advantage: -0.5, return_to_go: 1 },
  ]);
});

Deno.test("query types observations by all that are there", async () => {
  const on = (...kinds: ReadonlyArray<Trial["episodes"][0]["observations"]>) =>
    kinds.map((observations, i) =>
      trial("a", i, { episodes: [episode([0], { observations })] })
    );
  const sql = "select observation o, typeof(observation) k from steps";
  const seen = async (rows: ReadonlyArray<Trial>) =>
    parsed(await ask(sql, rows));
  deepEqual(await seen(on([1, 2])), [{ o: 1, k: "BIGINT" }]);
  deepEqual(await seen(on([1, 2], [1.5, 2])), [
    { o: 1, k: "DOUBLE" },
    { o: 1.5, k: "DOUBLE" },
  ]);
  deepEqual(await seen(on([[1, 2.5], [0, 0]])), [{
    o: [1, 2.5],
    k: "DOUBLE[]",
  }]);
  deepEqual(await seen(on(["a.e", "b"])), [{ o: "a.e", k: "VARCHAR" }]);
  deepEqual(await seen(on([1, 2], ["a", "b"], [[1], [2]])), [
    { o: 1, k: "JSON" },
    { o: "a", k: "JSON" },
    { o: [1], k: "JSON" },
  ]);
});

Deno.test("query reads packed files, and names that look like patterns", async () => {
  const sql = "select trial from trials";
  const expected = await ask(sql, rows);
  equal(parsed(expected).length, 3);
  for (const ending of [".jsonl.gz", ".jsonl.zst", "[a].jsonl", "*.jsonl"]) {
    const name = file(rows, ending);
    // What the name would mean as a pattern.
    fs.writeFileSync(name.replace("*", "0"), lines([trial("other", 0)]));
    fs.writeFileSync(name, fs.readFileSync(file(rows, ending)));
    equal(await ask(sql, name), expected);
  }
});

toolTest(
  "query prints what Python's csv and json read back",
  ["python3"],
  async () => {
    const read = (code: string, text: string) =>
      JSON.parse(output("python3", ["-c", code], text));
    const sql = "select trial, reflection, credit, return from trials " +
      "join episodes using (trial, return) union all by name " +
      "select trial, reflection, null, credited as return from episodes";
    const json = await ask(sql, rows, "json");
    const objects = JSON.parse(json);
    deepEqual(parsed(await ask(sql, rows, "jsonl")), objects);
    const code = "import csv,json,sys;" +
      "print(json.dumps(list(csv.DictReader(sys.stdin))))";
    const text = (value: unknown) =>
      value === null
        ? ""
        : typeof value === "object"
        ? JSON.stringify(value)
        : `${value}`;
    const expected = objects.map((row: { [name: string]: unknown }) =>
      Object.fromEntries(Object.entries(row).map(([k, v]) => [k, text(v)]))
    );
    deepEqual(read(code, await ask(sql, rows, "csv")), expected);
  },
);

Deno.test("query prints integers as numbers where that is safe", async () => {
  const sql = "select 9007199254740991 a, 9007199254740993 b, sum(1) c, " +
    "0.25 d, 123456789012345678.5 e, 'x' f, null g, [1::bigint] h, {'i': 2} i";
  deepEqual(parsed(await ask(sql, rows)), [{
    a: 9007199254740991,
    b: "9007199254740993",
    c: 1,
    d: 0.25,
    e: "123456789012345678.5",
    f: "x",
    g: null,
    h: [1],
    i: { i: 2 },
  }]);
});

Deno.test("query prints tables for people", async () => {
  const sql = "select trial, steps, reflection from episodes order by all";
  const table = await ask(sql, rows, "table");
  equal(
    table,
    [
      "trial  steps  reflection",
      "─────  ─────  ────────────────────",
      "a/0        2",
      'a/0        3  left, "then" right\\n',
      "a/1        0",
      "b/0        2",
      "",
    ].join("\n"),
  );
  const long = await ask(
    "select repeat('ab', 60) x from range(1200)",
    rows,
    "table",
  );
  equal(long.split("\n").length, 1003);
  equal(long.split("\n")[2], "ab".repeat(23) + "a…");
});

Deno.test("query writes Parquet that reads back the same", async () => {
  const sql = "select trial, t, reward from steps";
  const parquet = await import("@duckdb/node-api");
  await ask(sql, rows, "parquet");
  const written = path.join(folder, `${files - 1}.answer`);
  const connection = await parquet.DuckDBConnection.create();
  const reader = await connection.runAndReadAll(
    `select trial, t::int as t, reward from read_parquet('${written}')`,
  );
  deepEqual(reader.getRowObjectsJson(), parsed(await ask(sql, rows)));
  connection.closeSync();
});

Deno.test("query reads nothing but the files named", async (t) => {
  const name = file(rows);
  const victim = path.join(folder, "victim");
  fs.writeFileSync(victim, "1\n");
  const refused = async (sql: string, message: RegExp) => {
    await t.step(sql, async () => {
      const error = await failure(ask(sql, name));
      equal(error._tag, "UsageError");
      match((error as Error).message, message);
    });
  };
  const outside = /Permission Error[^]*only the files named/;
  await refused("select * from read_csv('/etc/passwd')", outside);
  await refused("select * from read_text('/etc/hostname')", outside);
  await refused("select * from glob('/etc/*')", outside);
  await refused(`select * from read_csv('${victim}')`, outside);
  await refused("select * from 'http://localhost/x.csv'", outside);
  const reading = /only SELECT and EXPLAIN are allowed/;
  await refused(`copy (select 2) to '${victim}'`, outside);
  await refused(`copy (select 2) to '${name}' (use_tmp_file false)`, reading);
  await refused(`attach '${victim}.db'`, reading);
  await refused(`export database '${victim}.d'`, outside);
  await refused("install httpfs", reading);
  await refused("load httpfs", reading);
  await refused("set enable_external_access = true", reading);
  await refused("create table x as select 1", reading);
  await refused("select 1; select 2", /one SQL statement expected, found 2/);
  await refused(" -- nothing", /one SQL statement expected, found 0/);
  equal(fs.readFileSync(victim, "utf8"), "1\n");
  deepEqual(parsed(await ask("select count(*) n from trials", name)), [{
    n: 3,
  }]);
});

Deno.test("query store() cannot be made to write elsewhere", async () => {
  const elsewhere = path.join(folder, "elsewhere");
  const sql = `select 1) to '${elsewhere}'; --`;
  equal((await failure(ask(sql, rows, "parquet")))._tag, "UsageError");
  equal(fs.existsSync(elsewhere), false);
});

Deno.test("query says what SQL is wrong, and what there is", async () => {
  const wrong = async (sql: string, message: RegExp) => {
    const error = await failure(ask(sql, rows));
    equal(error._tag, "UsageError");
    match((error as Error).message, message);
  };
  await wrong("selec 1", /syntax error at or near "selec"/);
  await wrong(
    "from trails",
    /trails does not exist[^]*trials, episodes, steps/,
  );
  await wrong("select nope from steps", /"nope" not found[^]*views are/);
  await wrong("select 'x'::int from steps", /Conversion Error/);
});

Deno.test("query names the line that is no row", async () => {
  const text = lines(rows) + lines([rows[0]!]).replace("[0,0.5]", "[0]");
  const name = file(text);
  const error = await failure(ask("select 1", name));
  equal(error._tag, "DataError");
  equal(
    (error as Error).message,
    `${name}: line 4: episodes[0].rewards has 1 entries, expected 2`,
  );
});

toolTest(
  "query leaves nothing behind, done or failed",
  ["bash"],
  () =>
    withFolder(async (folder) => {
      const { out } = await bash(
        folder,
        `mkdir tmp; export TMPDIR=$PWD/tmp
      retrial generate --env dark-room --tasks 9 > in
      retrial query 'select count(*) as n from steps' < in
      retrial query 'from nothing' --output out.csv in; echo $?
      ls -A tmp; ls`,
      );
      equal(out, '{"n":180}\n2\nin\ntmp\n');
    }),
);
