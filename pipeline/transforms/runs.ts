/**
 * Rows too many for memory, put in the order of their keys: sorted runs of them
 * are written to files, and merged (Knuth, TAOCP 3, 5.4.1). Keys are bytes, and
 * stand in the order of their bytes, a key before those that it begins. Lines of
 * equal keys keep the order in which they came, so the limit of memory cannot
 * change what comes out.
 *
 * @module
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { putBytes, reserve, type Writer, writer } from "../bytes.ts";
import { writeAll } from "../files.ts";

/** Files that are open at once, at most. */
const FAN_IN = 128;
/** Memory for records is one array, which cannot have any size. */
const LARGEST = 2 ** 30;
/** What is written to a file in one go, about. */
const CHUNK = 2 ** 18;

/** A record: the lengths of its key and its line, and both of them. */
const HEADER = 8;

function putRecord(out: Writer, key: Uint8Array, line: Uint8Array): void {
  reserve(out, HEADER + key.length + line.length);
  out.view.setUint32(out.length, key.length);
  out.view.setUint32(out.length + 4, line.length);
  out.length += HEADER;
  putBytes(out, key);
  putBytes(out, line);
}

/** Where the record at `at` holds its line, and where it ends. */
interface Extent {
  readonly line: number;
  readonly end: number;
}

function extentOf({ view }: { view: DataView }, at: number): Extent {
  const line = at + HEADER + view.getUint32(at);
  return { line, end: line + view.getUint32(at + 4) };
}

/** Records in memory: their bytes, and a view of them. */
interface Records {
  bytes: Uint8Array;
  view: DataView;
}

/** Before, at or behind: the keys of two records. */
function compare(a: Records, atA: number, b: Records, atB: number): number {
  const lengthA = a.view.getUint32(atA);
  const lengthB = b.view.getUint32(atB);
  const both = Math.min(lengthA, lengthB);
  for (let i = HEADER; i < HEADER + both; i++) {
    const off = a.bytes[atA + i]! - b.bytes[atB + i]!;
    if (off !== 0) return off;
  }
  return lengthA - lengthB;
}

/** Records as they come. */
interface Held {
  readonly out: Writer;
  readonly starts: Array<number>;
}

/** The places of records, in the order of their keys. */
function inOrder({ out, starts }: Held): Array<number> {
  return starts.sort((a, b) => compare(out, a, out, b));
}

/** Writes records to a new file, by way of `out`. */
function writeRun(
  file: string,
  records: Iterable<readonly [key: Uint8Array, line: Uint8Array]>,
  out: Writer,
): string {
  const fd = fs.openSync(file, "wx", 0o600);
  const flush = () => {
    writeAll(fd, out.bytes.subarray(0, out.length));
    out.length = 0;
  };
  try {
    for (const [key, line] of records) {
      putRecord(out, key, line);
      if (out.length >= CHUNK) flush();
    }
    flush();
  } finally {
    fs.closeSync(fd);
  }
  return file;
}

/** A run that is being read: what of it is in memory, and the record next. */
interface Cursor extends Records {
  readonly fd: number;
  /** Which of the runs it is, in the order in which they were made. */
  readonly rank: number;
  at: number;
  length: number;
}

/** Reads on, so that `wanted` bytes of the next record are there; if they are. */
function ensure(cursor: Cursor, wanted: number): boolean {
  if (cursor.length - cursor.at >= wanted) return true;
  const { bytes, at, length } = cursor;
  if (bytes.length < wanted) {
    cursor.bytes = new Uint8Array(2 * wanted);
    cursor.view = new DataView(cursor.bytes.buffer);
  }
  cursor.bytes.set(bytes.subarray(at, length));
  cursor.at = 0;
  cursor.length = length - at + readInto(
    cursor.fd,
    cursor.bytes.subarray(length - at),
  );
  return cursor.length >= wanted;
}

/** Reads until `into` is full or the file at its end; how much there was. */
function readInto(fd: number, into: Uint8Array): number {
  let at = 0;
  while (at < into.length) {
    const read = fs.readSync(fd, into, at, into.length - at, null);
    if (read === 0) break;
    at += read;
  }
  return at;
}

/** Whether there is a record, of which the key is then in memory. */
function atRecord(cursor: Cursor): boolean {
  return ensure(cursor, HEADER) &&
    ensure(cursor, extentOf(cursor, cursor.at).line - cursor.at);
}

/**
 * The next record, which the cursor then is behind. A line that is larger than
 * the cursor's memory has memory of its own: lines may be long, and cursors many.
 */
