/**
 * `generate --jobs 2` against `--jobs 1`: whole commands, start-up and all.
 *
 * @module
 */
import { child, compare, report } from "./measure.ts";

const FOLDER = Deno.makeTempDirSync({ prefix: "retrial-bench-" });

function generate(jobs: number): () => Promise<void> {
  const words = `generate --env dark-room --tasks 40000 --episodes 100 ` +
    `--policy q-learning --seed 7 --jobs ${jobs} --overwrite --out ${FOLDER}/${jobs}`;
  return async () => void await child(words.split(" "));
}

report(
  await compare("generate, 80 M steps", { work: 80, unit: "M steps/s" }, [
    { name: "--jobs 1", run: generate(1) },
    { name: "--jobs 2", run: generate(2) },
  ]),
);
Deno.removeSync(FOLDER, { recursive: true });
