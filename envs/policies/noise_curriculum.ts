import { uniform } from "../../kernels/random/generator.ts";
import { type Action, drawAction } from "../actions.ts";
import { num, type Params } from "../params.ts";
import { epsilonFor, returnsUnderNoise } from "./calibration.ts";
import type { Actor, Policy, Preparation, Trial } from "./policy.ts";
import { forReference, REFERENCE, referenceOf } from "./references.ts";

/** The share of a trial's steps over which the noise falls. */
const FALLING = 0.9;

function prepare(preparation: Preparation): Params {
  const { params } = preparation;
  if (num(params, "floor") >= 0) return params;
  const returns = returnsUnderNoise(preparation);
  const target = num(params, "max-performance") * returns[0]!;
  // Six decimals are plenty, and keep rows short.
  const floor = Math.round(epsilonFor(returns, target) * 1e6) / 1e6;
  return { ...params, floor };
}

function start(trial: Trial): Actor<Action> {
  const { box, actions, params, random, horizon, episodes } = trial;
  const floor = num(params, "floor");
  const fall = (1 - floor) / (FALLING * horizon * episodes);
  const reference = referenceOf(params).start(forReference(trial));
  let played = -1;
  return {
    ...reference,
    begin: () => {
      played++;
      reference.begin?.();
    },
    act: (observation, state, t) => {
      // An episode that ends early counts as all of its steps.
      const epsilon = Math.max(floor, 1 - fall * (played * horizon + t));
      return uniform(random) < epsilon
        ? drawAction(box ?? actions, random)
        : reference.act(observation, state, t);
    },
  };
}

/**
 * A learning history without a learner (Zisman and others 2024, "Emergence of
 * in-context reinforcement learning from noise distillation", arXiv 2312.12275):
 * the share of uniform actions falls step by step from 1 to `floor`, over the
 * first nine tenths of the trial's nominal steps; the reference takes the other
 * actions. A `floor` of -1 is worked out, before anything is played, from
 * measured returns: at the floor the policy's return is `max-performance` of
 * what the reference's is without noise.
 */
export const noiseCurriculum: Policy = {
  name: "noise-curriculum",
  summary: "Another policy, with noise that falls over the trial",
  params: {
    reference: REFERENCE,
    "max-performance": {
      default: 1,
      min: 0,
      max: 1,
      summary: "Share of the reference's return that the trial ends with",
    },
    floor: {
      default: -1,
      min: -1,
      max: 1,
      summary: "Share of uniform actions in the end; -1 to work it out",
    },
  },
  prepare,
  refuses: (trial) =>
    num(trial.params, "floor") < 0
      ? "its floor was not worked out"
      : referenceOf(trial.params).refuses?.(forReference(trial)),
  start,
};
