/**
 * What a learner would have done at each step, had it seen the trial so far.
 *
 * @module
 */
import { type Action, roundAction } from "../../../envs/actions.ts";
import type { Environment } from "../../../envs/env.ts";
import { type Params, resolveParams } from "../../../envs/params.ts";
import type { Policy } from "../../../envs/policies/policy.ts";
import { references } from "../../../envs/policies/references.ts";
import { emptyRecord, type TrialRecord } from "../../../envs/rollout.ts";
import { generator } from "../../../kernels/random/generator.ts";
import { foldIn, rootKey } from "../../../kernels/random/key.ts";
import { parseRow } from "../../jsonl.ts";
import { playAgain } from "../../replaying.ts";
import { Malformed, type RowIndex } from "../../scan.ts";
import type { Trial } from "../../schema.ts";
import type { Labels } from "./references.ts";
import { checkSeen } from "./states.ts";

/** A policy that learns from what others do. */
export interface Learner {
  readonly policy: Policy;
  readonly params: Params;
}

/** The policies that can be asked, by name. */
export const LEARNERS: ReadonlyArray<string> = references.map(({ name }) =>
  name
).filter((name) => name !== "optimal" && name !== "oracle");

export function learnerOf(
  name: string,
  given: { readonly [name: string]: string },
): Learner {
  const policy = references.find((policy) => policy.name === name)!;
  return { policy, params: resolveParams(policy.params, given) };
}

/** Played again, the trial must pay what its row says: it is learned from. */
function checkPaid({ episodes }: Trial, { rewards, ends }: TrialRecord): void {
  episodes.forEach((episode, e) => {
    const first = e === 0 ? 0 : ends[e - 1]!;
    episode.rewards.forEach((reward, t) => {
      const paid = rewards[first + t];
      if (paid === reward) return;
      throw new Malformed(
        `episodes[${e}].rewards[${t}] is ${reward}, and played again it is ${paid}`,
      );
    });
  });
}

/** The labels of one learner on the trials of a task. */
export function learnerOn(
  env: Environment,
  task: unknown,
  { policy, params }: Learner,
): (row: RowIndex) => Labels {
  const record = emptyRecord();
  return (row) => {
    const trial = parseRow(row);
    const labels: Array<Array<Action>> = [];
    playAgain(env, task, trial, record, (given) => {
      const why = policy.refuses?.({ ...given, params });
      if (why !== undefined) {
        throw new Malformed(`task.env is ${env.name}: ${policy.name}: ${why}`);
      }
      // Not the stream of the policy that played, which may be the same one.
      const key = foldIn(rootKey(trial.seed!), "label", policy.name);
      const actor = policy.start({ ...given, params, random: generator(key) });
      return {
        ...actor,
        begin: () => {
          labels.push([]);
          actor.begin?.();
        },
        act: (observation, state, t) => {
          const action = actor.act(observation, state, t);
          const { box } = given;
          labels.at(-1)!.push(
            box ? roundAction(box, action as ReadonlyArray<number>) : action,
          );
          return action;
        },
      };
    });
    checkSeen(trial, record);
    checkPaid(trial, record);
    return labels;
  };
}
