/**
 * OmniRL's data at any size: new AnyMDP tasks, its mixture of behaviours, a label
 * at each step, and a page that says what came out.
 *
 *     deno task anymdp-omnirl --scale fast --out omnirl
 *
 * @module
 */
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { run } from "../../mod.ts";
import { BEHAVIOURS } from "../../envs/policies/omnirl.ts";
import { EXIT } from "../../pipeline/errors.ts";
import type { Flags, Options } from "../../pipeline/flags.ts";
import { say } from "../../pipeline/progress.ts";
import { script } from "../script.ts";
import { statisticsPage } from "./page.ts";
import { type Scale, SCALES } from "./scales.ts";
import { type Played, type Scores, scoresOf } from "./scores.ts";

const flags = {
  "scale": {
    type: "text",
    default: "fast",
    choices: Object.keys(SCALES),
    summary: "fast, or the paper's small, large or long",
  },
  "tasks": { type: "count", min: 1, summary: "tasks, other than the scale's" },
  "steps": { type: "count", min: 100, summary: "steps of each trial" },
  "states": { type: "count", min: 1, summary: "states of each task" },
  "min-states": { type: "count", summary: "fewest states, drawn up to states" },
  "seed": { type: "text", default: "0", summary: "equal seeds, equal bytes" },
  "jobs": { type: "count", default: 2, min: 1, summary: "workers" },
  "shards": { type: "count", min: 1, summary: "files; one for 1,000 tasks" },
  "compress": {
    type: "text",
    default: "none",
    choices: ["none", "gz", "zst"],
    summary: "pack the files",
  },
  "out": { type: "text", default: "demo/anymdp-omnirl", summary: "folder" },
  "overwrite": { type: "switch", summary: "replace another set in the folder" },
  "scored": {
    type: "count",
    default: 32,
    min: 2,
    summary: "other tasks on which each behaviour is scored",
  },
} as const satisfies Flags;

/** Trials longer than this are scored on their first steps. */
const SCORED_STEPS = 20_000;
const MARK = "\n<!-- statistics -->\n";

/** The scale that is named, with what is asked for instead. */
function scaleOf(options: Options<typeof flags>): Scale {
  const named = SCALES[options.scale as keyof typeof SCALES];
  return {
    tasks: options.tasks ?? named.tasks,
    steps: options.steps ?? named.steps,
    states: options.states ?? named.states,
    minStates: options["min-states"] ??
      (options.states === undefined ? named.minStates : 0),
  };
}

/** Parameters of the tasks. Three decimals: rows a third smaller when packed. */
function paramsOf({ states, minStates }: Scale): ReadonlyArray<string> {
  return [
    `states=${states}`,
    `min-states=${minStates}`,
    "reward-decimals=3",
  ];
}

function commandOf(
  scale: Scale,
  { seed, jobs, shards, compress, out, overwrite }: Options<typeof flags>,
): ReadonlyArray<string> {
  return [
    ..."generate --env anymdp".split(" "),
    ...paramsOf(scale).flatMap((param) => ["--param", param]),
    ...`--tasks ${scale.tasks} --steps ${scale.steps}`.split(" "),
    ...`--policy omnirl --policy-param steps=${scale.steps}`.split(" "),
    ...`--seed ${seed} --jobs ${jobs}`.split(" "),
    ...`--shards ${shards ?? Math.ceil(scale.tasks / 1000)}`.split(" "),
    ..."then label --reference oracle --gamma 0.994 --baselines".split(" "),
    ...["--out", out],
    ...(compress === "none" ? [] : ["--compress", compress]),
    ...(overwrite ? ["--overwrite"] : []),
  ];
}

/** Each behaviour alone, and what stands above, beside and below them. */
async function scoreAll(
  scale: Scale,
  { seed, scored }: Options<typeof flags>,
): Promise<ReadonlyArray<readonly [name: string, odds: string, Scores]>> {
  const steps = Math.min(scale.steps, SCORED_STEPS);
  const common = {
    params: paramsOf(scale),
    tasks: scored,
    steps,
    // Other tasks than those of the data.
    seed: String(BigInt(seed) ^ 0x5c0e5n),
  };
  const alone = (i: number): Played => ({
    ...common,
    policy: "omnirl",
    policyParams: [
      `weights=${BEHAVIOURS.map((_, j) => Number(i === j)).join(",")}`,
      "switching=0",
      `steps=${scale.steps}`,
    ],
  });
  const plain = (policy: string): Played => ({
    ...common,
    policy,
    policyParams: policy === "omnirl" ? [`steps=${scale.steps}`] : [],
  });
  const asked: ReadonlyArray<readonly [string, string, Played]> = [
    ...BEHAVIOURS.map(([name, odds], i) => [name, odds, alone(i)] as const),
    ["the mixture", "", plain("omnirl")],
    ["uniform play", "", plain("random")],
    ["best with the steps that are left", "", plain("optimal")],
  ];
  const made = [];
  for (const [name, odds, played] of asked) {
    made.push([name, odds, await scoresOf(played)] as const);
  }
  return made;
}

/** The card of the dataset, with the statistics behind what it said. */
function writeCard(out: string, page: string): void {
  const file = `${out}/README.md`;
  const card = existsSync(file) ? readFileSync(file, "utf8") : "";
  writeFileSync(file, card.split(MARK)[0] + MARK + page);
}

async function main(options: Options<typeof flags>): Promise<number> {
  const scale = scaleOf(options);
  const command = commandOf(scale, options);
  say(`retrial ${command.join(" ")}\n`);
  const started = performance.now();
  const exit = await Effect.runPromiseExit(run(command));
  if (Exit.isFailure(exit)) throw Cause.squash(exit.cause);
  const seconds = (performance.now() - started) / 1000;
  say(`made in ${seconds.toFixed(1)} s; now scoring each behaviour\n`);
  const page = statisticsPage(
    options.out,
    scale,
    await scoreAll(scale, options),
  );
  writeCard(options.out, page);
  Deno.stdout.writeSync(new TextEncoder().encode(page));
  return EXIT.done;
}

await script(
  "anymdp-omnirl",
  "OmniRL's data, labelled, with its statistics",
  flags,
  main,
);
