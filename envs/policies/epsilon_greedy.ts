import { uniform } from "../../kernels/random/generator.ts";
import { type Action, drawAction } from "../actions.ts";
import { num } from "../params.ts";
import type { Actor, Policy, Trial } from "./policy.ts";
import { forReference, REFERENCE, referenceOf } from "./references.ts";

function start(trial: Trial): Actor<Action> {
  const { box, actions, params, random } = trial;
  const epsilon = num(params, "epsilon");
  const reference = referenceOf(params).start(forReference(trial));
  return {
    ...reference,
    act: (observation, state, t) =>
      uniform(random) < epsilon
        ? drawAction(box ?? actions, random)
        : reference.act(observation, state, t),
  };
}

/**
 * A uniform action with probability `epsilon`, that of the reference otherwise.
 * A reference that learns does so from all actions.
 */
export const epsilonGreedy: Policy = {
  name: "epsilon-greedy",
  summary: "Another policy with a constant share of uniform actions",
  params: {
    epsilon: {
      default: 0.1,
      min: 0,
      max: 1,
      summary: "Probability of a uniform action",
    },
    reference: REFERENCE,
  },
  refuses: (trial) => referenceOf(trial.params).refuses?.(forReference(trial)),
  start,
};
