import { equal, match } from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { portray, visible } from "../../../pipeline/sinks/portrait.ts";
import { showWith } from "../../../pipeline/sinks/show.ts";
const show = showWith();
import { batchesOf, episode, failure, lines, run, trial } from "../trials.ts";

const whole = trial("toy-1", 3, {
  credit: { gamma: 0.5 },
  policy: { name: "greedy", params: { epsilon: 0.3 } },
  episodes: [
    episode([0, 1, -0.5], { success: true, returns: [0.375, 0.75, -0.5] }),
    episode([], { terminated: false, truncated: true }),
    episode([0], {
      observations: ["a door\nand a key", "dark"],
      actions: ["open"],
      success: false,
      reflection: { text: "take the key\nfirst" },
    }),
  ],
});

Deno.test("portray() tells a trial", () => {
  const text = portray(whole, 60, () => "#.G\n");
  equal(
    text,
    `toy-1/3
  env     toy 1  size=9
  task    seed 5
  policy  greedy  epsilon=0.3
  seed    12345678901234567890
  credit  {"gamma":0.5}

    #.G

episode 0  return 0.5  3 steps  terminated, success  credited 0.375
    0 ─0→ 1 ─1+1→ 2 ─2-0.5→ 3
  returns
    0.375 0.75 -0.5

episode 1  return 0  0 steps  truncated
    0

episode 2  return 0  1 step  terminated, failure
    a door
    and a key
  > open
    dark
  reflection
    take the key
    first
`,
  );
});

Deno.test("portray() shows so many steps, and wraps them", () => {
  const long = trial("a", 0, { episodes: [episode(Array(100).fill(0))] });
  match(portray(long, 2), /\n {4}0 ─0→ 1 ─1→ 2 … 98 more\n$/);
  const all = portray(long, 100);
  equal(all.split("\n").every((line) => line.length <= 80), true);
  match(all, /─3→ 100\n$/);
});

Deno.test("visible() leaves nothing that steers a terminal", () => {
  equal(
    visible("a\u001b[31m\n\u009b2J\r\u007f"),
    "a\\u001b[31m\n\\u009b2J\\r\\u007f",
  );
});

/** What the shell gives the stage. */
const input = (words: ReadonlyArray<string>, text: string) => ({
  words,
  files: [],
  rows: batchesOf(text),
});

Deno.test("show says what it does not find", async () => {
  const text = lines([whole]);
  const show1 = (words: ReadonlyArray<string>, text: string) =>
    failure(run(show.run({ steps: 1 }, input(words, text))));
  const none = await show1(["toy-2"], text);
  match((none as Error).message, /Cannot show toy-2: no file, and no trial/);
  const empty = await show1([], "");
  match((empty as Error).message, /there are no rows/);
  const bad = await show1([], "{}\n");
  equal((bad as Error).message, "test.jsonl: line 1: id is missing");
});

const SHOW = `
import * as Effect from "effect/Effect";
import { showWith } from "./pipeline/sinks/show.ts";
const show = showWith();
import { readStdin } from "./pipeline/files.ts";
const input = { words: Deno.args, files: [], rows: readStdin() };
await Effect.runPromise(show.run({ steps: 5 }, input));
`;

/** Runs the stage in a process of its own, for its standard output. */
async function shown(words: ReadonlyArray<string>, text: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", SHOW, ...words],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout);
}

Deno.test("show takes an id, a task's id, a file or nothing", async () => {
  const rows = lines([trial("b", 0), whole, trial("toy-1", 4)]);
  match(await shown([], rows), /^b\/0\n/);
  match(await shown(["toy-1/4"], rows), /^toy-1\/4\n/);
  match(await shown(["toy-1"], rows), /^toy-1\/3\n/);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "show-test-"));
  const file = path.join(folder, "rows.jsonl");
  fs.writeFileSync(file, lines([trial("c", 0)]));
  match(await shown([file], ""), /^c\/0\n/);
  fs.rmSync(folder, { recursive: true });
});
