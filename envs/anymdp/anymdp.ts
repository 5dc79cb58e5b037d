import type { Params } from "../params.ts";
import { num } from "../params.ts";
import { defineTabular } from "../tabular.ts";
import { type Frame, sampleAnyMdp, type Wanted } from "./sample.ts";
import { tableOf } from "./table.ts";
import type { AnyMdpTask } from "./task.ts";

/** The parameters that the environments of this family share. */
export const PARAMS = {
  states: {
    default: 16,
    integer: true,
    min: 1,
    max: 1024,
    summary: "Number of states; 1 is a bandit",
  },
  actions: {
    default: 5,
    integer: true,
    min: 2,
    max: 32,
    summary: "Number of actions",
  },
  "min-states": {
    default: 0,
    integer: true,
    min: 0,
    max: 1024,
    summary: "Fewest states in use; 0 for all",
  },
  "kernel-width": {
    default: "state",
    choices: ["state", "action"],
    summary: "One kernel width a state (program) or an action (paper)",
  },
  "ergodicity": {
    default: 0,
    min: 0,
    max: 1,
    summary:
      "Most that a start may matter after an episode (paper); 0: no test",
  },
  "reward-decimals": {
    default: 6,
    integer: true,
    min: 0,
    max: 6,
    summary: "Decimals that rewards are paid in",
  },
} as const;

/** What parameters ask the sampler for. */
export function wantedOf(params: Params): Wanted {
  return {
    states: num(params, "states"),
    actions: num(params, "actions"),
    minStates: num(params, "min-states"),
    widthEach: params["kernel-width"] === "action",
    memory: num(params, "ergodicity") || Infinity,
    rewardParts: 10 ** num(params, "reward-decimals"),
  };
}

/**
 * Randomised worlds (Wang and others 2025, "Towards large-scale in-context
 * reinforcement learning by meta-training in randomized worlds", arXiv
 * 2502.02869): states have a hidden order in which value rises; actions lead a
 * bounded way back or ahead in it, so that uniform play hardly ever comes to the
 * top. With `min-states`, the number in use is drawn from there to `states`.
 *
 * Tasks are drawn as the paper's program draws them: one kernel width for each
 * state, where the paper has one for each action. Below 8 states the test of
 * spread is eased, since it could not be passed. Nothing counts as solved.
 */
export const anymdp = defineTabular<AnyMdpTask>({
  name: "anymdp",
  version: 1,
  summary: "A random world where value rises along a hidden order of states",
  params: PARAMS,
  label: (params) => `${params.states}x${params.actions}`,
  // What a refusal kept is a frame, since it comes from this sampler.
  sampleTask: (random, params, kept) =>
    sampleAnyMdp(random, wantedOf(params), kept as Frame | undefined),
  horizon: (task) => Math.ceil(task.maxSteps),
  table: tableOf,
  render: ({ mapping, starts, ends }) =>
    mapping.map((id, s) => {
      const mark = starts.includes(s) ? "start" : ends.includes(s) ? "end" : "";
      return `${s}: ${id} ${mark}`.trim();
    }).join("\n"),
});
