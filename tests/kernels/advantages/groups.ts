/** Groups of trials to test advantages with. */
import * as fc from "fast-check";
import type { GroupShape } from "../../../kernels/advantages/outcome.ts";

/** Trials of a group, each with its episodes, each with the scores of its rows. */
export type Trials = ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>;

/** A group, flat, as the kernels take it. */
export interface Group {
  readonly scores: Float64Array;
  readonly rows: number;
  readonly shape: GroupShape;
}

export function groupOf(trials: Trials): Group {
  const episodes = trials.flat();
  let [rows, played] = [0, 0];
  const shape = {
    episodeEnds: Int32Array.from(episodes, ({ length }) => rows += length),
    episodes: episodes.length,
    trialEnds: Int32Array.from(trials, ({ length }) => played += length),
    trials: trials.length,
  };
  return { scores: Float64Array.from(episodes.flat()), rows, shape };
}

/** Of 2^-4, so that sums are exact in whatever order. */
export const grid = fc.integer({ min: -64, max: 64 }).map((n) => n / 16);

/** Groups of `minLength` trials and more; an episode may have no rows. */
export const groups = (minLength: number): fc.Arbitrary<Trials> =>
  fc.array(
    fc.array(fc.array(grid, { maxLength: 4 }), { minLength: 1, maxLength: 4 }),
    { minLength, maxLength: 5 },
  );
