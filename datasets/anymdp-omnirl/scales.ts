/**
 * The sizes of OmniRL's data (Wang and others 2025, arXiv 2502.02869), and a
 * small one.
 *
 * @module
 */

/** What a set of trials is made of. */
export interface Scale {
  readonly tasks: number;
  /** Steps of each trial, at least; the last episode is played to its end. */
  readonly steps: number;
  readonly states: number;
  /** Fewest states of a task; 0 for always `states`. */
  readonly minStates: number;
}

/** One trial a task; all of them with five actions. */
export const SCALES = {
  /** Seconds on two cores. */
  fast: { tasks: 400, steps: 1_000, states: 16, minStates: 0 },
  /** D_Small: a thousand million steps. */
  small: { tasks: 128_000, steps: 8_000, states: 16, minStates: 0 },
  /** D_Large: six thousand million. */
  large: { tasks: 512_000, steps: 12_000, states: 128, minStates: 16 },
  /** D_Long, which the published models were trained on last. */
  long: { tasks: 12_000, steps: 512_000, states: 128, minStates: 16 },
} as const satisfies { readonly [name: string]: Scale };
