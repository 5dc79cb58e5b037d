/**
 * `credit` over JSONL in memory, against `JSON.parse`, the same sums, and
 * `JSON.stringify`, a line at a time.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import { credit, through } from "../../mod.ts";
import { readFiles } from "../../pipeline/files.ts";
import { command, compare, report } from "./measure.ts";

const FOLDER = Deno.makeTempDirSync({ prefix: "retrial-bench-" });
const [GAMMA, GAMMA_TRIAL] = [0.95, 0.6];

function creditPlain(line: string): string {
  const row = JSON.parse(line);
  let g = 0;
  for (const episode of row.episodes.toReversed()) {
    const { rewards } = episode;
    const returns = new Array<number>(rewards.length);
    let discount = GAMMA_TRIAL;
    for (let t = rewards.length - 1; t >= 0; t--) {
      returns[t] = g = rewards[t] + discount * g;
      discount = GAMMA;
    }
    episode.returns = returns;
  }
  row.credit = { gamma: GAMMA, gamma_trial: GAMMA_TRIAL, cross: "lamer" };
  return JSON.stringify(row) + "\n";
}

function plain(file: string): number {
  const text = Deno.readTextFileSync(file);
  const encoder = new TextEncoder();
  let bytes = 0;
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at);
    bytes += encoder.encode(creditPlain(text.slice(at, end))).length;
    at = end + 1;
  }
  return bytes;
}

function ours(file: string): Promise<void> {
  return readFiles([file]).pipe(
    through(credit, { gamma: GAMMA, "gamma-trial": GAMMA_TRIAL }),
    Stream.runForEach((batch) => Effect.sync(() => batch.release?.())),
    Effect.runPromise,
  );
}

const DATA: ReadonlyArray<readonly [string, string]> = [
  [
    "credit dark-room random",
    "--env dark-room --tasks 2000 --episodes 100 --policy random",
  ],
  [
    "credit frozen-lake histories",
    "--env frozen-lake --tasks 2000 --episodes 200 --policy q-learning",
  ],
  [
    "credit bandit-gaussian ucb",
    "--env bandit-gaussian --tasks 2000 --episodes 4 --policy ucb",
  ],
];

for (const [title, words] of DATA) {
  const out = `${FOLDER}/${words.split(" ")[1]}`;
  await command(`generate ${words} --seed 7 --shards 1 --out ${out}`)();
  const file = `${out}/data/train-00000-of-00001.jsonl`;
  const work = Deno.statSync(file).size / 1e6;
  report(
    await compare(title, { work, unit: "MB/s" }, [
      { name: "JSON.parse and print", run: () => void plain(file) },
      { name: "retrial credit", run: () => ours(file) },
    ]),
  );
}
Deno.removeSync(FOLDER, { recursive: true });
