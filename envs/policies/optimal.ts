import { optimalActions } from "../planning.ts";
import type { Policy } from "./policy.ts";

/**
 * The best action for one who knows the task, by dynamic programming over its
 * table or from the environment's own `optimal`.
 */
export const optimalPolicy: Policy = {
  name: "optimal",
  summary: "The best action, knowing the task",
  params: {},
  refuses: ({ env }) =>
    env.table || env.optimal ? undefined : `${env.name} has no known optimum`,
  start: ({ env, task }) => {
    const best = optimalActions(env, task);
    if (best === undefined) {
      throw new RangeError(`Cannot play optimally: ${env.name} has no optimum`);
    }
    return { act: (_, state, t) => best(state, t) };
  },
};
