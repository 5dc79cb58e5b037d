/**
 * Tests of in-context learners as papers run them, each a setting of `evaluate`'s
 * own flags: those of Rentschler and Roberts 2025 (arXiv 2501.14176, section 4) on
 * parametric Frozen Lake, greedy, with the ramp of forced exploration over the
 * first 20 episodes.
 *
 * @module
 */
import type { Environment } from "../../envs/env.ts";
import { TERMINATED, TRUNCATED } from "../../envs/rollout.ts";
import { generator } from "../../kernels/random/generator.ts";
import { rootKey } from "../../kernels/random/key.ts";
import { UsageError } from "../errors.ts";
import type { Prompt } from "../playing/player.ts";
import type { EvaluateOptions } from "./evaluate_flags.ts";

/** What a protocol sets. */
export interface Preset {
  readonly env: string;
  readonly param: ReadonlyArray<string>;
  readonly tasks: number;
  readonly episodes: number;
  readonly warmUp: number;
  readonly change?: number;
  /** States of episodes that the model is shown, from step to step. */
  readonly paths?: ReadonlyArray<ReadonlyArray<number>>;
}

function lakes(smallest: number, largest: number) {
  return {
    env: "frozen-lake",
    param: [
      `min-size=${smallest}`,
      `max-size=${largest}`,
      "hole=0.2",
      "start=0.1",
      "goal=0.1",
      "min-hops=4",
    ],
    tasks: 50,
  };
}

const PRESETS = {
  "in-distribution": { ...lakes(3, 5), episodes: 30, warmUp: 20 },
  "out-of-distribution": { ...lakes(6, 7), episodes: 30, warmUp: 20 },
  "non-stationary": { ...lakes(3, 5), episodes: 60, warmUp: 20, change: 30 },
  "stitching": {
    env: "frozen-lake-map",
    param: [],
    tasks: 1,
    episodes: 5,
    warmUp: 0,
    paths: [[2, 6, 10, 14, 18, 22], [8, 9, 10, 11]],
  },
} as const satisfies { readonly [name: string]: Preset };

export const PROTOCOLS: { readonly [name: string]: Preset } = PRESETS;

/** What is to be played, whatever said so. */
export interface Setting {
  /** Absent where tasks are those of rows. */
  readonly env: string | undefined;
  readonly param: ReadonlyArray<string>;
  readonly tasks: number;
  readonly episodes: number;
  readonly samples: number;
  /** Absent: as the model has it. */
  readonly temperature: number | undefined;
  readonly warmUp: number;
  readonly change: number | undefined;
  readonly paths: Preset["paths"];
}

function wrong(why: string): UsageError {
  return new UsageError({ message: `Cannot evaluate ${why}` });
}

/** A protocol, and what flags beside it change; or flags alone. */
export function settingOf(options: EvaluateOptions): Setting {
  const { protocol, env, param, tasks, change } = options;
  const preset = protocol === undefined ? undefined : PROTOCOLS[protocol];
  const episodes = options.episodes ?? preset?.episodes;
  if (episodes === undefined) {
    throw wrong("without --episodes, or a --protocol");
  }
  if (preset?.paths && env !== undefined) {
    throw wrong(`${protocol} in --env ${env}: it has a map of its own`);
  }
  if (!preset && env === undefined && (tasks !== undefined || param.length)) {
    throw wrong("with --tasks or --param without --env or --protocol");
  }
  if (!preset && env !== undefined && tasks === undefined) {
    throw wrong(`in --env ${env} without --tasks`);
  }
  const setting = {
    env: env ?? preset?.env,
    // Parameters are those of one environment.
    param: env === undefined || env === preset?.env
      ? [...preset?.param ?? [], ...param]
      : param,
    tasks: tasks ?? preset?.tasks ?? 0,
    episodes,
    samples: options.samples ?? 1,
    temperature: options.temperature ?? (preset && 0),
    warmUp: options["warm-up"] ?? preset?.warmUp ?? 0,
    change: change ?? preset?.change,
    paths: options.prompt === undefined ? preset?.paths : undefined,
  };
  if (setting.change !== undefined && setting.change >= episodes) {
    throw wrong(
      `a change after episode ${setting.change} of ${episodes}`,
    );
  }
  if (options["restart-warm-up"] && !(setting.change && setting.warmUp)) {
    throw wrong("with --restart-warm-up without --change and --warm-up");
  }
  return setting;
}

/** Episodes that go through states one after the other, as steps. */
export function walked(
  env: Environment,
  task: unknown,
  paths: NonNullable<Preset["paths"]>,
): Prompt {
  const observations: Array<number> = [];
  const actions: Array<number> = [];
  const rewards: Array<number> = [];
  const ends: Array<number> = [];
  // Nothing on these maps is left to chance.
  const random = generator(rootKey("0"));
  for (const path of paths) {
    path.slice(1).forEach((to, i) => {
      const from = path[i]!;
      const count = env.actions(task) as number;
      for (let action = 0; action < count; action++) {
        const { state, reward, terminated } = env.step(
          task,
          from,
          action,
          random,
        );
        if (state !== to) continue;
        observations.push(from);
        actions.push(action);
        rewards.push(reward);
        // A path that goes no further is cut there.
        const isLast = i === path.length - 2;
        ends.push(terminated ? TERMINATED : isLast ? TRUNCATED : 0);
        return;
      }
      throw new RangeError(
        `No action of ${env.name} leads from ${from} to ${to}`,
      );
    });
  }
  return { observations, actions, rewards, ends };
}
