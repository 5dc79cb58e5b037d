/**
 * The steps of a row as flat columns, ready to be cut into windows.
 *
 * @module
 */
import { cursor, place } from "../../json_scan.ts";
import {
  makeRoom,
  type Numbers,
  numbers,
  readNumbers,
} from "../../json_numbers.ts";
import {
  columnEnd,
  columnStart,
  fieldSpan,
  Malformed,
  type RowIndex,
} from "../../scan.ts";
import { columnIndex } from "../../schema.ts";
import { needColumn, readColumn } from "../../columns.ts";
import { type FloatColumn, NONE } from "../../pack_layout.ts";

const OBSERVATIONS = columnIndex("observations");
const ACTIONS = columnIndex("actions");
const LABELS = columnIndex("labels");
const TAGS = columnIndex("tags");
/** Embeddings of more were never trained. */
const LARGEST = 2 ** 24;
const c = cursor();
const decoder = new TextDecoder();

/** A number that integers are below: given, or one more than the largest yet. */
export interface Bound {
  n: number;
  readonly given: boolean;
}

/** What is wanted of each row. */
export interface Wanted {
  /** Integers below a bound, or vectors of a length. */
  readonly observed: Bound | number;
  readonly actions: Bound;
  readonly label: string | undefined;
  readonly tagged: boolean;
  readonly columns: ReadonlyArray<FloatColumn>;
}

/** A column of integers: as they were read, and once they are known to be such. */
export interface IntegerColumn {
  readonly read: Numbers;
  integers: Int32Array;
}

/** Columns of a trial, one entry a step; observations one more each episode. */
export interface Steps {
  readonly observations: IntegerColumn;
  readonly actions: IntegerColumn;
  readonly labels: IntegerColumn;
  readonly tags: Numbers;
  readonly floats: { readonly [name in FloatColumn]?: Numbers };
  /** Episodes with which the task changes, as `compose` says. */
  readonly changes: Set<number>;
}

export function emptySteps(columns: ReadonlyArray<FloatColumn>): Steps {
  const column = () => ({ read: numbers(), integers: new Int32Array(0) });
  return {
    observations: column(),
    actions: column(),
    labels: column(),
    tags: numbers(),
    floats: Object.fromEntries(columns.map((name) => [name, numbers()])),
    changes: new Set(),
  };
}

/** Has the door read what is wanted of rows to come, with its checks. */
export function readAtDoor(row: RowIndex, wanted: Wanted, into: Steps): void {
  const { columns } = row.reading;
  columns[ACTIONS] = into.actions.read;
  if (typeof wanted.observed !== "number") {
    columns[OBSERVATIONS] = into.observations.read;
  }
  const { label: name } = wanted;
  if (name !== undefined) row.reading.label = { name, into: into.labels.read };
}

/**
 * Takes the entries of a column as integers: below the bound, and not negative. It
 * has `extra` entries in each episode beside one a step.
 */
function needBelow(
  column: IntegerColumn,
  bound: Bound,
  row: RowIndex,
  name: string,
  extra = 0,
): void {
  const { values, length } = column.read;
  if (column.integers.length < length) {
    column.integers = new Int32Array(values.length);
  }
  const { integers } = column;
  const limit = bound.given ? bound.n : LARGEST;
  let largest = bound.n - 1;
  for (let i = 0; i < length; i++) {
    const value = values[i]!;
    // Limits are below 2 ** 31: what is an integer there is left as it is by | 0.
    const integer = integers[i] = value | 0;
    // What is negative is large to the second.
    if (integer === value && integer >>> 0 <= largest) continue;
    if (integer !== value || integer < 0 || integer >= limit) {
      throw notBelow(limit, value, i, row, name, extra);
    }
    largest = integer;
  }
  bound.n = largest + 1;
}

