/** Models on disk whose policies are known, and what a model says of a history. */
import { deepEqual, ok } from "node:assert/strict";
import * as fs from "node:fs";
import { initialise, type Weights } from "../../kernels/onnx/parameters.ts";
import { openSession } from "../../kernels/onnx/session.ts";
import {
  forwardGraph,
  parametersOf,
  type TransformerConfig,
} from "../../kernels/onnx/transformer.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { encodeSafetensors } from "../../kernels/safetensors.ts";
import type { Episode, Trial } from "../../pipeline/schema.ts";
import { type Ended, retrial, succeeded } from "../shell.ts";

/** A small model; `more` changes it. */
export function modelOf(
  observations: number,
  actions: number,
  more: Partial<TransformerConfig> = {},
): TransformerConfig {
  return {
    observations,
    actions,
    width: 16,
    layers: 1,
    heads: 2,
    context: 64,
    tokens: "step",
    positions: "rotary",
    outputs: ["action"],
    ...more,
  };
}

/** Random weights, so large that what is seen matters. */
export function randomWeights(config: TransformerConfig, seed = "1"): Weights {
  return Object.fromEntries(
    Object.entries(initialise(parametersOf(config), rootKey(seed))).map((
      [name, values],
    ) => [
      name,
      /norm|bias/.test(name) ? values : values.map((x) => 20 * x),
    ]),
  );
}

/** Weights of a model that says `bias` whatever it sees. */
export function constantWeights(
  config: TransformerConfig,
  bias: ReadonlyArray<number>,
): Weights {
  const [head] = config.outputs;
  return Object.fromEntries(
    Object.entries(initialise(parametersOf(config), rootKey("1"))).map((
      [name, values],
    ) => [
      name,
      name === `${head}.bias` ? Float32Array.from(bias) : values.fill(0),
    ]),
  );
}

/**
 * Weights of a model that takes `table[observation]`: a sum of one-hot codes goes
 * through layers of zeros, and the largest comes out.
 */
export function tableWeights(
  config: TransformerConfig,
  table: Readonly<Record<number, number>>,
): Weights {
  const { width, actions } = config;
  const weights = initialise(parametersOf(config), rootKey("1"));
  for (const values of Object.values(weights)) values.fill(0);
  weights["norm.gain"]!.fill(1);
  for (const [observation, action] of Object.entries(table)) {
    weights["embed.observation"]![Number(observation) * width + action] = 1;
  }
  for (let a = 0; a < actions; a++) {
    weights[`${config.outputs[0]}.out`]![a * actions + a] = 1;
  }
  return weights;
}

/** Writes a model as `update` writes the last checkpoint of a run. */
export function writeModel(
  run: string,
  config: TransformerConfig,
  weights: Weights,
): void {
  const folder = `${run}/checkpoint-000007`;
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(`${folder}/config.json`, JSON.stringify(config));
  const tensors = Object.entries(weights).map(([name, data]) =>
    [name, { shape: [data.length], data }] as const
  );
  fs.writeFileSync(
    `${folder}/model.safetensors`,
    encodeSafetensors(Object.fromEntries(tensors)),
  );
}

/** What a model says at each step of a history, by one pass over all of it. */
export async function saidOf(
  config: TransformerConfig,
  weights: Weights,
  episodes: ReadonlyArray<Episode>,
  tag = config.tags,
): Promise<ReadonlyArray<ReadonlyArray<number>>> {
  const { context, actions } = config;
  const session = await openSession(
    forwardGraph(config, { batch: 1, weights }),
  );
  const observation = new Int32Array(context);
  const previousAction = new Int32Array(context).fill(actions);
  const previousReward = new Float32Array(context);
  const previousEnd = new Int32Array(context);
  let at = 0;
  for (const episode of episodes) {
    episode.actions.forEach((action, t) => {
      observation[at++] = episode.observations[t] as number;
      if (at >= context) return;
      previousAction[at] = action as number;
      previousReward[at] = episode.rewards[t]!;
      const isLast = t === episode.actions.length - 1;
      previousEnd[at] = isLast ? episode.terminated ? 1 : 2 : 0;
    });
  }
  if (at > context) {
    throw new RangeError(`${at} steps in a context of ${context}`);
  }
  const said = await session.run({
    observation,
    previousAction,
    previousReward,
    previousEnd,
    ...(config.tags && { tag: new Int32Array(context).fill(tag!) }),
  });
  await session.release();
  const head = said[`head.${config.outputs[0]}`]!;
  return Array.from(
    { length: at },
    (_, i) => Array.from(head.subarray(i * actions, (i + 1) * actions), Number),
  );
}

/** ln of softmax(values / temperature) at `action`. */
export function logSoftmax(
  values: ReadonlyArray<number>,
  temperature: number,
  action: number,
): number {
  const scaled = values.map((x) => x / temperature);
  const total = scaled.reduce((sum, x) => sum + Math.exp(x), 0);
  return scaled[action]! - Math.log(total);
}

/** The trials of standard output. */
export function trialsOf(text: string): ReadonlyArray<Trial> {
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

/** One column of all episodes. */
export function columnOf(
  { episodes }: Pick<Trial, "episodes">,
  name: "actions" | "rewards" | "logprobs",
): ReadonlyArray<number> {
  return episodes.flatMap((episode) => (episode[name] ?? []) as Array<number>);
}

/** Runs a command line. */
export function run(folder: string, text: string): Promise<Ended> {
  return retrial(folder, text.split(" "));
}

/** The trials that `evaluate` makes. */
export async function play(
  folder: string,
  text: string,
): Promise<ReadonlyArray<Trial>> {
  return trialsOf(succeeded(await run(folder, `evaluate ${text}`)));
}

/** Fails where a number is not about as it should be. */
export function near(actual: number, expected: number, tolerance = 2e-6): void {
  ok(Math.abs(actual - expected) <= tolerance, `${actual}, not ${expected}`);
}

/** Plays trials again by their actions: the world must say the same. */
export async function checkReplay(
  folder: string,
  trials: ReadonlyArray<Pick<Trial, "task" | "seed" | "episodes">>,
): Promise<void> {
  const rows = trials.map((trial, i) =>
    JSON.stringify({ ...trial, id: `${i}`, sample: i })
  );
  fs.writeFileSync(`${folder}/again.jsonl`, rows.join("\n") + "\n");
  const again = await run(
    folder,
    "generate --policy replay --policy-param from=again.jsonl",
  );
  deepEqual(
    trialsOf(succeeded(again)).map(({ episodes }) => episodes),
    trials.map(({ episodes }) =>
      episodes.map(({ logprobs: _, ...episode }) => episode)
    ),
  );
}
