/**
 * The steps of a row as flat columns, ready to be cut into windows.
 *
 * @module
 */
import {
  cursor,
  enter,
  nextMember,
  place,
  readString,
  skipValue,
  toValue,
} from "../../json_scan.ts";
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
const labels = cursor();
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

/** Columns of a trial, one entry a step; observations one more each episode. */
export interface Steps {
  readonly observations: Numbers;
  readonly actions: Numbers;
  readonly labels: Numbers;
  readonly tags: Numbers;
  readonly floats: { readonly [name in FloatColumn]?: Numbers };
  /** Episodes with which the task changes, as `compose` says. */
  readonly changes: Set<number>;
}

export function emptySteps(columns: ReadonlyArray<FloatColumn>): Steps {
  return {
    observations: numbers(),
    actions: numbers(),
    labels: numbers(),
    tags: numbers(),
    floats: Object.fromEntries(columns.map((name) => [name, numbers()])),
    changes: new Set(),
  };
}

/** A list of numbers of episode `e`, or what it is instead. */
function readList(
  row: RowIndex,
  e: number,
  index: number,
  name: string,
  into: Numbers,
): void {
  const [from, to] = [columnStart(row, e, index), columnEnd(row, e, index)];
  try {
    place(c, row.bytes, from, to);
    readNumbers(c, into);
  } catch {
    throw new Malformed(
      `episodes[${e}].${name} holds what is no number: packs hold integers, and vectors of numbers as observations`,
    );
  }
}

/** Checks integers from `from` of a column: below the bound, and not negative. */
function needBelow(
  into: Numbers,
  from: number,
  bound: Bound,
  e: number,
  name: string,
): void {
  const limit = bound.given ? bound.n : LARGEST;
  for (let i = from; i < into.length; i++) {
    const value = into.values[i]!;
    if (!Number.isInteger(value) || value < 0 || value >= limit) {
      const place = `episodes[${e}].${name}[${i - from}]`;
      throw new Malformed(
        `${place} is ${value}, not an integer below ${limit}`,
      );
    }
    if (value >= bound.n) bound.n = value + 1;
  }
}

function readObservations(
  row: RowIndex,
  e: number,
  observed: Bound | number,
  into: Numbers,
): void {
  const from = into.length;
  if (typeof observed !== "number") {
    readList(row, e, OBSERVATIONS, "observations", into);
    return needBelow(into, from, observed, e, "observations");
  }
  const [start, end] = [
    columnStart(row, e, OBSERVATIONS),
    columnEnd(row, e, OBSERVATIONS),
  ];
  const list: ReadonlyArray<unknown> = JSON.parse(
    decoder.decode(row.bytes.subarray(start, end)),
  );
  const flat = list.flat();
  const isWide = list.every((x) => Array.isArray(x) && x.length === observed);
  if (!isWide || !flat.every((x) => typeof x === "number")) {
    throw new Malformed(
      `episodes[${e}].observations are not vectors of ${observed} numbers`,
    );
  }
  makeRoom(into, flat.length);
  into.values.set(flat as ReadonlyArray<number>, from);
  into.length += flat.length;
}

/** The labels of one reference in episode `e`; none where it has none. */
function readLabels(
  row: RowIndex,
  e: number,
  name: string,
  steps: number,
  into: Numbers,
): void {
  const start = columnStart(row, e, LABELS);
  if (start !== 0) {
    place(labels, row.bytes, start, columnEnd(row, e, LABELS));
    for (let more = enter(labels); more; more = nextMember(labels)) {
      const key = readString(labels);
      toValue(labels);
      if (key === name) {
        readNumbers(labels, into);
        return;
      }
      skipValue(labels);
    }
  }
  throw new Malformed(
    `episodes[${e}].labels.${name} is missing, for ${steps} steps; retrial label writes them`,
  );
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

/** Reads what is wanted of a row; its rewards are in the row's own index. */
export function readSteps(row: RowIndex, wanted: Wanted, into: Steps): void {
  for (
    const column of [into.observations, into.actions, into.labels, into.tags]
  ) {
    column.length = 0;
  }
  for (let e = 0; e < row.episodes; e++) {
    const steps = row.ends[e]! - (e === 0 ? 0 : row.ends[e - 1]!);
    readObservations(row, e, wanted.observed, into.observations);
    const from = into.actions.length;
    readList(row, e, ACTIONS, "actions", into.actions);
    needBelow(into.actions, from, wanted.actions, e, "actions");
    if (wanted.label !== undefined) {
      const first = into.labels.length;
      readLabels(row, e, wanted.label, steps, into.labels);
      needBelow(into.labels, first, wanted.actions, e, "labels");
    }
    if (!wanted.tagged) continue;
    if (columnStart(row, e, TAGS) !== 0) {
      readList(row, e, TAGS, "tags", into.tags);
    } else for (let t = 0; t < steps; t++) pushNone(into.tags);
  }
  readChanges(row, into.changes);
  for (const name of wanted.columns) {
    needColumn(row, name, "--columns asks for it");
    readColumn(row, columnIndex(name), into.floats[name]!);
  }
}

function pushNone(into: Numbers): void {
  makeRoom(into, 1);
  into.values[into.length++] = NONE;
}
