/**
 * The environments and policies that can be asked for by name.
 *
 * @module
 */
import type { Environment } from "./env.ts";
import { darkRoom } from "./dark_room.ts";
import { frozenLake } from "./frozen_lake.ts";
import { optimalPolicy } from "./policies/optimal.ts";
import type { Policy } from "./policies/policy.ts";
import { qLearning } from "./policies/q_learning.ts";
import { randomPolicy } from "./policies/random.ts";

/** In the order that help lists them. */
export const environments: ReadonlyArray<Environment> = [darkRoom, frozenLake];

/** In the order that help lists them. */
export const policies: ReadonlyArray<Policy> = [
  randomPolicy,
  optimalPolicy,
  qLearning,
];

/** The environment of that name, if there is one. */
export function findEnvironment(name: string): Environment | undefined {
  return environments.find((env) => env.name === name);
}

/** The policy of that name, if there is one. */
export function findPolicy(name: string): Policy | undefined {
  return policies.find((policy) => policy.name === name);
}
