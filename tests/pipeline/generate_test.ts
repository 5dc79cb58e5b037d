import { toolTest } from "../tools.ts";
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { environments } from "../../envs/registry.ts";
import type { Trial } from "../../pipeline/schema.ts";
import { bash, retrial, succeeded, withFolder } from "../shell.ts";

function words(text: string): ReadonlyArray<string> {
  return text.split(" ");
}

function rowsOf(text: string): Array<Trial> {
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

function manifest(folder: string) {
  const file = path.join(folder, "manifest.json");
  return JSON.parse(fs.readFileSync(file, "utf8"));
}

/** An environment of somebody else's: it imports nothing. */
const COUNTER = `export default {
  name: "counter",
  version: 3,
  summary: "Count up to a hidden number, then stop",
  params: { most: { default: 6, integer: true, min: 2, summary: "largest" } },
  sampleTask: (random, params) => ({ n: 1 + (random[0] >>> 0) % params.most }),
  observations: () => ({ kind: "text" }),
  actions: () => 2,
  horizon: () => 9,
  reset: () => ({ state: 0, observation: "none «0»" }),
  step: (task, state, action) => {
    const next = state + action;
    return {
      state: next,
      observation: \`\${next}\\n\u2028\`,
      reward: action === 1 ? 0.25 : -0.5,
      terminated: next === task.n,
      success: next === task.n,
      valid: action === 1,
    };
  },
};
`;

/** The same with one member another. */
function spoilt(member: string, value: string): string {
  return COUNTER.replace(/\};\n$/, `  ${member}: ${value},\n};\n`);
}

/** Runs `use` in a folder that holds `my_env.ts`. */
function withEnvironment(
  text: string,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  return withFolder(async (folder) => {
    fs.writeFileSync(path.join(folder, "my_env.ts"), text);
    await use(folder);
  });
}

const PLAY = words(
  "generate --env ./my_env.ts --tasks 9 --episodes 2 --seed 3",
);

Deno.test("generate() plays an environment by path, whatever --jobs is", () =>
  withEnvironment(COUNTER, async (folder) => {
    const out = succeeded(await retrial(folder, PLAY));
    const rows = rowsOf(out);
    equal(rows.length, 9);
    for (const { task, episodes } of rows) {
      equal(task.env, "counter");
      equal(task.version, 3);
      deepEqual(task.params, { most: 6 });
      for (
        const { observations, actions, rewards, valid, success } of episodes
      ) {
        const counts = actions.reduce<Array<number>>(
          (sums, action) => [...sums, sums.at(-1)! + Number(action)],
          [0],
        );
        deepEqual(
          observations,
          counts.map((n, t) => t === 0 ? "none «0»" : `${n}\n\u2028`),
        );
        deepEqual(rewards, actions.map((action) => action === 1 ? 0.25 : -0.5));
        const legal = actions.map((action) => action === 1);
        // The column is there where some action was not legal.
        if (valid) deepEqual(valid, legal);
        else ok(episodes.every((e) => e.actions.every((a) => a === 1)));
        equal(typeof success, "boolean");
      }
    }
    ok(rows.some(({ episodes }) => episodes[0]!.valid?.includes(false)));
    for (const jobs of ["1", "2"]) {
      const flags = ["--jobs", jobs, "--out", `d${jobs}`];
      succeeded(await retrial(folder, [...PLAY, ...flags]));
      succeeded(await retrial(folder, ["replay", `d${jobs}`]));
    }
    const piped = await retrial(folder, [...PLAY, "--jobs", "2"]);
    equal(succeeded(piped), out);
    deepEqual(manifest(`${folder}/d2`), manifest(`${folder}/d1`));
    equal(manifest(`${folder}/d1`).recipe.inputs[0].file, "../my_env.ts");
    // Another environment under the same name is another dataset.
    fs.appendFileSync(path.join(folder, "my_env.ts"), "// more\n");
    const { code, err } = await retrial(folder, [...PLAY, "--out", "d1"]);
    equal(code, 2);
    match(err, /input \.\.\/my_env\.ts changed/);
  }));

