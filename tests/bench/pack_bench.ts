/**
 * `pack` of labelled rows, whole commands with start-up and SHA-256 of both ends,
 * against NumPy; MB of rows a second.
 *
 * @module
 */
import * as fs from "node:fs";
import { child, command, compare, type Contender, report } from "./measure.ts";

const PYTHON = new URL("../../.venv/bin/python", import.meta.url).pathname;
const PEER = new URL("pack.py", import.meta.url).pathname;
const FOLDER = Deno.makeTempDirSync({ prefix: "retrial-bench-" });
const CONTEXT = 240;

const WORLDS = [
  {
    name: "Dark Room, 12 episodes",
    made: "--env dark-room --episodes 12 --tasks 25000 --policy frontier",
    learner: "frontier --reference-param moves=given",
  },
  {
    name: "Frozen Lake, 30 episodes",
    made: "--env frozen-lake --episodes 30 --tasks 15000 --policy frontier",
    learner: "frontier",
  },
];

for (const { name, made, learner } of WORLDS) {
  const rows = `${FOLDER}/rows`;
  await command(
    `generate ${made} --jobs 2 --shards 1 then label --reference ${learner} --out ${rows} --overwrite`,
  )();
  const file = `${rows}/data/train-00000-of-00001.jsonl`;
  const out = `${FOLDER}/packs`;
  const words = `pack --context ${CONTEXT} --label frontier --overwrite`;
  const contenders: Array<Contender> = [{
    name: "pack",
    run: async () =>
      void await child([...words.split(" "), "--out", out, file]),
  }];
  if (fs.existsSync(PYTHON)) {
    const args = [PEER, file, String(CONTEXT), "frontier", FOLDER];
    contenders.push({
      name: "NumPy",
      run: async () => {
        const peer = new Deno.Command(PYTHON, { args, stderr: "piped" });
        const { success, stderr } = await peer.output();
        if (!success) throw new Error(new TextDecoder().decode(stderr));
      },
    });
  }
  const work = fs.statSync(file).size / 1e6;
  report(await compare(name, { work, unit: "MB/s" }, contenders));
}
Deno.removeSync(FOLDER, { recursive: true });
