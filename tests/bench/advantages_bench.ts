/**
 * GRPO and GiGPO over JSONL in memory, against the same estimators written with
 * NumPy and the standard library's `json`, as a process of its own (its start,
 * 0.2 s or so, is part of it).
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import { credit, through } from "../../mod.ts";
import { readFiles } from "../../pipeline/files.ts";
import { command, compare, type Contender, report } from "./measure.ts";

const FOLDER = Deno.makeTempDirSync({ prefix: "retrial-bench-" });
const SCRIPT = new URL("advantages.py", import.meta.url).pathname;
const PYTHON = new URL("../../.venv/bin/python", import.meta.url).pathname;

function ours(file: string, advantage: "none" | "grpo" | "gigpo"): Contender {
  const run = () =>
    readFiles([file]).pipe(
      through(credit, { gamma: 0.95, "gamma-trial": 0, advantage }),
      Stream.runForEach((batch) => Effect.sync(() => batch.release?.())),
      Effect.runPromise,
    );
  return { name: `credit, ${advantage}`, run };
}

function theirs(file: string, estimator: string): Contender {
  const run = async () => {
    const { success } = await new Deno.Command("sh", {
      args: ["-c", `${PYTHON} ${SCRIPT} ${file} ${estimator} > /dev/null`],
    }).output();
    if (!success) throw new Error(`${SCRIPT} failed`);
  };
  return { name: `numpy, ${estimator}`, run };
}

const DATA = [
  "--env frozen-lake --tasks 1500 --samples 8 --episodes 20",
  "--env dark-room --tasks 1500 --samples 8 --episodes 10",
];

for (const words of DATA) {
  const env = words.split(" ")[1]!;
  const out = `${FOLDER}/${env}`;
  const policy = "--policy q-learning --seed 7 --shards 1";
  await command(`generate ${words} ${policy} --out ${out}`)();
  const file = `${out}/data/train-00000-of-00001.jsonl`;
  const work = Deno.statSync(file).size / 1e6;
  const unit = { work, unit: "MB/s" };
  report(
    await compare(`advantages on ${env}`, unit, [
      theirs(file, "grpo"),
      ours(file, "none"),
      ours(file, "grpo"),
    ]),
  );
  report(
    await compare(`advantages on ${env}`, unit, [
      theirs(file, "gigpo"),
      ours(file, "gigpo"),
    ]),
  );
}
Deno.removeSync(FOLDER, { recursive: true });