const faulty: ReadonlyArray<readonly [string, string, RegExp]> = [
  ["that is no module", "export default {", /Cannot load .*my_env\.ts/],
  ["that throws", 'throw new Error("early");', /Cannot load .*early/],
  ["without default export", "export const env = 1;", /as an environment/],
  ["without a step", COUNTER.replace("step:", "stop:"), /as an environment/],
  ["without params", COUNTER.replace("params:", "parms:"), /as an environment/],
  [
    "with rewards that are no numbers",
    COUNTER.replace("0.25", "0 / 0"),
    /counter.*reward.*NaN/,
  ],
  [
    "with observations outside of its space",
    spoilt("observations", '() => ({ kind: "discrete", n: 3 })'),
    /counter.*observation/,
  ],
  [
    "with observations below 0",
    spoilt("observations", '() => ({ kind: "discrete", n: 3 })')
      .replace('"none «0»"', "-1"),
    /counter.*observation/,
  ],
  [
    "whose sampler refuses everything",
    spoilt("sampleTask", '() => ({ refused: "no luck" })'),
    /Cannot draw a task of counter: 1000000 draws refused \(no luck/,
  ],
];

for (const [what, text, why] of faulty) {
  Deno.test(`generate() says what is wrong with an environment ${what}`, () =>
    withEnvironment(text, async (folder) => {
      for (const jobs of ["1", "2"]) {
        const { code, out, err } = await retrial(folder, [
          ...PLAY,
          "--jobs",
          jobs,
        ]);
        equal(code, 65, err);
        match(err, why);
        equal(out, "");
      }
    }));
}

toolTest("generate() with policy replay plays recorded trials again", [
  "bash",
  "jq",
], () =>
  withFolder(async (folder) => {
    const said = await bash(
      folder,
      `set -e -o pipefail
      for env in dark-room-permuted frozen-lake-gym bandit-drift tabular-mdp; do
        retrial generate --env $env --tasks 5 --samples 2 --episodes 3 --seed 8 > a
        retrial generate --policy replay --policy-param from=a > b
        cmp <(jq -c 'del(.policy)' a) <(jq -c 'del(.policy)' b)
        jq -r .policy.params.of b | sort -u
      done
      retrial generate --policy replay --policy-param from=a --out d
      retrial replay d
      cmp b d/data/*.jsonl
      retrial generate --policy replay --policy-param from=d --out e
      retrial replay e
      cmp <(jq -c 'del(.policy)' a) <(jq -c 'del(.policy)' e/data/*.jsonl)`,
    );
    equal(succeeded(said), "random\n".repeat(4));
  }));

Deno.test("generate() with policy replay tells trials that no longer go that way", () =>
  withFolder(async (folder) => {
    const room = words("generate --env dark-room --tasks 2 --episodes 1");
    const [first, second] = succeeded(await retrial(folder, room)).split("\n");
    const changed = (change: (trial: Trial) => unknown) => {
      const text = JSON.stringify(change(JSON.parse(second!)));
      fs.writeFileSync(path.join(folder, "a"), `${first}\n${text}\n`);
      return retrial(folder, [
        "generate",
        "--policy",
        "replay",
        "--policy-param",
        "from=a",
      ]);
    };
    const refused = async (change: (trial: Trial) => unknown, why: RegExp) => {
      const { code, err } = await changed(change);
      equal(code, 65, err);
      match(err, why);
      match(err, /a: line 2: /);
    };
    const longer = (trial: Trial) => {
      const [{ observations, actions, rewards, ...rest }] = [
        trial.episodes[0]!,
      ];
      return {
        ...trial,
        episodes: [{
          ...rest,
          observations: [...observations, 0],
          actions: [...actions, 0],
          rewards: [...rewards, 0],
        }],
      };
    };
    await refused(longer, /actions has 21 entries.*ended it after 20/);
    await refused(
      (trial) => ({ ...trial, task: { ...trial.task, env: "dark-cellar" } }),
      /dark-cellar, which is not known/,
    );
    await refused(
      (trial) => ({ ...trial, task: { ...trial.task, version: 2 } }),
      /task\.version is 2/,
    );
    await refused(({ seed: _, ...trial }) => trial, /seed is missing/);
    equal((await changed((trial) => trial)).code, 0);
  }));

Deno.test("generate() names each task once, and its samples share it", () =>
  withFolder(async (folder) => {
    const plan = words(
      "generate --env dark-room --tasks 60 --samples 3 --seed 2",
    );
    const rows = rowsOf(succeeded(await retrial(folder, plan)));
    equal(rows.length, 180);
    equal(new Set(rows.map(({ id }) => id)).size, 180);
    equal(new Set(rows.map(({ seed }) => seed)).size, 180);
    equal(new Set(rows.map(({ task }) => task.id)).size, 60);
    rows.forEach(({ id, task, sample }, i) => {
      equal(sample, i % 3);
      equal(id, `${task.id}/${sample}`);
      deepEqual(task, rows[i - sample]!.task);
    });
    // 60 draws of 81 cells: some problem came twice, under two ids.
    ok(new Set(rows.map(({ task }) => task.world)).size < 60);
    const other = rowsOf(
      succeeded(await retrial(folder, [...plan, "--policy", "optimal"])),
    );
    deepEqual(
      other.map(({ task, seed }) => [task, seed]),
      rows.map(({ task, seed }) => [task, seed]),
      "tasks and seeds do not depend on who plays",
    );
  }));

Deno.test("generate() never draws the same lake twice", () =>
  withFolder(async (folder) => {
    const plan = words(
      "generate --env frozen-lake --param max-size=3 --param min-hops=2 --tasks 60",
    );
    const rows = rowsOf(succeeded(await retrial(folder, plan)));
    equal(new Set(rows.map(({ task }) => task.world)).size, 60);
  }));

for (const env of ["dark-room", "frozen-lake", "bandit-gaussian"]) {
  Deno.test(`generate() adds tasks of ${env} behind those that were there`, () =>
    withFolder(async (folder) => {
      const plan = words(`generate --env ${env} --episodes 2 --seed 6 --tasks`);
      const [ten, twenty] = await Promise.all(
        ["10", "20"].map(async (n) =>
          succeeded(await retrial(folder, [...plan, n]))
        ),
      );
      equal(twenty!.slice(0, ten!.length), ten);
      const out = ["20", "--shards", "7", "--out", "d"];
      succeeded(await retrial(folder, [...plan, ...out]));
      const data = path.join(folder, "d/data");
      const files = fs.readdirSync(data).sort();
      equal(files.length, 7);
      const read = (name: string) =>
        fs.readFileSync(path.join(data, name), "utf8");
      equal(files.map(read).join(""), twenty, "shards in order are the stream");
      const seeded = await retrial(folder, [...plan, "10", "--episodes", "3"]);
      equal(seeded.code, 2, "a flag given twice is refused");
    }));
}

Deno.test("the manifest counts the draws that rows tell of", () =>
  withFolder(async (folder) => {
    const plan = words(
      "generate --env frozen-lake --tasks 40 --samples 2 --episodes 2 --shards 5",
    );
    for (const jobs of ["1", "2"]) {
      const all = [...plan, "--jobs", jobs, "--out", jobs];
      succeeded(await retrial(folder, all));
    }
    const { totals, acceptance, shards } = manifest(path.join(folder, "2"));
    deepEqual(manifest(path.join(folder, "1")).totals, totals);
    const rows = rowsOf(succeeded(await retrial(folder, plan.slice(0, -2))));
    const drawn = rows.filter(({ sample }) => sample === 0)
      .map(({ task }) => task.draws ?? 1);
    const sum = (list: ReadonlyArray<number>) =>
      list.reduce((a, b) => a + b, 0);
    equal(totals.rows, 80);
    equal(totals.tasks, 40);
    equal(totals.draws, sum(drawn));
    equal(sum(Object.values(totals.refusals)), sum(drawn) - 40);
    equal(acceptance, Number((40 / sum(drawn)).toPrecision(6)));
    ok(acceptance < 0.5, "many were refused");
    equal(
      totals.steps,
      sum(
        rows.flatMap(({ episodes }) => episodes.map((e) => e.actions.length)),
      ),
    );
    const part = (name: string) =>
      sum(
        shards.map(({ counts }: { counts: Record<string, number> }) =>
          counts[name]
        ),
      );
    for (const name of ["rows", "steps", "tasks", "draws"]) {
      equal(part(name), totals[name], name);
    }
    equal(
      sum(shards.map(({ bytes }: { bytes: number }) => bytes)),
      totals.bytes,
    );
  }));

/** Reads rows as others do, and holds columns against each other. */
const READER = `
import json, math, sys
def refuse(name): raise ValueError(name)
def is_action(a):
    # Vectors are written in six decimals at most.
    return type(a) is int or type(a) is list and all(round(x, 6) == x for x in a)
for line in open(sys.argv[1], "rb").read().split(b"\\n")[:-1]:
    row = json.loads(line.decode("utf-8"), parse_constant=refuse)
    assert row["schema"] == "retrial/trial@1"
    assert row["id"] == row["task"]["id"] + "/" + str(row["sample"])
    assert 0 <= int(row["seed"]) < 2**64 and 0 <= int(row["task"]["seed"]) < 2**64
    for episode in row["episodes"]:
        steps = len(episode["actions"])
        assert len(episode["rewards"]) == steps > 0
        assert len(episode["observations"]) == steps + 1
        assert all(is_action(a) for a in episode["actions"])
        assert all(math.isfinite(r) for r in episode["rewards"])
        assert episode["terminated"] != episode["truncated"]
    # Equal data is equal bytes: only the separators are ours to choose.
    assert json.loads(line) == json.loads(json.dumps(row))
print("fine")
`;

toolTest(
  "Python reads the rows of every environment",
  ["python3"],
  () =>
    withFolder(async (folder) => {
      const file = path.join(folder, "rows");
      for (const { name } of environments) {
        const plan = words(`generate --env ${name} --tasks 3 --episodes 2`);
        fs.appendFileSync(file, succeeded(await retrial(folder, plan)));
      }
      const args = ["-c", READER, file];
      equal(execFileSync("python3", args, { encoding: "utf8" }), "fine\n");
      const text = fs.readFileSync(file, "utf8");
      equal(rowsOf(text).length, 3 * environments.length);
      equal(
        rowsOf(text).map((row) => JSON.stringify(row) + "\n").join(""),
        text,
      );
      notEqual(text, "");
    }),
);

Deno.test("generate() --steps begins no episode after so many", () =>
  withFolder(async (folder) => {
    const flags = "--env frozen-lake --tasks 20 --policy random --seed 4";
    const play = async (more: string) =>
      rowsOf(
        succeeded(await retrial(folder, words(`generate ${flags} ${more}`))),
      );
    const long = await play("--episodes 200");
    const cut = await play("--steps 60");
    const few = await play("--steps 60 --episodes 2");
    cut.forEach(({ episodes }, i) => {
      // Random play knows nothing of how many there will be.
      deepEqual(episodes, long[i]!.episodes.slice(0, episodes.length));
      const steps = episodes.map(({ actions }) => actions.length);
      const all = steps.reduce((a, b) => a + b);
      ok(all >= 60 && all - steps.at(-1)! < 60);
      deepEqual(few[i]!.episodes, episodes.slice(0, 2));
    });
  }));
