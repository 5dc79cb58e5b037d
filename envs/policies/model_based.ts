import { type Generator, uniform } from "../../kernels/random/generator.ts";
import {
  bonusScale,
  emptyModel,
  emptyPlan,
  learnStep,
  type Model,
  sweepModel,
  visitsOf,
} from "../../kernels/solvers/model.ts";
import { num } from "../params.ts";
import { type Actor, integersOnly, type Policy, type Trial } from "./policy.ts";

/** How far a learner looks, and how much it is drawn to what it hardly knows. */
export interface ModelOptions {
  readonly gamma: number;
  readonly coefficient: number;
}

/** Plans of its own on a model that it may share. */
export interface Planner {
  /** One sweep, and the bonus by what is known now. */
  readonly plan: () => void;
  /** The action with the largest Q(s, a) + b(s, a) U(0, 1). */
  readonly choose: (state: number) => number;
}

/** A planner on `model`, which others feed; its plan begins at 0. */
export function plannerOn(
  model: Model,
  { gamma, coefficient }: ModelOptions,
  random: Generator,
): Planner {
  const { states, actions } = model;
  const plan = emptyPlan(states, actions);
  // The bonus is of the last planning, as the values are.
  const bonus = new Float64Array(states * actions);
  const weigh = () => {
    const scale = bonusScale(model, coefficient, gamma);
    for (let row = 0; row < bonus.length; row++) {
      bonus[row] = scale / Math.sqrt(visitsOf(model, row));
    }
  };
  weigh();
  return {
    plan: () => {
      sweepModel(model, plan, gamma);
      weigh();
    },
    choose: (state) => {
      const first = state * actions;
      let [chosen, best] = [0, -Infinity];
      for (let a = 0; a < actions; a++) {
        const worth = plan.q[first + a]! + bonus[first + a]! * uniform(random);
        if (worth <= best) continue;
        best = worth;
        chosen = a;
      }
      return chosen;
    },
  };
}

/**
 * A learner that keeps a model and, before each episode but the first, plans on
 * it by one sweep, warm from the last.
 */
export function startModelBased(
  states: number,
  actions: number,
  options: ModelOptions,
  random: Generator,
): Required<Pick<Actor, "begin" | "act" | "learn">> {
  const model = emptyModel(states, actions);
  const { plan, choose } = plannerOn(model, options, random);
  let steps = 0;
  return {
    begin: () => {
      if (steps > 0) plan();
    },
    act: (observation) => choose(observation as number),
    learn: (observation, action, reward, next, terminated) => {
      steps++;
      const [s, j] = [observation as number, next as number];
      learnStep(model, s, action, reward, j, terminated);
    },
  };
}

function start({ observations, actions, params, random }: Trial): Actor {
  return startModelBased(observations, actions, {
    gamma: num(params, "gamma"),
    coefficient: num(params, "coefficient"),
  }, random);
}

/**
 * OmniRL's model-based learner, tag exp1 (Wang and others 2025, arXiv
 * 2502.02869); see {@linkcode startModelBased}.
 */
export const modelBased: Policy = {
  name: "model-based",
  summary: "Plans on a model that it learns, drawn to what it hardly knows",
  params: {
    gamma: { default: 0.99, min: 0, max: 0.999999, summary: "Discount" },
    coefficient: {
      default: 0.005,
      min: 0,
      max: 1000,
      summary: "Size of the bonus for what is hardly known",
    },
  },
  refuses: integersOnly(({ observations }) =>
    observations > 0 ? undefined : "its observations are not discrete"
  ),
  start,
};
