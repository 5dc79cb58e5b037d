/**
 * The clause of the contract that is about tables: that they are finite MDPs,
 * and that `reset` and `step` do as they say.
 *
 * @module
 */
import { generator } from "../kernels/random/generator.ts";
import { foldIn, type Key } from "../kernels/random/key.ts";
import type { Environment, Transition } from "./env.ts";
import { observe } from "./tabular.ts";
import type { Table } from "./table.ts";

type Faults = Generator<string, void, undefined>;

/** Draws of each action of the first state, to compare with its outcomes. */
const DRAWS = 300;
/** Standard errors and deviations past which chance is no excuse. */
const FAR = 7;

function* shapeFaults(table: Table): Faults {
  const { states, actions, branches, next, probability, starts } = table;
  const outcomes = states * actions * branches;
  for (
    const name of [
      "next",
      "probability",
      "reward",
      "terminal",
      "success",
    ] as const
  ) {
    if (table[name].length !== outcomes) {
      yield `table: ${name} has ${
        table[name].length
      } entries, expected ${outcomes}`;
    }
  }
  if (starts.length === 0) yield "table: no starts";
  if (next.some((s) => s < 0 || s >= states)) {
    yield "table: next outside states";
  }
  if (starts.some((s) => s < 0 || s >= states)) {
    yield "table: starts outside states";
  }
  for (let first = 0; first < outcomes; first += branches) {
    const own = probability.subarray(first, first + branches);
    const sum = own.reduce((a, b) => a + b, 0);
    if (own.every((p) => p >= 0) && Math.abs(sum - 1) < 1e-9) continue;
    yield "table: probabilities are not probabilities";
    return;
  }
}

function* optionalFaults(table: Table): Faults {
  const { next, starts, startProbability, rewardDeviations } = table;
  if (rewardDeviations && rewardDeviations.length !== next.length) {
    yield "table: rewardDeviations are not one for each outcome";
  }
  if (rewardDeviations?.some((sd) => !(sd >= 0))) {
    yield "table: rewardDeviations below 0";
  }
  if (startProbability === undefined) return;
  const sum = startProbability.reduce((a, b) => a + b, 0);
  if (
    startProbability.length !== starts.length ||
    startProbability.some((p) => !(p >= 0)) || Math.abs(sum - 1) > 1e-9
  ) yield "table: startProbability is not one probability for each start";
}

function* seenFaults(table: Table): Faults {
  const { states, observation, observationCount = states, vectors } = table;
  if (observation && observation.length !== states) {
    yield "table: observation is not one for each state";
  }
  if (observation?.some((i) => i < 0 || i >= observationCount)) {
    yield "table: observation outside observationCount";
  }
  if (vectors && vectors.values.length !== vectors.width * observationCount) {
    yield "table: vectors are not one for each observation";
  }
}

/** Whether outcome `k` of the table is what a step did. */
function isOutcome(
  table: Table,
  k: number,
  moved: Transition<unknown>,
): boolean {
  const sd = table.rewardDeviations?.[k] ?? table.rewardDeviation ?? 0;
  const off = Math.abs(moved.reward - table.reward[k]!);
  return table.probability[k]! > 0 && table.next[k] === moved.state &&
    (table.terminal[k] === 1) === moved.terminated &&
    (table.success[k] === 1) === (moved.success === true) &&
    // Noisy rewards are rounded to six decimals.
    (sd > 0 ? off <= FAR * sd + 1e-6 : off === 0);
}

/** Probability, by the table, of what a step did. */
function likelihood(
  table: Table,
  state: number,
  action: number,
  moved: Transition<unknown>,
): number {
  const first = (state * table.actions + action) * table.branches;
  let sum = 0;
  for (let k = first; k < first + table.branches; k++) {
    if (isOutcome(table, k, moved)) sum += table.probability[k]!;
  }
  return sum;
}

/** That a step did what the table says it may. */
export function* transitionFaults(
  table: Table,
  state: unknown,
  action: number,
  moved: Transition<unknown>,
): Faults {
  if (likelihood(table, state as number, action, moved) === 0) {
    yield "table: a step is none of its outcomes";
    return;
  }
  const shown = JSON.stringify(observe(table, moved.state as number));
  if (shown !== JSON.stringify(moved.observation)) {
    yield "table: a step shows another observation";
  }
}

/** That an action does what the table says it may as often as it says. */
function* oftenFaults(
  env: Environment,
  task: unknown,
  table: Table,
  action: number,
  key: Key,
): Faults {
  const random = generator(foldIn(key, "outcomes", action));
  const state = table.starts[0]!;
  const counts = new Map<unknown, { seen: number; expected: number }>();
  for (let i = 0; i < DRAWS; i++) {
    const moved = env.step(task, state, action, random);
    const { state: next, terminated, success } = moved;
    // Noise makes each reward another one, and they are not counted then.
    const noisy = table.rewardDeviation || table.rewardDeviations;
    const reward = noisy ? 0 : moved.reward;
    const id = JSON.stringify([next, reward, terminated, success]);
    const entry = counts.get(id) ??
      { seen: 0, expected: DRAWS * likelihood(table, state, action, moved) };
    entry.seen++;
    counts.set(id, entry);
  }
  for (const { seen, expected } of counts.values()) {
    const deviation = Math.sqrt(expected * Math.max(0, 1 - expected / DRAWS));
    if (Math.abs(seen - expected) > FAR * deviation + 1e-6) {
      yield "table: outcomes come more or less often than it says";
      return;
    }
  }
}

/** That a table is a finite MDP, and the environment starts and steps by it. */
export function* tableFaults(
  env: Environment,
  task: unknown,
  key: Key,
): Faults {
  const table = env.table!(task);
  const faults = [
    ...shapeFaults(table),
    ...optionalFaults(table),
    ...seenFaults(table),
  ];
  yield* faults;
  if (faults.length > 0) return;
  if (table.actions !== env.actions(task)) yield "table: other actions";
  yield* startFaults(env, task, table, key);
  for (let action = 0; action < table.actions; action++) {
    yield* oftenFaults(env, task, table, action, key);
  }
}

/** That episodes start where the table says, as often as it says. */
function* startFaults(
  env: Environment,
  task: unknown,
  table: Table,
  key: Key,
): Faults {
  const random = generator(foldIn(key, "table"));
  const counts = new Map<unknown, number>();
  for (let i = 0; i < DRAWS; i++) {
    const { state, observation } = env.reset(task, random);
    counts.set(state, (counts.get(state) ?? 0) + 1);
    if (!table.starts.includes(state as number)) {
      yield "table: an episode starts elsewhere";
    } else if (
      JSON.stringify(observe(table, state as number)) !==
        JSON.stringify(observation)
    ) yield "table: a start shows another observation";
  }
  for (const [i, state] of table.starts.entries()) {
    const p = table.startProbability?.[i] ?? 1 / table.starts.length;
    const deviation = Math.sqrt(DRAWS * p * (1 - p));
    const seen = counts.get(state) ?? 0;
    // A start that is named twice is counted twice, and left alone.
    if (table.starts.indexOf(state) !== table.starts.lastIndexOf(state)) {
      continue;
    }
    if (Math.abs(seen - DRAWS * p) > FAR * deviation + 1) {
      yield "table: starts come more or less often than it says";
    }
  }
}
