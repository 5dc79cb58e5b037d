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
  NONE,
  TASK_START,
} from "../../pack_layout.ts";
import type { Steps, Wanted } from "./trial.ts";

/**
 * Fills window `w` with steps `window.from` to `window.to` of a row. The action and
 * reward before the first step of a trial are none; before any other step they are
 * those of the step before, also where that was of another episode.
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
  const actions = steps.actions.values;
  arrays.actions.set(actions.subarray(from, to), at);
  arrays.rewards.set(rewards.subarray(from, to), at);
  // Of the first step of a trial there is nothing before.
  const skip = from === 0 ? 1 : 0;
  const before = [from + skip - 1, to - 1] as const;
  arrays.previous_actions.set(actions.subarray(...before), at + skip);
  arrays.previous_rewards.set(rewards.subarray(...before), at + skip);
  if (from === 0) {
    arrays.previous_actions[at] = NONE;
    arrays.previous_rewards[at] = 0;
  }
  arrays.labels?.set(steps.labels.values.subarray(from, to), at);
  arrays.tags?.set(steps.tags.values.subarray(from, to), at);
  for (const name of wanted.columns) {
    arrays.floats[name]!.set(steps.floats[name]!.values.subarray(from, to), at);
  }
  arrays.mask.fill(1, at, at + to - from);
  for (let i = from; i < to; i++) arrays.positions[at + i - from] = i;
  const { observed } = wanted;
  const width = typeof observed === "number" ? observed : 1;
  fillEpisodes(arrays, at, row, steps, { from, to }, width, steps.changes);
  arrays.previous_ends[at] = from === 0 ? 0 : endAt(row, from - 1);
  const ends = arrays.ends.subarray(at, at + to - from - 1);
  arrays.previous_ends.set(ends, at + 1);
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
  { observations: { values } }: Steps,
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
      observations[to] = values[i]!;
      next_observations[to] = values[i + width]!;
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
