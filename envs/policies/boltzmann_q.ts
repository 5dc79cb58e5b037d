import { type Generator, uniform } from "../../kernels/random/generator.ts";
import { num } from "../params.ts";
import { type Actor, integersOnly, type Policy, type Trial } from "./policy.ts";

/** What Q-learning goes by; `patience` is M below. */
export interface BoltzmannOptions {
  readonly alpha: number;
  readonly gamma: number;
  readonly patience: number;
}

/** Values of the actions of one state: the largest, and how they spread. */
function spreadOf(
  values: Float64Array,
  first: number,
  n: number,
): { readonly most: number; readonly deviation: number } {
  let [most, sum, squares] = [-Infinity, 0, 0];
  for (let i = first; i < first + n; i++) {
    most = Math.max(most, values[i]!);
    sum += values[i]!;
  }
  const mean = sum / n;
  for (let i = first; i < first + n; i++) squares += (values[i]! - mean) ** 2;
  return { most, deviation: Math.sqrt(squares / n) };
}

/**
 * Q-learning that draws its actions by their value. With M the patience and n
 * the visits, Q moves by α sqrt(max((M + 1) / (M + n(s, a)), 0.001)) towards its
 * target, and action a is drawn with weight exp(κ (Q(s, a) - max Q) / max(std Q,
 * 0.01)), κ = min((M + n(s)) / (M + 1), 10). All values begin at 1 / (1 - γ).
 */
export function startBoltzmann(
  states: number,
  actions: number,
  { alpha, gamma, patience }: BoltzmannOptions,
  random: Generator,
): Required<Pick<Actor, "act" | "learn">> {
  const values = new Float64Array(states * actions).fill(1 / (1 - gamma));
  const tried = new Float64Array(states * actions);
  const visits = new Float64Array(states);
  const weights = new Float64Array(actions);
  const act: Actor["act"] = (observation) => {
    const s = observation as number;
    const { most, deviation } = spreadOf(values, s * actions, actions);
    const sharp = Math.min((patience + visits[s]!) / (patience + 1), 10);
    const scale = sharp / Math.max(deviation, 0.01);
    let total = 0;
    for (let a = 0; a < actions; a++) {
      const weight = Math.exp((values[s * actions + a]! - most) * scale);
      total += weights[a] = weight;
    }
    let left = uniform(random) * total;
    for (let a = 0; a < actions - 1; a++) {
      left -= weights[a]!;
      if (left < 0) return a;
    }
    return actions - 1;
  };
  const learn: NonNullable<Actor["learn"]> = (
    observation,
    action,
    reward,
    next,
    terminated,
  ) => {
    const row = (observation as number) * actions + action;
    const after = (next as number) * actions;
    // What an episode ends in is worth nothing, whatever is thought of it.
    if (terminated) values.fill(0, after, after + actions);
    const ahead = terminated ? 0 : spreadOf(values, after, actions).most;
    tried[row] = tried[row]! + 1;
    visits[observation as number] = visits[observation as number]! + 1;
    const slower = (patience + 1) / (patience + tried[row]!);
    const step = alpha * Math.sqrt(Math.max(slower, 1e-3));
    values[row] = values[row]! + step * (reward + gamma * ahead - values[row]!);
  };
  return { act, learn };
}

function start(trial: Trial): Actor {
  const { observations, actions, params, random } = trial;
  return startBoltzmann(observations, actions, {
    alpha: num(params, "alpha"),
    gamma: num(params, "gamma"),
    patience: num(params, "patience"),
  }, random);
}

/**
 * OmniRL's tabular Q learner, tag exp2 (Wang and others 2025, arXiv 2502.02869);
 * see {@linkcode startBoltzmann}.
 */
export const boltzmannQ: Policy = {
  name: "boltzmann-q",
  summary: "Q-learning that draws its actions by their value",
  params: {
    alpha: { default: 0.01, min: 0, max: 1, summary: "Step size" },
    gamma: { default: 0.99, min: 0, max: 0.999999, summary: "Discount" },
    patience: {
      default: 12_000,
      min: 0,
      max: 1e9,
      summary: "Steps over which it settles",
    },
  },
  refuses: integersOnly(({ observations }) =>
    observations > 0 ? undefined : "its observations are not discrete"
  ),
  start,
};
