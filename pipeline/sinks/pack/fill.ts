/**
 * Steps of a trial put into windows of arrays.
 *
 * @module
 */
import type { Window } from "../../../kernels/packing/windows.ts";
import type { RowIndex } from "../../scan.ts";
import {
  type Arrays,
  ENDS_TERMINATED,
  ENDS_TRUNCATED,
  EPISODE_START,
  type Integers,
  NONE,
  TASK_START,
} from "../../pack_layout.ts";
import type { Steps, Wanted } from "./trial.ts";

/** The entries `from` to `to` of a column, at `at` of an array. */
function copy(
  into: Integers | Float32Array,
  at: number,
  column: Int32Array | Float64Array,
  from: number,
  to: number,
): void {
  into.set(column.subarray(from, to), at);
}

/** An array one step late: at each step what stands at the step before. */
function copyLate<A extends Integers | Float32Array | Uint8Array>(
  late: A,
  array: A,
  at: number,
  steps: number,
  first: number,
): void {
  late[at] = first;
  late.set(array.subarray(at, at + steps - 1), at + 1);
}

/**
 * Fills window `w` with steps `window.from` to `window.to` of a row, and masks out
 * the cells behind them. The action and reward before the first step of a trial are
 * none; before any other step they are those of the step before, also where that
 * was of another episode.
 */
export function fillWindow(
  arrays: Arrays,
  w: number,
  context: number,
  row: RowIndex,
  steps: Steps,
  { from, to }: Window,
  wanted: Wanted,
): void {
  const at = w * context;
  const rewards = row.rewards.values;
  const { actions: { integers: actions }, labels, tags } = steps;
  copy(arrays.actions, at, actions, from, to);
  copy(arrays.rewards, at, rewards, from, to);
  if (arrays.labels) copy(arrays.labels, at, labels.integers, from, to);
  if (arrays.tags) copy(arrays.tags, at, tags.values, from, to);
  for (const name of wanted.columns) {
    copy(arrays.floats[name]!, at, steps.floats[name]!.values, from, to);
  }
  const { positions, starts, ends, mask } = arrays;
  const n = to - from;
  for (let i = 0; i < n; i++) positions[at + i] = from + i;
  starts.fill(0, at, at + n);
  ends.fill(0, at, at + n);
  mask.fill(1, at, at + n);
  const { observed } = wanted;
  const { read, integers } = steps.observations;
  const [seen, width] = typeof observed === "number"
    ? [read.values, observed]
    : [integers, 1];
  fillEpisodes(arrays, at, row, seen, { from, to }, width, steps.changes);
  // Of the first step of a trial there is nothing before.
  const isFirst = from === 0;
  const action = isFirst ? NONE : actions[from - 1]!;
  const reward = isFirst ? 0 : rewards[from - 1]!;
  const end = isFirst ? 0 : endAt(row, from - 1);
  copyLate(arrays.previous_actions, arrays.actions, at, n, action);
  copyLate(arrays.previous_rewards, arrays.rewards, at, n, reward);
  copyLate(arrays.previous_ends, ends, at, n, end);
  if (n < context) maskOut(arrays, at + n, at + context, width);
}

/** Cells `from` to `to` as they are where there is no step. */
function maskOut(
  { floats, observations, next_observations, ...arrays }: Arrays,
  from: number,
  to: number,
  width: number,
): void {
  observations.fill(0, from * width, to * width);
  next_observations.fill(0, from * width, to * width);
  const { actions, previous_actions, labels, tags, ...zeros } = arrays;
  for (const array of [actions, previous_actions, labels, tags]) {
    array?.fill(NONE, from, to);
  }
  for (const array of [...Object.values(floats), ...Object.values(zeros)]) {
    array.fill(0, from, to);
  }
}

/** How step `i` ended its episode, 0 if it did not. */
function endAt({ ends, episodes, terminated }: RowIndex, i: number): number {
  // Of several that end there the first has steps.
  for (let e = 0; e < episodes && ends[e]! <= i + 1; e++) {
    if (ends[e] === i + 1) {
      return terminated[e] ? ENDS_TERMINATED : ENDS_TRUNCATED;
    }
  }
  return 0;
}

/** What depends on where episodes begin and end. */
function fillEpisodes(
  arrays: Arrays,
  at: number,
  row: RowIndex,
  seen: Int32Array | Float64Array,
  { from, to }: Window,
  width: number,
  changes: ReadonlySet<number>,
): void {
  const { ends, terminated } = row;
  const { observations, next_observations } = arrays;
  let e = 0;
  while (ends[e]! <= from) e++;
  if (from === 0) arrays.starts[at] = TASK_START;
  for (let first = from; first < to; e++) {
    const last = Math.min(ends[e]!, to);
    // Each episode before has one observation more than steps.
    const [low, high] = [(first + e) * width, (last + e) * width];
    const into = (at + first - from) * width;
    // Episodes may be of a few steps: a view of each would cost more.
    for (let i = low, to = into; i < high; i++, to++) {
      observations[to] = seen[i]!;
      next_observations[to] = seen[i + width]!;
    }
    if (first === (e === 0 ? 0 : ends[e - 1]!)) {
      const start = at + first - from;
      const change = changes.has(e) ? TASK_START : 0;
      arrays.starts[start] = arrays.starts[start]! | EPISODE_START | change;
    }
    // An episode without steps ends nowhere.
    if (last === ends[e]! && last > first) {
      arrays.ends[at + last - 1 - from] = terminated[e]
        ? ENDS_TERMINATED
        : ENDS_TRUNCATED;
    }
    first = last;
  }
}
