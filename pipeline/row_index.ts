/**
 * Where things stand in a row, as the scan finds them.
 *
 * @module
 */
import { type Numbers, numbers } from "./json_numbers.ts";
import { columnIndex, COLUMNS, FIELDS } from "./schema.ts";

const C = COLUMNS.length;
const REFLECTION_COLUMN = columnIndex("reflection");

/** Places that are noted of a reflection; those that are not there are 0. */
export const REFLECTION = 7;
/** Starts of values, each followed by its end. */
export const REFLECTION_RETURN = 0;
export const REFLECTION_ADVANTAGE = 2;
export const REFLECTION_VALID = 4;
/** The closing brace. */
export const REFLECTION_CLOSE = 6;

/** Where things stand in a row; places are into `bytes`, 0 is nowhere. */
export interface RowIndex {
  bytes: Uint8Array;
  start: number;
  /** Behind the row's last byte, which is before the line feed. */
  end: number;
  /** The place of the row's own closing brace. */
  close: number;
  /** Start and end of each field of {@linkcode FIELDS}. */
  readonly fields: Int32Array;
  /** Start and end of `task.id` and `task.world`. */
  readonly task: Int32Array;
  episodes: number;
  /** Start and end of each column: at `2 * (e * COLUMNS.length + column)`. */
  columns: Int32Array;
  /** A bit for each column that an episode has. */
  present: Int32Array;
  /** The closing brace of each episode. */
  closes: Int32Array;
  /** Places in each reflection that is there: {@linkcode REFLECTION} each. */
  reflections: Int32Array;
  /** Steps up to the end of each episode. */
  ends: Int32Array;
  /** 1 where an episode succeeded. */
  success: Uint8Array;
  /** 1 where an episode terminated. */
  terminated: Uint8Array;
  /** The rewards of all episodes, flat. */
  readonly rewards: Numbers;
  /** What else is read as it is checked, flat over the episodes; nothing at first. */
  readonly reading: Reading;
}

/** Columns that must be lists of numbers, since somebody reads them. */
export interface Reading {
  /** By the column's index. */
  readonly columns: Array<Numbers | undefined>;
  /** The reference whose labels are read, and where to. */
  label?: { readonly name: string; readonly into: Numbers };
}

export function rowIndex(): RowIndex {
  const rewards = numbers();
  const columns: Array<Numbers | undefined> = Array(C).fill(undefined);
  columns[columnIndex("rewards")] = rewards;
  return {
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
    close: 0,
    fields: new Int32Array(2 * FIELDS.length),
    task: new Int32Array(4),
    episodes: 0,
    columns: new Int32Array(2 * C * 16),
    present: new Int32Array(16),
    closes: new Int32Array(16),
    reflections: new Int32Array(REFLECTION * 16),
    ends: new Int32Array(16),
    success: new Uint8Array(16),
    terminated: new Uint8Array(16),
    rewards,
    reading: { columns },
  };
}

/** Makes room for more episodes. */
export function grow(row: RowIndex): void {
  const size = row.closes.length * 2;
  const copy = <A extends Int32Array | Uint8Array>(from: A, into: A): A => {
    into.set(from);
    return into;
  };
  row.columns = copy(row.columns, new Int32Array(2 * C * size));
  row.present = copy(row.present, new Int32Array(size));
  row.closes = copy(row.closes, new Int32Array(size));
  row.reflections = copy(row.reflections, new Int32Array(REFLECTION * size));
  row.ends = copy(row.ends, new Int32Array(size));
  row.success = copy(row.success, new Uint8Array(size));
  row.terminated = copy(row.terminated, new Uint8Array(size));
}

/** The place of a field's value; `undefined` if the row has none. */
export function fieldSpan(
  row: RowIndex,
  field: typeof FIELDS[number],
): readonly [number, number] | undefined {
  const at = 2 * FIELDS.indexOf(field);
  const from = row.fields[at]!;
  return from === 0 ? undefined : [from, row.fields[at + 1]!];
}

/** The place of a column's value in episode `e`; 0 if it has none. */
export function columnStart(row: RowIndex, e: number, index: number): number {
  const isPresent = row.present[e]! & (1 << index);
  return isPresent ? row.columns[2 * (e * C + index)]! : 0;
}

export function columnEnd(row: RowIndex, e: number, index: number): number {
  const isPresent = row.present[e]! & (1 << index);
  return isPresent ? row.columns[2 * (e * C + index) + 1]! : 0;
}

/** Whether episode `e` has a reflection. */
export function hasReflection(row: RowIndex, e: number): boolean {
  return columnStart(row, e, REFLECTION_COLUMN) !== 0;
}

/** The text of a string found by the scan. */
export function spanText(row: RowIndex, from: number, to: number): string {
  return JSON.parse(decoder.decode(row.bytes.subarray(from, to)));
}
const decoder = new TextDecoder();

/** `task.world`, or `task.id` where the row has none: what must not leak. */
export function worldOf(row: RowIndex): string {
  const at = row.task[2] === 0 ? 0 : 2;
  return spanText(row, row.task[at]!, row.task[at + 1]!);
}

/** `task.id` */
export function taskOf(row: RowIndex): string {
  return spanText(row, row.task[0]!, row.task[1]!);
}
