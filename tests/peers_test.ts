import { toolTest } from "./tools.ts";
import { deepEqual, equal, ok } from "node:assert/strict";
import * as path from "node:path";
import { peerTest, python } from "./peers.ts";
import { bash, succeeded, withFolder } from "./shell.ts";

/** What jq finds in the shards of a split. */
const TOTALS = `[inputs] | {
  rows: length,
  steps: [.[].episodes[].actions | length] | add,
  rewards: [.[].episodes[].rewards[]] | add,
  first: .[0].id
}`;

for (const packing of ["none", "gz", "zst"]) {
  const unpack = { none: "cat", gz: "zcat", zst: "zstdcat" }[packing]!;
  peerTest(
    `Hugging Face datasets loads a folder, --compress ${packing}`,
    ["datasets", "zstandard"],
    () =>
      withFolder(async (folder) => {
        succeeded(
          await bash(
            folder,
            `retrial generate --env frozen-lake --tasks 40 --episodes 6 --policy q-learning --seed 1 --shards 3 --out lake
            retrial split lake --parts train=0.7,test=0.3 --compress ${packing} --out split`,
          ),
        );
        const found = JSON.parse(
          await python("hugging_face.py", [path.join(folder, "split")]),
        );
        for (const split of ["train", "test"]) {
          const script = `${unpack} split/data/${split}-* | jq -nc '${TOTALS}'`;
          const expected = succeeded(await bash(folder, script));
          deepEqual(found[split], JSON.parse(expected));
        }
      }),
  );
}

for (const cross of ["lamer", "paper"]) {
  peerTest(
    `credit --cross ${cross} is numpy's`,
    ["numpy"],
    () =>
      withFolder(async (folder) => {
        succeeded(
          await bash(
            folder,
            `retrial generate --env key-to-door --tasks 20 --episodes 7 --policy epsilon-greedy --seed 2 \
            then credit --gamma 0.93 --gamma-trial 0.7 --cross ${cross} > rows`,
          ),
        );
        const file = path.join(folder, "rows");
        const worst = Number(
          await python("discounts.py", [file, "0.93", "0.7", cross]),
        );
        ok(worst < 1e-8, `${worst}`);
      }),
  );
}

toolTest("generate writes lines that jq reads, of every environment", [
  "bash",
  "jq",
], () =>
  withFolder(async (folder) => {
    const { environments } = await import("../envs/registry.ts");
    for (const { name } of environments) {
      const script = `retrial generate --env ${name} --tasks 2 --episodes 2 |
        jq -c '[.episodes[] | (.observations | length) - (.actions | length)]'`;
      equal(succeeded(await bash(folder, script)), "[1,1]\n[1,1]\n", name);
    }
  }));
