/**
 * The door: checks one line against the schema, and finds where its columns
 * stand, without building an object. What a transform leaves alone can then pass
 * as bytes.
 *
 * @module
 */
import {
  type Cursor,
  enter,
  enterList,
  nextEntry,
  nextMember,
  type Numbers,
  numbers,
  peek,
  readFlag,
  readNumber,
  readNumbers,
  readString,
  skipList,
  skipString,
  skipValue,
  Syntax,
  toValue,
} from "./json_scan.ts";
import {
  type Column,
  columnIndex,
  COLUMNS,
  FIELDS,
  REQUIRED_FIELDS,
  SCHEMA,
} from "./schema.ts";

const C = COLUMNS.length;
const REWARDS = columnIndex("rewards");
const ACTIONS = columnIndex("actions");
const SUCCESS = columnIndex("success");
const TERMINATED = columnIndex("terminated");
const REFLECTION = columnIndex("reflection");
const utf8 = new TextEncoder();

/** A name as bytes, to be matched without making a string. */
type Names = ReadonlyArray<Uint8Array>;
const columnNames: Names = COLUMNS.map(({ name }) => utf8.encode(name));
const fieldNames: Names = FIELDS.map((name) => utf8.encode(name));
const reflectionNames: Names = [
  "text",
  "valid",
  "source",
  "return",
  "advantage",
].map((name) => utf8.encode(name));
const taskNames: Names = ["id", "world"].map((name) => utf8.encode(name));
const REFLECTION_RETURN = 3;

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
  /** The closing brace of each episode. */
  closes: Int32Array;
  /** Start and end of `reflection.return`, and the closing brace: 3 each. */
  reflections: Int32Array;
  /** Steps up to the end of each episode. */
  ends: Int32Array;
  /** 1 where an episode succeeded. */
  success: Uint8Array;
  /** 1 where an episode terminated. */
  terminated: Uint8Array;
  /** The rewards of all episodes, flat. */
  readonly rewards: Numbers;
}

export function rowIndex(): RowIndex {
  return {
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
    close: 0,
    fields: new Int32Array(2 * FIELDS.length),
    task: new Int32Array(4),
    episodes: 0,
    columns: new Int32Array(2 * C * 16),
    closes: new Int32Array(16),
    reflections: new Int32Array(3 * 16),
    ends: new Int32Array(16),
    success: new Uint8Array(16),
    terminated: new Uint8Array(16),
    rewards: numbers(),
  };
}

function grow(row: RowIndex): void {
  const size = row.closes.length * 2;
  const copy = <A extends Int32Array | Uint8Array>(from: A, into: A): A => {
    into.set(from);
    return into;
  };
  row.columns = copy(row.columns, new Int32Array(2 * C * size));
  row.closes = copy(row.closes, new Int32Array(size));
  row.reflections = copy(row.reflections, new Int32Array(3 * size));
  row.ends = copy(row.ends, new Int32Array(size));
  row.success = copy(row.success, new Uint8Array(size));
  row.terminated = copy(row.terminated, new Uint8Array(size));
}

/** A row that is JSON, but not a trial. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

function matches(c: Cursor, name: Uint8Array): boolean {
  const from = c.at + 1;
  if (c.bytes[from + name.length] !== 0x22) return false;
  for (let i = 0; i < name.length; i++) {
    if (c.bytes[from + i] !== name[i]) return false;
  }
  return true;
}

/**
 * Which of `names` the key at the cursor is, and goes over it and its colon; -1
 * if none. Keys mostly come in the order of the table, so `guess` is tried first.
 */
function readKey(c: Cursor, names: Names, guess: number): number {
  let found = -1;
  for (let i = 0; i < names.length; i++) {
    const candidate = (guess + i) % names.length;
    if (!matches(c, names[candidate]!)) continue;
    found = candidate;
    c.at += names[candidate]!.length + 2;
    break;
  }
  if (found < 0) skipString(c);
  toValue(c);
  return found;
}

