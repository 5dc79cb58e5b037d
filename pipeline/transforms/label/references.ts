/**
 * The references that steps are labelled by.
 *
 * @module
 */
import {
  type Action,
  type Box,
  boxOf,
  roundAction,
} from "../../../envs/actions.ts";
import type { Environment } from "../../../envs/env.ts";
import { optimalActions, planOf, solutionsOf } from "../../../envs/planning.ts";
import { oracleName } from "../../../envs/policies/oracle.ts";
import { evaluate } from "../../../kernels/finite_horizon.ts";
import { ParamError } from "../../../envs/params.ts";
import { UsageError } from "../../errors.ts";
import { pairs } from "../../flags.ts";
import { Malformed } from "../../scan.ts";
import { type Learner, learnerOf, LEARNERS } from "./learners.ts";
import type { States } from "./states.ts";

/** Of the policy `oracle`, and of OmniRL's labels. */
const GAMMA = 0.994;
/** As far as the policy `oracle` goes. */
const LARGEST = 0.999999;
export const OPTIMAL = "optimal";
const ORACLE = "oracle";

/** What to label with: a reference for each discount, and the optimum. */
export interface References {
  readonly optimal: boolean;
  /** Different ones, in the order given. */
  readonly discounts: ReadonlyArray<number>;
  readonly learners: ReadonlyArray<Learner>;
  /** Expected returns are wanted as well. */
  readonly baselines: boolean;
}

function wordsOf(list: string): ReadonlyArray<string> {
  return [...new Set(list.split(",").map((word) => word.trim()))];
}

function discountOf(word: string): number {
  const discount = word === "" ? NaN : Number(word);
  if (discount >= 0 && discount <= LARGEST) return discount;
  const shown = JSON.stringify(word);
  throw new UsageError({
    message:
      `Cannot set --gamma to ${shown}: not a number from 0 to ${LARGEST}`,
  });
}

function checkNames(names: ReadonlyArray<string>): void {
  const known = [OPTIMAL, ORACLE, ...LEARNERS];
  const wrong = names.find((name) => !known.includes(name));
  if (wrong === undefined) return;
  throw new UsageError({
    message: `Cannot set --reference to ${JSON.stringify(wrong)}: not one of ${
      known.join(", ")
    }`,
  });
}

/** The learners among `names`, with the parameters given. */
function learnersOf(
  names: ReadonlyArray<string>,
  words: ReadonlyArray<string>,
): ReadonlyArray<Learner> {
  const learners = names.filter((name) => LEARNERS.includes(name));
  if (words.length > 0 && learners.length !== 1) {
    throw new UsageError({
      message: `Cannot use --reference-param with ${
        learners.length === 0 ? "no" : "more than one"
      } learner in --reference`,
    });
  }
  const given = pairs("reference-param", words);
  return learners.map((name) => {
    try {
      return learnerOf(name, given);
    } catch (error) {
      if (!(error instanceof ParamError)) throw error;
      const message = `--reference ${name}: ${error.message}`;
      throw new UsageError({ message });
    }
  });
}

/** What the flags of the same names say. */
export interface ReferenceFlags {
  readonly reference?: string | undefined;
  readonly "reference-param": ReadonlyArray<string>;
  readonly gamma?: string | undefined;
  readonly baselines: boolean;
}

/** Reads the flags: names, discounts for `oracle`, parameters of a learner. */
export function readReferences(
  { reference, gamma, baselines, ...rest }: ReferenceFlags,
): References {
  const names = wordsOf(reference ?? (gamma ? "optimal,oracle" : OPTIMAL));
  checkNames(names);
  const wanted = names.includes(ORACLE);
  if (gamma !== undefined && !wanted) {
    throw new UsageError({
      message: `Cannot use --gamma without --reference ${ORACLE}`,
    });
  }
  const discounts = gamma === undefined
    ? [GAMMA]
    : wordsOf(gamma).map(discountOf);
  return {
    optimal: names.includes(OPTIMAL),
    discounts: wanted ? [...new Set(discounts)] : [],
    learners: learnersOf(names, rest["reference-param"]),
    baselines,
  };
}

/** What a reference would have done at each step of each episode. */
export type Labels = ReadonlyArray<ReadonlyArray<Action>>;

/** A reference on one task. */
export interface Reference {
  readonly name: string;
  readonly label: (states: States) => Labels;
}

/** The optimum looks at the clock, so nothing may come after its end. */
function checkClock(states: States, horizon: number): void {
  const e = states.findIndex(({ length }) => length > horizon);
  if (e < 0) return;
  throw new Malformed(
    `episodes[${e}].actions has ${
      states[e]!.length
    } entries, and the horizon of the task is ${horizon}`,
  );
}

/** An action as rows have it. */
function inRow(box: Box | undefined, action: Action): Action {
  return box ? roundAction(box, action as ReadonlyArray<number>) : action;
}

function optimalOn(env: Environment, task: unknown): Reference {
  const best = optimalActions(env, task);
  if (best === undefined) {
    throw new Malformed(`task.env is ${env.name}, which has no known optimum`);
  }
  const horizon = env.horizon(task);
  const box = boxOf(env.actions(task));
  return {
    name: OPTIMAL,
    label: (states) => {
      checkClock(states, horizon);
      return states.map((episode) =>
        episode.map((state, t) => inRow(box, best(state, t)))
      );
    },
  };
}

function oraclesOn(
  env: Environment,
  task: unknown,
  discounts: ReadonlyArray<number>,
): ReadonlyArray<Reference> {
  if (discounts.length === 0) return [];
  const table = env.table?.(task);
  if (table === undefined) {
    throw new Malformed(`task.env is ${env.name}, which is not a finite MDP`);
  }
  return solutionsOf(table, discounts).map(({ discount, policy }) => ({
    name: oracleName(discount),
    // The state of a finite environment is a row of its table.
    label: (states) =>
      states.map((episode) => episode.map((s) => policy[s as number]!)),
  }));
}

/** The references on a task, solved once. */
export function referencesOn(
  env: Environment,
  task: unknown,
  { optimal, discounts }: References,
): ReadonlyArray<Reference> {
  return [
    ...(optimal ? [optimalOn(env, task)] : []),
    ...oraclesOn(env, task, discounts),
  ];
}

/** Returns of rewards of six decimals, to as many as `credit` prints. */
const DECIMALS = 1e9;

/** Exact expected returns of an episode: of uniform play, and of references. */
export function baselinesOn(
  env: Environment,
  task: unknown,
  { optimal, discounts }: References,
): { readonly [name: string]: number } {
  const table = env.table?.(task);
  if (table === undefined) {
    throw new Malformed(`task.env is ${env.name}, which is not a finite MDP`);
  }
  const horizon = env.horizon(task);
  const worth = (actions: Int32Array, epsilon = 0) => {
    const paid = evaluate(table, horizon, actions, epsilon).return;
    return Math.round(paid * DECIMALS) / DECIMALS + 0;
  };
  const oracles = solutionsOf(table, discounts).map(({ discount, policy }) =>
    [oracleName(discount), worth(policy)] as const
  );
  return {
    random: worth(new Int32Array(table.states), 1),
    ...(optimal && { [OPTIMAL]: worth(planOf(table, horizon).actions) }),
    ...Object.fromEntries(oracles),
  };
}
