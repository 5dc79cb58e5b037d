/**
 * What an environment is.
 *
 * An environment is a value: it draws hidden tasks, starts episodes on them and
 * says what one action does. Nothing in it remembers anything, so that any trial
 * can be played again from its row: a state comes in, a state comes out, and
 * randomness is an argument. Termination (the task says that it is over) is the
 * environment's business; truncation (time is up, after `horizon` steps) is the
 * rollout's.
 *
 * @module
 */
import type { Generator } from "../kernels/random/generator.ts";
import type { Action, Actions } from "./actions.ts";
import type { Params, ParamSpecs } from "./params.ts";
import type { Table } from "./table.ts";

/** A discrete observation, a vector, or text. */
export type Observation = number | ReadonlyArray<number> | string;

/** What observations can be. */
export type Space =
  | { readonly kind: "discrete"; readonly n: number }
  | { readonly kind: "box"; readonly shape: ReadonlyArray<number> }
  | { readonly kind: "text" };

/** Where an episode starts. */
export interface Restart<State> {
  readonly state: State;
  readonly observation: Observation;
}

/** What one action did. */
export interface Transition<State> {
  readonly state: State;
  readonly observation: Observation;
  readonly reward: number;
  /** The episode is over by the task's own rules: nothing follows. */
  readonly terminated: boolean;
  /** The task counts as solved by this step; never guessed from the reward. */
  readonly success?: boolean;
  /** False where the action was not a legal one. */
  readonly valid?: boolean;
}

/** A draw that the sampler of tasks refused, and why. */
export interface Refusal {
  readonly refused: string;
  /** What was drawn before, and stands when the rest is drawn again. */
  readonly kept?: unknown;
}

/** A value that a task, and the digest of a task, may hold. */
export type Plain =
  | null
  | boolean
  | number
  | string
  | ReadonlyArray<Plain>
  | { readonly [name: string]: Plain };

/**
 * See the module's own words; `Task` is the hidden problem, plain data, and `Move`
 * one of its actions.
 */
export interface Environment<
  Task = unknown,
  State = unknown,
  Move extends Action = Action,
> {
  /** Lower-case words and dashes; part of each task's id. */
  readonly name: string;
  /** Goes up whenever equal seeds would give other tasks or other steps. */
  readonly version: number;
  /** One sentence, for help. */
  readonly summary: string;
  readonly params: ParamSpecs;
  /**
   * Draws one task, or refuses the draw: the caller draws again from where
   * `random` then stands, counts the draws, and keeps to a budget. What the
   * refusal before this draw kept is handed on, so that refusals of a part do
   * not bias the rest.
   */
  readonly sampleTask: (
    random: Generator,
    params: Params,
    kept?: unknown,
  ) => Task | Refusal;
  readonly observations: (task: Task) => Space;
  /**
   * The number of actions, which are the integers below it; or a box of vectors,
   * which the rollout rounds to six decimals before they are done.
   */
  readonly actions: (task: Task) => Actions;
  /** Steps after which an episode is truncated. */
  readonly horizon: (task: Task) => number;
  readonly reset: (task: Task, random: Generator) => Restart<State>;
  readonly step: (
    task: Task,
    state: State,
    action: Move,
    random: Generator,
  ) => Transition<State>;
  /** The task as a finite MDP, where it is one: stepped and solved much faster. */
  readonly table?: (task: Task) => Table;
  /**
   * The action that is best at step `t` (from 0) in `state`, for one who knows
   * the task. Where there is a `table`, it is worked out from that instead.
   */
  readonly optimal?: (task: Task) => (state: State, t: number) => Move;
  /** A short form of the parameters for ids, such as `9x9`. */
  readonly label?: (params: Params) => string;
  /**
   * What makes two tasks the same problem, where one may be drawn twice: rows
   * carry its digest, and splits keep it on one side. Absent where tasks are
   * drawn from a continuum, and no two are the same.
   */
  readonly world?: (task: Task) => Plain;
  /** Whether a set of tasks must hold no problem twice. */
  readonly distinct?: boolean;
  /** The task as text for a person: a map, the arms. */
  readonly render?: (task: Task, state?: State) => string;
}

/**
 * The same environment, with its types checked where it is written and hidden
 * where it is used.
 *
 * @example A coin that pays on one side: one step an episode
 * ```ts
 * import { integer } from "../kernels/random/generator.ts";
 *
 * const coin = defineEnvironment({
 *   name: "coin",
 *   version: 1,
 *   summary: "One side pays 1",
 *   params: {},
 *   sampleTask: (random) => ({ pays: integer(random, 2) }),
 *   observations: () => ({ kind: "discrete", n: 1 }),
 *   actions: () => 2,
 *   horizon: () => 1,
 *   reset: () => ({ state: 0, observation: 0 }),
 *   step: (task, state, action) => ({
 *     state,
 *     observation: 0,
 *     reward: action === task.pays ? 1 : 0,
 *     terminated: true,
 *     success: action === task.pays,
 *   }),
 * });
 * ```
 */
export function defineEnvironment<Task, State, Move extends Action = number>(
  environment: Environment<Task, State, Move>,
): Environment {
  // The rollout hands an environment only what came from itself.
  return environment as unknown as Environment;
}

/** Whether a draw of a task was refused. */
export function isRefusal(draw: unknown): draw is Refusal {
  return typeof draw === "object" && draw !== null && "refused" in draw;
}
