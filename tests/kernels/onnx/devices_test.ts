/** What is tested on devices, each in a process of its own. */
import { equal, match } from "node:assert/strict";
import * as path from "node:path";
import { environment, inProcess, isHere } from "./devices.ts";

const FILES = ["session_test.ts", "transformer_test.ts", "training_test.ts"]
  .map((name) => path.join(import.meta.dirname!, name));

for (const device of ["webgpu", "cuda"] as const) {
  const env = environment();
  const here = await isHere(device, env);
  Deno.test({
    name: `state, play and training on ${device}${
      here ? "" : " (skipped: not here)"
    }`,
    ignore: !here,
    async fn() {
      const words = ["test", "--quiet", "--no-check", "--allow-all"];
      const { code, out } = await inProcess(
        [...words, "--filter", `on ${device}`, ...FILES],
        { ...env, TEST_DEVICE: device },
      );
      equal(code, 0, out);
      match(out, / 3 passed/, out);
    },
  });
}
