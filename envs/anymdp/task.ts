/**
 * What an AnyMDP task is made of (Wang and others 2025, "Towards large-scale
 * in-context reinforcement learning by meta-training in randomized worlds",
 * arXiv 2502.02869).
 *
 * States have a rank, from those of low value to those of high, which is hidden,
 * and a number, which is what the agent sees. All here is by rank. Row `s *
 * actions + a` belongs to action `a` in the state of rank `s`.
 *
 * @module
 */

/** A task, as plain data. */
export interface AnyMdpTask {
  /** Numbers that the agent may see; at least as many as there are ranks. */
  readonly states: number;
  readonly actions: number;
  /** Steps of an episode: `horizon` is this, rounded up. */
  readonly maxSteps: number;
  /** Rewards are paid in so many parts of 1. */
  readonly rewardParts: number;
  /** The number of each rank; its length is how many states there are. */
  readonly mapping: ReadonlyArray<number>;
  readonly starts: ReadonlyArray<number>;
  readonly startProbability: ReadonlyArray<number>;
  /** Ranks that end an episode when they are entered. */
  readonly ends: ReadonlyArray<number>;
  /** The highest rank is among them, as a goal; the others are pitfalls. */
  readonly goal: boolean;
  /** First rank that each row leads to. */
  readonly from: ReadonlyArray<number>;
  /** How many ranks each row leads to; 0 in ranks that end. */
  readonly width: ReadonlyArray<number>;
  /** P(j | s, a), row after row. */
  readonly probability: ReadonlyArray<number>;
  /** U(s, a): the mean reward is U(s, a) + B(s'). */
  readonly stateAction: ReadonlyArray<number>;
  /** B(s'). */
  readonly arrival: ReadonlyArray<number>;
  /** The part of the reward's deviation that is of the row. */
  readonly stateActionNoise: ReadonlyArray<number>;
  /** The part that is of the rank entered. */
  readonly arrivalNoise: ReadonlyArray<number>;
}

/** A task in the making; arrays are of exact length unless said. */
export interface Draft {
  readonly states: number;
  readonly actions: number;
  readonly maxSteps: number;
  readonly starts: ReadonlyArray<number>;
  readonly startProbability: ReadonlyArray<number>;
  /** 1 for each rank that ends an episode. */
  readonly ends: Uint8Array;
  readonly goal: boolean;
}

/** The parts of the rewards that the value of ranks is not shaped by. */
export interface RewardParts {
  readonly stateAction: Float64Array;
  /** B(s') without the arrival bonus. */
  readonly arrival: Float64Array;
  readonly stateActionNoise: Float64Array;
  readonly arrivalNoise: Float64Array;
}
