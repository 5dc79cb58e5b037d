/**
 * The door: checks one line against the schema, and finds where its columns
 * stand, without building an object. What a transform leaves alone can then pass
 * as bytes.
 *
 * @module
 */
import { LINE_FEED } from "./bytes.ts";
import {
  type Cursor,
  cursor,
  enter,
  enterList,
  nextEntry,
  nextMember,
  peek,
  place,
  readFlag,
  readNumber,
  readString,
  skipList,
  skipString,
  skipValue,
  Syntax,
  toValue,
} from "./json_scan.ts";
import { numbers, readNumbers } from "./json_numbers.ts";
import { namesOf, readKey } from "./names.ts";
import { grow, type RowIndex } from "./row_index.ts";
import { scanReflection } from "./scan_reflection.ts";
import {
  type Column,
  columnIndex,
  COLUMNS,
  FIELDS,
  REQUIRED_FIELDS,
  SCHEMA,
} from "./schema.ts";

const C = COLUMNS.length;
const ACTIONS = columnIndex("actions");
const SUCCESS = columnIndex("success");
const TERMINATED = columnIndex("terminated");
const LABELS = columnIndex("labels");
const utf8 = new TextEncoder();

export {
  columnEnd,
  columnStart,
  fieldSpan,
  hasReflection,
  type RowIndex,
  rowIndex,
  spanText,
  taskOf,
  worldOf,
} from "./row_index.ts";

