import { num } from "../params.ts";
import { solutionsOf } from "../planning.ts";
import type { Policy } from "./policy.ts";

/** What labels by the oracle at a discount are called. */
export function oracleName(discount: number): string {
  return `oracle@${discount}`;
}

/**
 * The best action for one who knows the task and discounts what is to come, as
 * if there were no last step: OmniRL's references opt0 to opt3 are those of
 * discounts 0, 0.5, 0.93 and 0.994 (Wang and others 2025, arXiv 2502.02869).
 * Solved exactly; the lowest of equal actions.
 */
export const oracle: Policy = {
  name: "oracle",
  summary: "The best action at a discount, knowing the task",
  params: {
    gamma: {
      default: 0.994,
      min: 0,
      max: 0.999999,
      summary: "Discount; 0 looks one step ahead",
    },
  },
  refuses: ({ table, env }) =>
    table ? undefined : `${env.name} is not a finite MDP`,
  start: ({ table, params, env }) => {
    if (table === undefined) {
      throw new RangeError(`Cannot solve ${env.name}: it is not a finite MDP`);
    }
    const { policy } = solutionsOf(table, [num(params, "gamma")])[0]!;
    // The state of a finite environment is a row of its table.
    return { act: (_, state) => policy[state as number]! };
  },
};
