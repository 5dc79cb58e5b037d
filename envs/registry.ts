/**
 * The environments and policies that can be asked for by name.
 *
 * @module
 */
import { anymdp } from "./anymdp/anymdp.ts";
import { anymdpPartial } from "./anymdp/partial.ts";
import { anymdpV2 } from "./anymdp/v2/continuous.ts";
import {
  banditAdversarial,
  banditBernoulli,
  banditGaussian,
} from "./bandit.ts";
import { banditLinear } from "./bandit_linear.ts";
import {
  banditAbrupt,
  banditDrift,
  banditPiecewise,
} from "./bandit_nonstationary.ts";
import { darkRoom } from "./dark_room.ts";
import { darkRoomDpt } from "./dark_room_dpt.ts";
import { darkRoomHard } from "./dark_room_hard.ts";
import { darkRoomPermuted } from "./dark_room_permuted.ts";
import type { Environment } from "./env.ts";
import { frozenLake } from "./frozen_lake.ts";
import { frozenLakeGym } from "./frozen_lake_gym.ts";
import { frozenLakeMap } from "./frozen_lake_map.ts";
import { garnet } from "./garnet.ts";
import { keyToDoor } from "./key_to_door.ts";
import { linearDynamics } from "./linear_dynamics.ts";
import { epsilonGreedy } from "./policies/epsilon_greedy.ts";
import { noiseCurriculum } from "./policies/noise_curriculum.ts";
import { omnirl } from "./policies/omnirl.ts";
import type { Policy } from "./policies/policy.ts";
import { references } from "./policies/references.ts";
import { randomAcrobot } from "./random_acrobot.ts";
import { randomCartpole } from "./random_cartpole.ts";
import { randomLanguage } from "./random_language.ts";
import { tabularMdp } from "./tabular_mdp.ts";

/** In the order that help lists them. */
export const environments: ReadonlyArray<Environment> = [
  darkRoom,
  darkRoomHard,
  darkRoomDpt,
  darkRoomPermuted,
  keyToDoor,
  frozenLake,
  frozenLakeGym,
  frozenLakeMap,
  tabularMdp,
  garnet,
  anymdp,
  anymdpPartial,
  anymdpV2,
  randomCartpole,
  randomAcrobot,
  randomLanguage,
  linearDynamics,
  banditGaussian,
  banditBernoulli,
  banditLinear,
  banditAdversarial,
  banditAbrupt,
  banditPiecewise,
  banditDrift,
];

/** In the order that help lists them. */
export const policies: ReadonlyArray<Policy> = [
  ...references,
  epsilonGreedy,
  noiseCurriculum,
  omnirl,
];

/** The environment of that name, if there is one. */
export function findEnvironment(name: string): Environment | undefined {
  return environments.find((env) => env.name === name);
}

/** The policy of that name, if there is one. */
export function findPolicy(name: string): Policy | undefined {
  return policies.find((policy) => policy.name === name);
}
