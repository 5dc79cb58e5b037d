/**
 * The learner of Dark Rooms at any size.
 *
 *     deno task darkroom-dpt --updates 3000 --seed 1
 *
 * @module
 */
import { EXIT, isStageError } from "../../pipeline/errors.ts";
import { type Flags, type Options, parseFlags } from "../../pipeline/flags.ts";
import { say } from "../../pipeline/progress.ts";
import { runSteps } from "../steps.ts";
import { stepsOf } from "./steps.ts";

const flags = {
  "tasks": { type: "count", default: 4000, min: 10, summary: "rooms" },
  "updates": { type: "count", default: 1200, min: 1, summary: "updates" },
  "seed": { type: "count", default: 7, summary: "equal seeds, equal bytes" },
  "out": { type: "text", default: "demo/darkroom-dpt", summary: "folder" },
} as const satisfies Flags;

try {
  const { options } = parseFlags(Deno.args, flags);
  // parseFlags has just made them what the flags say.
  const { out, ...size } = options as unknown as Options<typeof flags>;
  await runSteps(stepsOf({ folder: out, ...size }));
} catch (error) {
  if (!isStageError(error)) throw error;
  say(`darkroom-dpt: ${error.message}\n`);
  Deno.exitCode = EXIT.usage;
}
