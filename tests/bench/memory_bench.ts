/**
 * Peak memory of streaming stages over an input of `--gigabytes` (5 if not said).
 *
 * @module
 */
import { child, command } from "./measure.ts";

const given = Deno.args.find((word) => word.startsWith("--gigabytes="));
const GIGABYTES = Number(given?.split("=")[1] ?? 5);
const FOLDER = Deno.makeTempDirSync({ prefix: "retrial-bench-" });
/** Bytes of a Dark Room trial of 100 episodes. */
const ROW = 24_000;

const STAGES: ReadonlyArray<ReadonlyArray<string>> = [
  ["credit"],
  ["filter", "--where", "successes > 10"],
  ["sample", "--fraction", "0.01"],
  ["sample", "--count", "1000"],
  ["split", "--only", "test"],
  ["shuffle"],
  ["sort"],
  ["query", "select episode, avg(return) from episodes group by all"],
];

const tasks = Math.ceil(GIGABYTES * 1e9 / ROW);
await command(
  `generate --env dark-room --tasks ${tasks} --episodes 100 --policy random --seed 7 --jobs 2 --shards 1 --out ${FOLDER}/in`,
)();
const file = `${FOLDER}/in/data/train-00000-of-00001.jsonl`;
const size = Deno.statSync(file).size;
for (const words of STAGES) {
  const { seconds, megabytes } = await child([...words, file]);
  const rate = (size / 1e6 / seconds).toFixed(0);
  const line = `${words.join(" ").slice(0, 40).padEnd(42)} ${
    (size / 1e9).toFixed(2)
  } GB in ${seconds.toFixed(1)} s (${rate} MB/s), peak ${
    megabytes.toFixed(0)
  } MB\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}
Deno.removeSync(FOLDER, { recursive: true });
