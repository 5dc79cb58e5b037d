/**
 * The hidden state of each step of a row: read off its observations, followed
 * through the table, or found by playing the trial again.
 *
 * @module
 */
import { actionsInWords, isAction } from "../../../envs/actions.ts";
import type { Environment } from "../../../envs/env.ts";
import { emptyRecord, type TrialRecord } from "../../../envs/rollout.ts";
import type { Table } from "../../../envs/table.ts";
import { observe } from "../../../envs/tabular.ts";
import { parseRow } from "../../jsonl.ts";
import { playAgain } from "../../replaying.ts";
import {
  columnEnd,
  columnStart,
  Malformed,
  type RowIndex,
} from "../../scan.ts";
import { columnIndex, type Trial } from "../../schema.ts";

const OBSERVATIONS = columnIndex("observations");
const ACTIONS = columnIndex("actions");
const decoder = new TextDecoder();

/** The states of each episode: one a step, without the last. */
export type States = ReadonlyArray<ReadonlyArray<unknown>>;

/** Finds the states of a row, or throws {@linkcode Malformed}. */
export type ReadStates = (row: RowIndex) => States;

function readColumn(
  row: RowIndex,
  e: number,
  index: number,
): ReadonlyArray<unknown> {
  const [from, to] = [columnStart(row, e, index), columnEnd(row, e, index)];
  // The door has seen that it is a list.
  return JSON.parse(decoder.decode(row.bytes.subarray(from, to)));
}

/** What two observations are equal by. */
function keyOf(observation: unknown): unknown {
  return typeof observation === "number"
    ? observation
    : JSON.stringify(observation);
}

/** The states that each observation may be of, by {@linkcode keyOf}. */
function holdersOf(table: Table): Map<unknown, Array<number>> {
  const holders = new Map<unknown, Array<number>>();
  for (let state = 0; state < table.states; state++) {
    const key = keyOf(observe(table, state));
    const known = holders.get(key);
    if (known) known.push(state);
    else holders.set(key, [state]);
  }
  return holders;
}

function shown(e: number, t: number, observation: unknown): string {
  const text = JSON.stringify(observation);
  return `episodes[${e}].observations[${t}] is ${text}`;
}

/** The one of `states` that is left, or what is wrong. */
function only(
  states: ReadonlyArray<number>,
  e: number,
  t: number,
  observation: unknown,
): number {
  if (states.length === 1) return states[0]!;
  const why = states.length === 0
    ? "which no state shows there"
    : `which ${states.length} states show there`;
  throw new Malformed(`${shown(e, t, observation)}, ${why}`);
}

function checkedAction(
  actions: ReadonlyArray<unknown>,
  e: number,
  t: number,
  count: number,
): number {
  const action = actions[t];
  if (isAction(count, action)) return action as number;
  throw new Malformed(
    `episodes[${e}].actions[${t}] is ${JSON.stringify(action)}, not ${
      actionsInWords(count)
    }`,
  );
}

/** Where `action` may lead from `state` without an end. */
function reached(table: Table, state: number, action: number): Set<number> {
  const { branches, next, probability, terminal } = table;
  const first = (state * table.actions + action) * branches;
  const to = new Set<number>();
  for (let k = first; k < first + branches; k++) {
    if (probability[k]! > 0 && terminal[k] === 0) to.add(next[k]!);
  }
  return to;
}

type Holders = ReadonlyMap<unknown, ReadonlyArray<number>>;

/** The states of an episode whose observations each have one state. */
function lookUp(row: RowIndex, e: number, holders: Holders): Array<number> {
  const steps = readColumn(row, e, OBSERVATIONS).slice(0, -1);
  return steps.map((observation, t) =>
    only(holders.get(keyOf(observation)) ?? [], e, t, observation)
  );
}

/** The states of an episode, each by the one before it and the action there. */
function follow(
  row: RowIndex,
  e: number,
  table: Table,
  holders: Holders,
): Array<number> {
  const actions = readColumn(row, e, ACTIONS);
  const steps = readColumn(row, e, OBSERVATIONS).slice(0, -1);
  let possible = new Set(table.starts);
  return steps.map((observation, t) => {
    const holding = holders.get(keyOf(observation)) ?? [];
    const here = holding.filter((state) => possible.has(state));
    const state = only(here, e, t, observation);
    const action = checkedAction(actions, e, t, table.actions);
    possible = reached(table, state, action);
    return state;
  });
}

function tableStates(table: Table): ReadStates {
  const holders = holdersOf(table);
  // As many observations as states: each has its own.
  const isPlain = holders.size === table.states;
  return (row) =>
    Array.from(
      { length: row.episodes },
      (_, e) =>
        isPlain ? lookUp(row, e, holders) : follow(row, e, table, holders),
    );
}

/** A trial that was played again must have shown what its row says. */
export function checkSeen({ episodes }: Trial, record: TrialRecord): void {
  const { codes, values, vectors, ends } = record;
  const readsAs = (code: number) =>
    vectors === undefined ? code : Array.from(vectors.values.subarray(
      code * vectors.width,
      (code + 1) * vectors.width,
    ));
  episodes.forEach(({ observations }, e) => {
    const first = e === 0 ? 0 : ends[e - 1]! + e;
    observations.forEach((observation, t) => {
      const seen = values ? values[first + t] : readsAs(codes[first + t]!);
      if (keyOf(seen) === keyOf(observation)) return;
      throw new Malformed(
        `${shown(e, t, observation)}, and played again it is ${
          JSON.stringify(seen)
        }`,
      );
    });
  });
}

function playedStates(env: Environment, task: unknown): ReadStates {
  const record = emptyRecord();
  return (row) => {
    const trial = parseRow(row);
    const states: Array<unknown> = [];
    // What it says is not done.
    const act = (_: unknown, state: unknown) => states.push(state);
    playAgain(env, task, trial, record, () => ({ act }));
    checkSeen(trial, record);
    return trial.episodes.map((_, e) =>
      states.slice(e === 0 ? 0 : record.ends[e - 1]!, record.ends[e]!)
    );
  };
}

/**
 * How the states of rows on a task are found. Where each observation of a finite
 * environment is of one state, by it; where several states look alike, by
 * following the actions from the start, as long as that leaves one. Other
 * environments are played again by the row's seed.
 */
export function statesOf(env: Environment, task: unknown): ReadStates {
  const table = env.table?.(task);
  return table ? tableStates(table) : playedStates(env, task);
}
