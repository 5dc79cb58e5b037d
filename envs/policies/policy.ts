/**
 * What a policy is: a value that starts an actor on a task. The actor lives for
 * one trial, so what it learns in one episode it knows in the next.
 *
 * @module
 */
import type { Key } from "../../kernels/random/key.ts";
import type { Generator } from "../../kernels/random/generator.ts";
import type { Action, Box } from "../actions.ts";
import type { Environment, Observation } from "../env.ts";
import type { Params, ParamSpecs } from "../params.ts";
import type { Table } from "../table.ts";

/** What an actor may know when its trial starts. */
export interface Trial {
  readonly env: Environment;
  /** The hidden task: for policies that are told the answer, and no others. */
  readonly task: unknown;
  /** The task as a finite MDP, where it is one; hidden likewise. */
  readonly table: Table | undefined;
  /** The policy's own parameters, complete. */
  readonly params: Params;
  /** How many actions there are; 0 where they are vectors. */
  readonly actions: number;
  /** What actions are out of, where they are vectors. */
  readonly box?: Box | undefined;
  /** How many discrete observations there are; 0 where they are not discrete. */
  readonly observations: number;
  readonly horizon: number;
  /** Episodes that the trial may have. */
  readonly episodes: number;
  /** The policy's own stream of random numbers. */
  readonly random: Generator;
}

/**
 * Chooses actions and is told what came of them. A finite environment hands it
 * observations as indices (see {@linkcode Table}), also where a row writes them
 * as vectors.
 */
export interface Actor<Move extends Action = number> {
  /** An episode begins. */
  readonly begin?: () => void;
  /** The action at step `t` (from 0) of the episode. `state` is privileged. */
  readonly act: (observation: Observation, state: unknown, t: number) => Move;
  /**
   * What the last action led to. Truncation is `!terminated` at the horizon. A
   * method, so that an actor on integers is an actor: its policy refuses vectors.
   */
  learn?(
    observation: Observation,
    action: Move,
    reward: number,
    next: Observation,
    terminated: boolean,
  ): void;
  /** Which of its sources the last action came from, where it has several. */
  readonly source?: () => number;
}

/** What {@linkcode Policy.prepare} works from. */
export interface Preparation {
  readonly env: Environment;
  readonly envParams: Params;
  readonly params: Params;
  readonly episodes: number;
  readonly key: Key;
}

export interface Policy {
  readonly name: string;
  /** One sentence, for help. */
  readonly summary: string;
  readonly params: ParamSpecs;
  /**
   * Works out, once for a dataset, what depends on environment and parameters
   * but not on the task (a calibration), as parameters that go into each row.
   */
  readonly prepare?: (preparation: Preparation) => Params;
  /** Why this policy cannot play that environment's task, if it cannot. */
  readonly refuses?: Refuses;
  readonly start: (trial: Trial) => Actor<Action>;
}

/** Why a policy cannot play a task, if it cannot. */
export type Refuses = (trial: Omit<Trial, "random">) => string | undefined;

/** The refusals of a policy that chooses among integers, and others of its own. */
export function integersOnly(refuses: Refuses): Refuses {
  return (trial) =>
    trial.box ? `${trial.env.name} takes vectors as actions` : refuses(trial);
}
