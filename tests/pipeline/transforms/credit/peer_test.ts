/** Advantages of generated rows against numpy's. */
import { ok } from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { checkOptions } from "../../../../pipeline/flags.ts";
import { generate } from "../../../../pipeline/sources/generate.ts";
import { allClose } from "../../../all_close.ts";
import { peerTest, python } from "../../../peers.ts";
import { withFolder } from "../../../shell.ts";
import { collect } from "../../trials.ts";
import { credited, parse } from "./groups.ts";

const ESTIMATORS = [
  { advantage: "grpo", norm: "mean-std" },
  { advantage: "gigpo", norm: "mean" },
  { advantage: "gigpo", norm: "mean-std" },
];

peerTest(
  "GRPO and GiGPO of generated rows are what numpy gives",
  ["numpy"],
  () =>
    withFolder(async (folder) => {
      const file = path.join(folder, "rows.jsonl");
      const options = checkOptions(generate.flags, {
        env: "key-to-door",
        tasks: 6,
        samples: 5,
        episodes: 4,
        policy: "q-learning",
        seed: "5",
      });
      // checkOptions has made them what the flags say.
      const text = await collect(generate.open(options as never, []));
      fs.writeFileSync(file, text);
      const trials = parse(text);
      for (const { advantage, norm } of ESTIMATORS) {
        for (const pool of ["rows", "episodes", "trials"]) {
          const choices = {
            advantage,
            pool,
            norm,
            gamma: 0.95,
            gamma_trial: 0.6,
          };
          const printed = await python("credit_groups_peer.py", [
            file,
            JSON.stringify(choices),
          ]);
          const found = await credited(trials, {
            advantage,
            pool,
            ...advantage === "gigpo" && { norm },
          });
          const wanted: ReadonlyArray<ReadonlyArray<number>> = JSON.parse(
            printed,
          );
          found.forEach(({ episodes }, k) =>
            allClose(
              episodes.flatMap((played) => played.advantages!),
              wanted[k]!,
              1e-7,
            )
          );
          ok(wanted.flat().filter((a) => Math.abs(a) > 0.01).length > 100);
        }
      }
    }),
);
