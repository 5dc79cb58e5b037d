/**
 * The policies that others can be made of: those that need no calibration.
 *
 * @module
 */
import { type Params, resolveParams } from "../params.ts";
import { boltzmannQ } from "./boltzmann_q.ts";
import { dirichlet } from "./dirichlet.ts";
import { frontier } from "./frontier.ts";
import { linearThompson } from "./linear_thompson.ts";
import { modelBased } from "./model_based.ts";
import { optimalPolicy } from "./optimal.ts";
import { oracle } from "./oracle.ts";
import type { Policy, Trial } from "./policy.ts";
import { qLearning } from "./q_learning.ts";
import { randomPolicy } from "./random.ts";
import { thompson } from "./thompson.ts";
import { ucb } from "./ucb.ts";

/** In the order that help lists them. */
export const references: ReadonlyArray<Policy> = [
  randomPolicy,
  dirichlet,
  optimalPolicy,
  oracle,
  qLearning,
  boltzmannQ,
  modelBased,
  frontier,
  ucb,
  thompson,
  linearThompson,
];

/** The parameter that names a reference. */
export const REFERENCE = {
  default: "optimal",
  choices: references.map((policy) => policy.name),
  summary: "The policy that acts where noise does not",
};

/** The policy that `params.reference` names. */
export function referenceOf(params: Params): Policy {
  // The choices of the parameter are these names.
  return references.find((policy) => policy.name === params.reference)!;
}

/** The same trial, for the reference with its own parameters by default. */
export function forReference<T extends Omit<Trial, "random">>(trial: T): T {
  return {
    ...trial,
    params: resolveParams(referenceOf(trial.params).params),
  };
}