/** Runs `scan` for a field, so that what is wrong in it is said with its name. */
function within<A>(field: () => string, scan: () => A): A {
  try {
    return scan();
  } catch (error) {
    if (!(error instanceof Syntax)) throw error;
    throw new Malformed(`${field()}: ${error.message}`);
  }
}

const state = { cursor: { bytes: new Uint8Array(0), at: 0, end: 0 } };

/** Column and episode being read, for errors alone. */
let column = 0;
const lengths = new Int32Array(C);

function scanColumn(c: Cursor, row: RowIndex, index: number): void {
  const { kind } = COLUMNS[index]!;
  if (index === REWARDS) {
    lengths[index] = readNumbers(c, row.rewards);
  } else if (kind === "flag") {
    const flag = readFlag(c) ? 1 : 0;
    if (index === SUCCESS) row.success[row.episodes] = flag;
    if (index === TERMINATED) row.terminated[row.episodes] = flag;
    lengths[index] = 0;
  } else if (kind === "labels") {
    scanLabels(c);
  } else if (kind === "reflection") {
    scanReflection(c, row);
  } else if (kind === "numbers") {
    ignored.length = 0;
    lengths[index] = readNumbers(c, ignored);
  } else lengths[index] = skipList(c);
}
const ignored = numbers();

/** Labels: the shortest and the longest list must both be as long as steps. */
function scanLabels(c: Cursor): void {
  labelLengths.clear();
  for (let more = enter(c); more; more = nextMember(c)) {
    const name = readString(c);
    toValue(c);
    labelLengths.set(name, skipList(c));
  }
}
const labelLengths = new Map<string, number>();

function scanReflection(c: Cursor, row: RowIndex): void {
  const at = 3 * row.episodes;
  for (let more = enter(c), key = -1; more; more = nextMember(c)) {
    key = readKey(c, reflectionNames, key + 1);
    const from = c.at;
    if (key >= REFLECTION_RETURN) readNumber(c);
    else skipValue(c);
    if (key !== REFLECTION_RETURN) continue;
    row.reflections[at] = from;
    row.reflections[at + 1] = c.at;
  }
  row.reflections[at + 2] = c.at - 1;
}

function scanEpisode(c: Cursor, row: RowIndex): void {
  const e = row.episodes;
  if (e === row.closes.length) grow(row);
  const base = 2 * e * C;
  row.columns.fill(0, base, base + 2 * C);
  row.reflections.fill(0, 3 * e, 3 * e + 3);
  row.success[e] = row.terminated[e] = 0;
  for (let more = enter(c), key = -1; more; more = nextMember(c)) {
    const place = readKey(c, columnNames, key + 1);
    if (place < 0) {
      skipValue(c);
      continue;
    }
    key = column = place;
    const from = c.at;
    if (row.columns[base + 2 * key] !== 0) {
      throw new Malformed(`${columnName(row)} is there twice`);
    }
    scanColumn(c, row, key);
    row.columns[base + 2 * key] = from;
    row.columns[base + 2 * key + 1] = c.at;
  }
  row.closes[e] = c.at - 1;
  checkLengths(row, base);
}

function columnName(row: RowIndex): string {
  return `episodes[${row.episodes}].${COLUMNS[column]!.name}`;
}

function checkLengths(row: RowIndex, base: number): void {
  const present = (index: number) => row.columns[base + 2 * index] !== 0;
  const steps = lengths[ACTIONS]!;
  for (column = 0; column < C; column++) {
    const { required, kind, extra } = COLUMNS[column]!;
    if (!present(column)) {
      if (required) throw new Malformed(`${columnName(row)} is missing`);
      continue;
    }
    if (kind === "labels") checkLabels(row, steps);
    if (kind === "labels" || kind === "flag" || kind === "reflection") continue;
    if (kind === "list") continue;
    wrongLength(columnName(row), lengths[column]!, steps + extra);
  }
  const before = row.episodes === 0 ? 0 : row.ends[row.episodes - 1]!;
  row.ends[row.episodes] = before + steps;
}

function wrongLength(name: string, length: number, expected: number): void {
  if (length === expected) return;
  throw new Malformed(`${name} has ${length} entries, expected ${expected}`);
}

