/**
 * The policy `onnx:DIR`: tasks of a plan, played by the model of a run, many
 * trials in step.
 *
 * @module
 */
import type { Policy } from "../../envs/policies/policy.ts";
import { num } from "../../envs/params.ts";
import { drawnTask } from "../draws.ts";
import type { Batches } from "../jsonl.ts";
import type { Model } from "../playing/checkpoint.ts";
import { chooserOf } from "../playing/inputs.ts";
import { playRows, type Running } from "../playing/rows.ts";
import { putTrial } from "../print.ts";
import { faultIn } from "../worlds.ts";
import { type Plan, trialSeeds } from "./plan.ts";

const SCHEME = "onnx:";
/** Trials of a file, where nobody says how many files there are to be. */
const SHARD_TRIALS = 256;

/** The folder that a policy's name names; none where it is no model. */
export function modelNamed(policy: string): string | undefined {
  return policy.startsWith(SCHEME) ? policy.slice(SCHEME.length) : undefined;
}

/** What plans know of a model: its parameters. It has no actor of its own. */
export function modelPolicy({ config }: Model): Policy {
  return {
    name: "onnx",
    summary: "A model that update has trained",
    params: {
      temperature: {
        default: chooserOf(config) === "q" ? 0 : 1,
        min: 0,
        summary: "Of the choice among actions; 0 takes the largest",
      },
      tag: {
        default: -1,
        integer: true,
        min: -1,
        summary: "Tag that each step bears; -1 for none",
      },
      logprobs: {
        default: false,
        summary: "Record ln of the probability that actions were drawn with",
      },
    },
    start: () => {
      throw new TypeError("A model plays many trials in step");
    },
  };
}

/** How many files the trials of a plan are for, one batch of play each. */
export function modelShards({ tasks, samples }: Plan, most: number): number {
  return Math.min(most, Math.ceil(tasks * samples / SHARD_TRIALS));
}

/** Tasks `from` to `to` of a plan. */
export function playModel(
  plan: Plan,
  model: Model,
  from: number,
  to: number,
  { parallel, device, threads }: Running,
): Batches {
  const { samples, policyParams, episodes, env } = plan;
  const { run, checkpoint } = model;
  const { temperature, logprobs } = policyParams;
  const tag = num(policyParams, "tag");
  const params = {
    run,
    checkpoint,
    temperature,
    ...(tag >= 0 && { tag }),
  };
  const policy = JSON.stringify({ name: "onnx", params });
  const seedFor = trialSeeds(plan);
  return playRows({
    origin: "generate",
    model,
    options: {
      parallel,
      temperature: num(policyParams, "temperature"),
      tag: tag >= 0 ? tag : undefined,
      device,
      threads,
    },
    from: from * samples,
    to: to * samples,
    episodes,
    faultOf: (cause) => faultIn(env, cause),
    plan: (trial) => {
      const sample = trial % samples;
      const index = (trial - sample) / samples;
      const drawn = drawnTask(plan, index);
      const { task, row } = drawn;
      const seed = seedFor(index, sample);
      const seat = {
        env,
        task,
        seed,
        episodes,
        steps: plan.steps,
        stopOnSuccess: plan.stopOnSuccess,
        logprobs: logprobs === true,
      };
      return {
        sitting: { seats: [seat] },
        drawn: sample === 0 ? drawn : undefined,
        put: (out, [record]) =>
          putTrial(out, { task: row, sample, seed, policy }, record!),
      };
    },
  });
}
