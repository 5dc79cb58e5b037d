/**
 * Chance by name: what happens to a row depends on the seed and on the row's own
 * name, never on the rows before it, the shard it is in or the worker.
 *
 * @module
 */
import { foldIn, type Key, type Part, rootKey } from "../kernels/random/key.ts";
import { UsageError } from "./errors.ts";
import { fieldSpan, type RowIndex, spanText, taskOf, worldOf } from "./scan.ts";

/** The flag of every stage that leaves something to chance. */
export const SEED_FLAG = {
  type: "text",
  default: "0",
  value: "N",
  summary: "seed of the choice, an integer below 2^64",
} as const;

/** The key of a stage's choices; a wrong seed is a UsageError. */
export function stageKey(seed: string, stage: string): Key {
  try {
    return foldIn(rootKey(seed), stage);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError({ message: error.message });
  }
}

/** The key of something below a stage's. */
export function keyOf(stage: Key, name: Part): Key {
  return foldIn(stage, name);
}

/** A number in [0, 1) that a key stands for: 53 bits of it. */
export function unit(key: Key): number {
  return (key[0] * 2 ** 21 + (key[1] >>> 11)) / 2 ** 53;
}

/** Before, at or behind `b`, in the order of 128-bit numbers. */
export function compareKeys(a: Key, b: Key): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3];
}

/** The id of a row. */
export function idOf(row: RowIndex): string {
  const [from, to] = fieldSpan(row, "id")!;
  return spanText(row, from, to);
}

/** What is kept together: a row alone, or all rows of its task or world. */
export const UNITS = ["row", "task", "world"] as const;

/** The name of the unit that a row belongs to. */
export const unitOf: {
  readonly [unit in typeof UNITS[number]]: (row: RowIndex) => string;
} = { row: idOf, task: taskOf, world: worldOf };
