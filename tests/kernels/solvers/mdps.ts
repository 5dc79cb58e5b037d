/** Random MDPs in bands, for tests of what solves them. */
import fc from "fast-check";
import type { BandedMdp } from "../../../kernels/solvers/banded.ts";
import { exponential, normal } from "../../../kernels/random/distributions.ts";
import {
  type Generator,
  generator,
  integer,
  uniform,
} from "../../../kernels/random/generator.ts";
import { rootKey } from "../../../kernels/random/key.ts";

export interface Shape {
  readonly states: number;
  readonly actions: number;
  /** Probability that a row is empty, and the episode ends with it. */
  readonly ends: number;
}

/** An MDP whose rows are runs of any place and length. */
export function randomBands(random: Generator, shape: Shape): BandedMdp {
  const { states, actions, ends } = shape;
  const rows = states * actions;
  const [from, to, offset] = [0, 1, 2].map(() => new Int32Array(rows));
  const probability: Array<number> = [];
  for (let row = 0; row < rows; row++) {
    const low = integer(random, states);
    const width = uniform(random) < ends
      ? 0
      : 1 + integer(random, states - low);
    from![row] = low;
    to![row] = low + width;
    offset![row] = probability.length;
    const weights = Array.from({ length: width }, () => exponential(random));
    const sum = weights.reduce((a, b) => a + b, 0);
    // Some rows lose a little, as those with a pitfall in their middle do.
    const kept = uniform(random) < ends ? 0.8 : 1;
    probability.push(...weights.map((weight) => kept * weight / sum));
  }
  return {
    states,
    actions,
    from: from!,
    to: to!,
    offset: offset!,
    probability: Float64Array.from(probability),
    reward: Float64Array.from({ length: rows }, () => normal(random)),
  };
}

export const anyBands = fc.record({
  seed: fc.nat(),
  states: fc.integer({ min: 1, max: 24 }),
  actions: fc.integer({ min: 1, max: 4 }),
  ends: fc.constantFrom(0, 0.2),
}).map(({ seed, ...shape }) => randomBands(generator(rootKey(seed)), shape));

/** P of a row, in full. */
export function fullRow(mdp: BandedMdp, row: number): Array<number> {
  return Array.from({ length: mdp.states }, (_, j) => {
    const inside = j >= mdp.from[row]! && j < mdp.to[row]!;
    return inside ? mdp.probability[mdp.offset[row]! + j - mdp.from[row]!]! : 0;
  });
}