function takeRecord(cursor: Cursor): readonly [Uint8Array, Uint8Array] {
  const size = extentOf(cursor, cursor.at).end - cursor.at;
  if (size <= cursor.bytes.length) ensure(cursor, size);
  const { line, end } = extentOf(cursor, cursor.at);
  const key = cursor.bytes.subarray(cursor.at + HEADER, line);
  const held = cursor.bytes.subarray(line, Math.min(end, cursor.length));
  cursor.at = Math.min(end, cursor.length);
  if (held.length === end - line) return [key, held];
  const whole = new Uint8Array(end - line);
  whole.set(held);
  readInto(cursor.fd, whole.subarray(held.length));
  return [key, whole];
}

/** Puts a cursor where its record belongs; the record to come first is last. */
function place(cursors: Array<Cursor>, cursor: Cursor): void {
  let [from, to] = [0, cursors.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = cursors[middle]!;
    const order = compare(other, other.at, cursor, cursor.at) ||
      other.rank - cursor.rank;
    if (order > 0) from = middle + 1;
    else to = middle;
  }
  cursors.splice(from, 0, cursor);
}

/** Records of sorted files, sorted; each is there until the next is asked for. */
function* merge(
  files: ReadonlyArray<string>,
  memory: number,
): Generator<readonly [key: Uint8Array, line: Uint8Array]> {
  const cursors: Array<Cursor> = [];
  const opened: Array<number> = [];
  const share = Math.max(HEADER, Math.floor(memory / files.length));
  try {
    for (const [rank, file] of files.entries()) {
      const fd = fs.openSync(file, "r");
      opened.push(fd);
      const bytes = new Uint8Array(share);
      const view = new DataView(bytes.buffer);
      const cursor = { fd, rank, bytes, view, at: 0, length: 0 };
      if (atRecord(cursor)) place(cursors, cursor);
    }
    for (let first = cursors.pop(); first; first = cursors.pop()) {
      yield takeRecord(first);
      if (atRecord(first)) place(cursors, first);
    }
  } finally {
    for (const fd of opened) fs.closeSync(fd);
  }
  for (const file of files) fs.rmSync(file);
}

/** Lines in the order of their keys, in bounded memory. */
export interface Sorter {
  /** Takes copies of a key and its line. */
  readonly add: (key: Uint8Array, line: Uint8Array) => void;
  /**
   * To be asked for once, when all lines are in; each line is there until the
   * next is asked for.
   */
  readonly sorted: () => Generator<Uint8Array>;
  /** Takes the files away; may be called at any time. */
  readonly close: () => void;
}

/**
 * A sorter that holds about `memory` bytes, and the longest line. Its files are
 * below `temporary`; of `fanIn` of them, two or more, one is made at a time.
 */
export function sorter(
  memory: number,
  temporary: () => string = os.tmpdir,
  fanIn = FAN_IN,
): Sorter {
  // The other half is for what is on its way in and out.
  const limit = Math.min(memory / 2, LARGEST);
  let held: Held = { out: writer(0), starts: [] };
  const chunk = writer(0);
  let folder: string | undefined;
  let runs: Array<string> = [];
  let made = 0;
  let giving: Generator<Uint8Array> | undefined;
  const nextFile = () => {
    folder ??= fs.mkdtempSync(path.join(temporary(), "retrial-"));
    return path.join(folder, `run-${made++}`);
  };
  function* records() {
    const { out } = held;
    for (const at of inOrder(held)) {
      const { line, end } = extentOf(out, at);
      const key = out.bytes.subarray(at + HEADER, line);
      yield [key, out.bytes.subarray(line, end)] as const;
    }
  }
  const spill = () => {
    runs.push(writeRun(nextFile(), records(), chunk));
    held.out.length = held.starts.length = 0;
  };
  const add = (key: Uint8Array, line: Uint8Array) => {
    const { out, starts } = held;
    const size = HEADER + key.length + line.length;
    const full = out.length + size + HEADER * starts.length > limit;
    if (full && starts.length > 0) spill();
    starts.push(out.length);
    putRecord(out, key, line);
  };
  const mergeSome = () => {
    const files = runs;
    runs = [];
    for (let i = 0; i < files.length; i += fanIn) {
      const some = merge(files.slice(i, i + fanIn), limit);
      runs.push(writeRun(nextFile(), some, chunk));
    }
  };
  function* sorted() {
    if (runs.length === 0) {
      for (const [, line] of records()) yield line;
      return;
    }
    spill();
    held = { out: writer(0), starts: [] };
    while (runs.length > fanIn) mergeSome();
    for (const [, line] of merge(runs, limit)) yield line;
  }
  const close = () => {
    giving?.return(undefined);
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  };
  return { add, sorted: () => giving = sorted(), close };
}