const columnNames = namesOf(COLUMNS.map(({ name }) => name));
const fieldNames = namesOf(FIELDS);
const taskNames = namesOf(["id", "world"]);
/** A row that is JSON, but not a trial. */
export class Malformed extends Error {
  override readonly name = "Malformed";
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

const shared = cursor();

/** Column and episode being read, for errors alone. */
let column = 0;
const lengths = new Int32Array(C);

function scanColumn(c: Cursor, row: RowIndex, index: number): void {
  const { kind } = COLUMNS[index]!;
  const into = row.reading.columns[index];
  if (into !== undefined) {
    lengths[index] = readNumbers(c, into);
  } else if (kind === "flag") {
    const flag = readFlag(c) ? 1 : 0;
    if (index === SUCCESS) row.success[row.episodes] = flag;
    if (index === TERMINATED) row.terminated[row.episodes] = flag;
    lengths[index] = 0;
  } else if (kind === "labels") {
    scanLabels(c, row);
  } else if (kind === "reflection") {
    scanReflection(c, row);
  } else if (kind === "numbers") {
    ignored.length = 0;
    lengths[index] = readNumbers(c, ignored);
  } else lengths[index] = skipList(c);
}
const ignored = numbers();

/** Names and lengths of an episode's labels, the first so many of these. */
const labelNames: Array<string> = [];
const labelLengths: Array<number> = [];
let labels = 0;

function hasLabels(name: string): boolean {
  for (let i = 0; i < labels; i++) if (labelNames[i] === name) return true;
  return false;
}

function scanLabels(c: Cursor, row: RowIndex): void {
  const wanted = row.reading.label;
  labels = 0;
  for (let more = enter(c); more; more = nextMember(c)) {
    const name = readString(c);
    toValue(c);
    if (hasLabels(name)) {
      throw new Malformed(`${columnName(row)}.${name} is there twice`);
    }
    labelNames[labels] = name;
    labelLengths[labels++] = name === wanted?.name
      ? readNumbers(c, wanted.into)
      : skipList(c);
  }
}

function scanEpisode(c: Cursor, row: RowIndex): void {
  const e = row.episodes;
  if (e === row.closes.length) grow(row);
  row.present[e] = row.success[e] = row.terminated[e] = 0;
  let key = -1;
  let more = true;
  if (stands(c, OPENING)) {
    c.at += OPENING.length;
    key = scanRun(c, row, 0);
    more = nextMember(c);
  } else more = enter(c);
  while (more) {
    const found = readKey(c, columnNames, key + 1);
    if (found < 0) skipValue(c);
    else {
      if (key >= 0) followers[key] = found;
      key = scanRun(c, row, found);
    }
    more = nextMember(c);
  }
  row.closes[e] = c.at - 1;
  checkLengths(row);
}

/** Which column stood behind each, where it was last looked for. */
const followers = Int32Array.from(COLUMNS, (_, i) => (i + 1) % C);

/** Reads a column, and those behind it that stand as they did before. */
function scanRun(c: Cursor, row: RowIndex, first: number): number {
  let key = column = first;
  scanPresent(c, row, key);
  for (;;) {
    const next = followers[key]!;
    const expected = NEXT_KEYS[next]!;
    if (!stands(c, expected)) return key;
    key = column = next;
    c.at += expected.length;
    scanPresent(c, row, key);
  }
}

/** A text of four bytes or more, to be compared four bytes at a time. */
interface Phrase {
  readonly length: number;
  /** From the start, four bytes each; the last ends where the text does. */
  readonly words: Int32Array;
  readonly first: number;
}

function phrase(text: string): Phrase {
  const bytes = utf8.encode(text);
  const view = new DataView(bytes.buffer);
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  const last = bytes.length - 4;
  words.forEach((_, i) => {
    words[i] = view.getInt32(Math.min(4 * i, last), true);
  });
  return { length: bytes.length, words, first: bytes[0]! };
}

const OPENING = phrase(`{"${COLUMNS[0]!.name}":`);
const NEXT_KEYS = COLUMNS.map(({ name }) => phrase(`,"${name}":`));

/** Whether a phrase stands at the cursor, and a value right behind it. */
function stands(c: Cursor, { length, words, first }: Phrase): boolean {
  const { bytes, view, at } = c;
  if (at + length >= c.end || bytes[at] !== first) return false;
  const last = words.length - 1;
  for (let i = 0; i < last; i++) {
    if (view.getInt32(at + 4 * i, true) !== words[i]) return false;
  }
  return view.getInt32(at + length - 4, true) === words[last] &&
    bytes[at + length]! > 0x20;
}

/** Reads a column that is there, and notes where. */
function scanPresent(c: Cursor, row: RowIndex, key: number): void {
  const from = c.at;
  const e = row.episodes;
  if (row.present[e]! & (1 << key)) {
    throw new Malformed(`${columnName(row)} is there twice`);
  }
  row.present[e] = row.present[e]! | (1 << key);
  scanColumn(c, row, key);
  const at = 2 * (e * C + key);
  row.columns[at] = from;
  row.columns[at + 1] = c.at;
}

function columnName(row: RowIndex): string {
  return `episodes[${row.episodes}].${COLUMNS[column]!.name}`;
}

/** Columns that must be there, and columns that are as long as the steps. */
const REQUIRED = bitsOf(({ required }) => required);
const MEASURED = bitsOf(({ kind }) => kind === "numbers" || kind === "values");
const EXTRA = Int32Array.from(COLUMNS, ({ extra }) => extra);

function bitsOf(wanted: (column: Column) => boolean): number {
  return COLUMNS.reduce((bits, c, i) => wanted(c) ? bits | (1 << i) : bits, 0);
}

/** The lowest column of which there is a bit. */
function lowest(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

function checkLengths(row: RowIndex): void {
  const present = row.present[row.episodes]!;
  const missing = REQUIRED & ~present;
  if (missing !== 0) {
    column = lowest(missing);
    throw new Malformed(`${columnName(row)} is missing`);
  }
  const steps = lengths[ACTIONS]!;
  for (let bits = present & MEASURED; bits !== 0; bits &= bits - 1) {
    column = lowest(bits);
    const expected = steps + EXTRA[column]!;
    if (lengths[column] !== expected) {
      throw wrongLength(columnName(row), lengths[column]!, expected);
    }
  }
  column = LABELS;
  if (present & (1 << LABELS)) checkLabels(row, steps);
  const before = row.episodes === 0 ? 0 : row.ends[row.episodes - 1]!;
  row.ends[row.episodes] = before + steps;
}

function wrongLength(name: string, length: number, expected: number) {
  return new Malformed(`${name} has ${length} entries, expected ${expected}`);
}

function checkLabels(row: RowIndex, steps: number): void {
  for (let i = 0; i < labels; i++) {
    const length = labelLengths[i]!;
    if (length === steps) continue;
    throw wrongLength(`${columnName(row)}.${labelNames[i]}`, length, steps);
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
 * Holds the line that starts at `start` of `bytes` and ends with a line feed, or
 * at `end`, against the schema and fills `row`
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
  const c = shared;
  place(c, bytes, start, end);
  row.bytes = bytes;
  row.start = start;
  row.episodes = 0;
  for (const into of row.reading.columns) if (into) into.length = 0;
  if (row.reading.label) row.reading.label.into.length = 0;
  row.fields.fill(0);
  within(() => "row", () => {
    const first = peek(c);
    if (first === 0 || first === LINE_FEED) {
      throw new Malformed("the line is empty");
    }
    for (let more = enter(c), key = -1; more; more = nextMember(c)) {
      const found = readKey(c, fieldNames, key + 1);
      const from = c.at;
      if (found < 0) {
        skipValue(c);
        continue;
      }
      key = found;
      if (row.fields[2 * key] !== 0) {
        throw new Malformed(`${FIELDS[key]} is there twice`);
      }
      within(() => FIELDS[key]!, () => scanField(c, row, key));
      row.fields[2 * key] = from;
      row.fields[2 * key + 1] = c.at;
    }
    row.close = c.at - 1;
    const next = peek(c);
    if (next !== 0 && next !== LINE_FEED) {
      throw new Malformed("there is more behind the row");
    }
    row.end = c.at;
  });
  for (const name of REQUIRED_FIELDS) {
    if (row.fields[2 * FIELDS.indexOf(name)] === 0) {
      throw new Malformed(`${name} is missing`);
    }
  }
}