function checkLabels(row: RowIndex, steps: number): void {
  for (const [name, length] of labelLengths) {
    wrongLength(`${columnName(row)}.${name}`, length, steps);
  }
}

function scanEpisodes(c: Cursor, row: RowIndex): void {
  if (!enterList(c)) throw new Malformed("episodes is empty");
  let inColumn = true;
  try {
    do {
      column = -1;
      scanEpisode(c, row);
      row.episodes++;
    } while (nextEntry(c));
    inColumn = false;
  } catch (error) {
    if (!(error instanceof Syntax)) throw error;
    const name = inColumn && column >= 0
      ? columnName(row)
      : `episodes[${row.episodes}]`;
    throw new Malformed(`${name}: ${error.message}`);
  }
}

function scanTask(c: Cursor, row: RowIndex): void {
  row.task.fill(0);
  for (let more = enter(c), key = -1; more; more = nextMember(c)) {
    key = readKey(c, taskNames, key + 1);
    const from = c.at;
    if (key >= 0) {
      if (peek(c) !== 0x22) {
        throw new Malformed(`task.${key ? "world" : "id"} is not a string`);
      }
      skipString(c);
      row.task[2 * key] = from;
      row.task[2 * key + 1] = c.at;
    } else skipValue(c);
  }
  if (row.task[0] === 0) throw new Malformed("task.id is missing");
}

function scanField(c: Cursor, row: RowIndex, key: number): void {
  const name = FIELDS[key];
  if (name === "episodes") return scanEpisodes(c, row);
  if (name === "task") return scanTask(c, row);
  if (name === "sample") {
    const sample = readNumber(c);
    if (Number.isSafeInteger(sample) && sample >= 0) return;
    throw new Malformed(`sample is ${sample}, not a count`);
  }
  if (name === "schema") {
    const schema = peek(c) === 0x22 ? readString(c) : undefined;
    if (schema === SCHEMA) return;
    throw new Malformed(
      `schema is ${schema ?? "not text"}, expected ${SCHEMA}`,
    );
  }
  if ((name === "id" || name === "seed") && peek(c) !== 0x22) {
    throw new Malformed(`${name} is not a string`);
  }
  skipValue(c);
}

/**
 * Holds the line `start` to `end` of `bytes` against the schema and fills `row`
 * with where things stand. Throws {@linkcode Malformed}, saying which field.
 *
 * Rows may come without `schema` (other programs' rows); if it is there it must
 * be ours.
 */
export function scanRow(
  bytes: Uint8Array,
  start: number,
  end: number,
  row: RowIndex,
): void {
  const c: Cursor = state.cursor;
  c.bytes = row.bytes = bytes;
  c.at = row.start = start;
  c.end = row.end = end;
  row.episodes = row.rewards.length = 0;
  row.fields.fill(0);
  within(() => "row", () => {
    if (peek(c) === 0) throw new Malformed("the line is empty");
    for (let more = enter(c), key = -1; more; more = nextMember(c)) {
      const place = readKey(c, fieldNames, key + 1);
      const from = c.at;
      if (place < 0) {
        skipValue(c);
        continue;
      }
      key = place;
      if (row.fields[2 * key] !== 0) {
        throw new Malformed(`${FIELDS[key]} is there twice`);
      }
      within(() => FIELDS[key]!, () => scanField(c, row, key));
      row.fields[2 * key] = from;
      row.fields[2 * key + 1] = c.at;
    }
    row.close = c.at - 1;
    if (peek(c) !== 0) throw new Malformed("there is more behind the row");
  });
  for (const name of REQUIRED_FIELDS) {
    if (row.fields[2 * FIELDS.indexOf(name)] === 0) {
      throw new Malformed(`${name} is missing`);
    }
  }
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
  return row.columns[2 * (e * C + index)]!;
}

export function columnEnd(row: RowIndex, e: number, index: number): number {
  return row.columns[2 * (e * C + index) + 1]!;
}

/** Whether episode `e` has a reflection. */
export function hasReflection(row: RowIndex, e: number): boolean {
  return columnStart(row, e, REFLECTION) !== 0;
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

export type { Column };