/** Says which entry of a column it is that stands at `i` of all of the trial. */
function notBelow(
  limit: number,
  value: number,
  i: number,
  { ends }: RowIndex,
  name: string,
  extra: number,
): Malformed {
  let e = 0;
  while (ends[e]! + extra * (e + 1) <= i) e++;
  const first = e === 0 ? 0 : ends[e - 1]! + extra * e;
  return new Malformed(
    `episodes[${e}].${name}[${
      i - first
    }] is ${value}, not an integer below ${limit}`,
  );
}

/** Observations that are vectors of `width` numbers. */
function readVectors(row: RowIndex, width: number, into: Numbers): void {
  into.length = 0;
  for (let e = 0; e < row.episodes; e++) {
    const [start, end] = [
      columnStart(row, e, OBSERVATIONS),
      columnEnd(row, e, OBSERVATIONS),
    ];
    const list: ReadonlyArray<unknown> = JSON.parse(
      decoder.decode(row.bytes.subarray(start, end)),
    );
    const flat = list.flat();
    const isWide = list.every((x) => Array.isArray(x) && x.length === width);
    if (!isWide || !flat.every((x) => typeof x === "number")) {
      throw new Malformed(
        `episodes[${e}].observations are not vectors of ${width} numbers`,
      );
    }
    makeRoom(into, flat.length);
    into.values.set(flat as ReadonlyArray<number>, into.length);
    into.length += flat.length;
  }
}

/** The door has read the labels of that name, unless an episode has none. */
function needLabels(row: RowIndex, name: string, { length }: Numbers): void {
  if (length === row.ends[row.episodes - 1]!) return;
  for (let e = 0; e < row.episodes; e++) {
    const steps = row.ends[e]! - (e === 0 ? 0 : row.ends[e - 1]!);
    if (hasLabels(row, e, name)) continue;
    throw new Malformed(
      `episodes[${e}].labels.${name} is missing, for ${steps} steps; retrial label writes them`,
    );
  }
}

function hasLabels(row: RowIndex, e: number, name: string): boolean {
  const start = columnStart(row, e, LABELS);
  if (start === 0) return false;
  const end = columnEnd(row, e, LABELS);
  return Object.hasOwn(
    JSON.parse(decoder.decode(row.bytes.subarray(start, end))),
    name,
  );
}

/** Tags of all steps; those of episodes without tags are none. */
function readTags(row: RowIndex, into: Numbers): void {
  into.length = 0;
  for (let e = 0; e < row.episodes; e++) {
    const from = columnStart(row, e, TAGS);
    if (from !== 0) {
      place(c, row.bytes, from, columnEnd(row, e, TAGS));
      readNumbers(c, into);
      continue;
    }
    makeRoom(into, row.ends[e]! - into.length);
    into.values.fill(NONE, into.length, row.ends[e]!);
    into.length = row.ends[e]!;
  }
}

/** Finds where a row says that its task changes. */
function readChanges(row: RowIndex, changes: Set<number>): void {
  changes.clear();
  const span = fieldSpan(row, "boundary");
  if (span === undefined) return;
  const boundary: unknown = JSON.parse(
    decoder.decode(row.bytes.subarray(...span)),
  );
  // Other programs' notes may be anything.
  if (!Array.isArray(boundary)) return;
  boundary.slice(1).forEach((set, i) => {
    if (set?.task !== boundary[i]?.task) changes.add(set?.episode);
  });
}

/**
 * Checks what the door has read of a row, and reads the rest of what is wanted; its
 * rewards are in the row's own index.
 */
export function readSteps(row: RowIndex, wanted: Wanted, into: Steps): void {
  const { observed, actions, label } = wanted;
  if (typeof observed === "number") {
    readVectors(row, observed, into.observations.read);
  } else needBelow(into.observations, observed, row, "observations", 1);
  needBelow(into.actions, actions, row, "actions");
  if (label !== undefined) {
    needLabels(row, label, into.labels.read);
    needBelow(into.labels, actions, row, `labels.${label}`);
  }
  if (wanted.tagged) readTags(row, into.tags);
  readChanges(row, into.changes);
  for (const name of wanted.columns) {
    needColumn(row, name, "--columns asks for it");
    readColumn(row, columnIndex(name), into.floats[name]!);
  }
}
