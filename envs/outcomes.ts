/**
 * Which outcome of an action comes about, and where an episode starts.
 *
 * @module
 */
import {
  type Generator,
  integer,
  uniform,
} from "../kernels/random/generator.ts";
import { alias } from "../kernels/random/distributions.ts";
import type { Table } from "./table.ts";

/** Up to this many outcomes are gone through one by one. */
const FEW = 4;

/** What outcomes of a table are drawn with. */
export interface Outcomes {
  readonly branches: number;
  readonly probability: Float64Array;
  /** Alias tables in a row, as long as `probability`, where there are many. */
  readonly stay: Float64Array;
  readonly other: Int32Array;
  /** 1 where the alias table of a state and action is made. */
  readonly made: Uint8Array;
}

const kept = new WeakMap<Table, Outcomes>();

/** The outcomes of a table; what is worked out for it is kept with it. */
export function outcomesOf(table: Table): Outcomes {
  const known = kept.get(table);
  if (known) return known;
  const { branches, probability } = table;
  const size = branches > FEW ? probability.length : 0;
  const outcomes = {
    branches,
    probability,
    stay: new Float64Array(size),
    other: new Int32Array(size),
    made: new Uint8Array(size / branches),
  };
  kept.set(table, outcomes);
  return outcomes;
}

function makeAlias(outcomes: Outcomes, row: number): void {
  const { branches, probability, stay, other, made } = outcomes;
  const first = row * branches;
  const made1 = alias(probability.subarray(first, first + branches));
  stay.set(made1.stay, first);
  other.set(made1.other, first);
  made[row] = 1;
}

/**
 * The place of an outcome of `row` (state times actions plus action) in the
 * table's arrays. Takes one uniform where there is more than one outcome.
 */
export function drawOutcome(
  outcomes: Outcomes,
  row: number,
  random: Generator,
): number {
  const { branches, probability } = outcomes;
  if (branches === 1) return row;
  const first = row * branches;
  if (branches <= FEW) return walk(probability, first, branches, random);
  if (outcomes.made[row] === 0) makeAlias(outcomes, row);
  // The whole part of u picks the column, what is left of it whether to stay.
  const u = uniform(random) * branches;
  const column = u | 0;
  return u - column < outcomes.stay[first + column]!
    ? first + column
    : first + outcomes.other[first + column]!;
}

/**
 * A state to start in. Takes nothing where there is one start, an integer where
 * all are equally likely, a uniform otherwise.
 */
export function drawStart(table: Table, random: Generator): number {
  const { starts, startProbability } = table;
  const n = starts.length;
  if (n === 1) return starts[0]!;
  return startProbability === undefined
    ? starts[integer(random, n)]!
    : starts[walk(startProbability, 0, n, random)]!;
}

function walk(
  probability: Float64Array,
  first: number,
  branches: number,
  random: Generator,
): number {
  let left = uniform(random);
  let k = first + branches - 1;
  for (let i = first; i < k; i++) {
    left -= probability[i]!;
    if (left < 0) return i;
  }
  // Rounding must not end on an outcome that cannot happen.
  while (k > first && probability[k] === 0) k--;
  return k;
}
