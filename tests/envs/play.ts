/** Playing episodes by the public interface alone. */
import { type Generator, generator } from "../../kernels/random/generator.ts";
import { foldIn, rootKey } from "../../kernels/random/key.ts";
import { type Action, actionCount, boxOf } from "../../envs/actions.ts";
import { type Environment, isRefusal } from "../../envs/env.ts";
import { resolveParams } from "../../envs/params.ts";
import type { ParamValue } from "../../envs/params.ts";
import type { Policy } from "../../envs/policies/policy.ts";

export type Given = { readonly [name: string]: ParamValue };

export interface Played {
  readonly rewards: Array<number>;
  readonly actions: Array<Action>;
  readonly states: Array<unknown>;
  readonly terminated: boolean;
  readonly success: boolean;
}

/** The first task that `random` gives, and how many draws it took. */
export function draw(
  env: Environment,
  random: Generator,
  given: Given = {},
): { task: unknown; draws: number } {
  const params = resolveParams(env.params, given);
  for (let draws = 1;; draws++) {
    const task = env.sampleTask(random, params);
    if (!isRefusal(task)) return { task, draws };
  }
}

/** A trial of some episodes. */
export function play(
  env: Environment,
  task: unknown,
  policy: Policy,
  given: Given,
  episodes: number,
  seed: number,
): Array<Played> {
  const key = rootKey(seed);
  const table = env.table?.(task);
  const space = env.observations(task);
  const trial = {
    env,
    task,
    table,
    params: resolveParams(policy.params, given),
    actions: actionCount(env.actions(task)),
    box: boxOf(env.actions(task)),
    observations: table
      ? table.observationCount ?? table.states
      : space.kind === "discrete"
      ? space.n
      : 0,
    horizon: env.horizon(task),
    episodes,
    random: generator(foldIn(key, "policy")),
  };
  const refused = policy.refuses?.(trial);
  if (refused !== undefined) throw new RangeError(refused);
  const actor = policy.start(trial);
  const [starts, moves] = ["starts", "moves"].map((name) =>
    generator(foldIn(key, name))
  );
  const see = (state: unknown, observation: unknown) =>
    table?.vectors
      ? table.observation?.[state as number] ?? state as number
      : observation as number;
  return Array.from({ length: episodes }, () => {
    actor.begin?.();
    let at: { state: unknown; observation: unknown } = env.reset(task, starts!);
    const rewards: Array<number> = [];
    const actions: Array<Action> = [];
    const states = [at.state];
    let [terminated, success] = [false, false];
    for (let t = 0; t < trial.horizon && !terminated; t++) {
      const seen = see(at.state, at.observation);
      const action = actor.act(seen, at.state, t);
      const moved = env.step(task, at.state, action, moves!);
      terminated = moved.terminated;
      success ||= moved.success === true;
      const next = see(moved.state, moved.observation);
      actor.learn?.(seen, action, moved.reward, next, terminated);
      rewards.push(moved.reward);
      actions.push(action);
      states.push(moved.state);
      at = moved;
    }
    return { rewards, actions, states, terminated, success };
  });
}

export function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Mean and its standard error. */
export function moments(
  values: ArrayLike<number>,
): { mean: number; se: number } {
  const n = values.length;
  let [mean, square] = [0, 0];
  for (let i = 0; i < n; i++) mean += values[i]! / n;
  for (let i = 0; i < n; i++) square += (values[i]! - mean) ** 2 / (n - 1);
  return { mean, se: Math.sqrt(square / n) };
}
