/**
 * Rows too many for memory, put in the order of random keys: dealt out to files
 * by the first bits of their keys, each of which is then sorted by itself (a
 * most-significant-digit radix sort, as in Knuth, TAOCP 3, 5.2.5). Where a file
 * is still too large it is dealt out again by the next bits.
 *
 * The order depends on the keys alone, so the limit of memory cannot change it.
 *
 * @module
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { putBytes, reserve, type Writer, writer } from "../bytes.ts";
import { writeAll } from "../files.ts";

/** A line under its key: 64 random bits, and a count to tell equals apart. */
export interface KeyedLine {
  readonly high: number;
  readonly low: number;
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** Six bits a level: 64 files are open at once at most. */
const BITS = 6;
const FILES = 1 << BITS;
const DEEPEST = Math.floor(32 / BITS);
/** high, low, index, length */
const HEADER = 20;
/** What an object that points at a line takes, about. */
const OVERHEAD = 200;

function compare(a: KeyedLine, b: KeyedLine): number {
  return a.high - b.high || a.low - b.low || a.index - b.index;
}

function digit(line: KeyedLine, level: number): number {
  return (line.high >>> (32 - BITS * (level + 1))) & (FILES - 1);
}

function encode(line: KeyedLine, out: Writer): void {
  reserve(out, HEADER + line.bytes.length);
  const view = new DataView(out.bytes.buffer, out.length, HEADER);
  view.setUint32(0, line.high);
  view.setUint32(4, line.low);
  view.setFloat64(8, line.index);
  view.setUint32(16, line.bytes.length);
  out.length += HEADER;
  putBytes(out, line.bytes);
}

/** A line from its header at `at` and `bytes`, which are its own or follow. */
function decode(header: Uint8Array, at: number, bytes: Uint8Array): KeyedLine {
  const view = new DataView(header.buffer, header.byteOffset + at, HEADER);
  return {
    high: view.getUint32(0),
    low: view.getUint32(4),
    index: view.getFloat64(8),
    bytes: bytes.subarray(0, view.getUint32(16)),
  };
}

/** One of the files that lines are dealt out to. */
interface Run {
  readonly file: string;
  readonly pending: Writer;
  /** Bytes it takes to hold it in memory. */
  size: number;
}

interface Level {
  readonly runs: ReadonlyArray<Run>;
  pending: number;
}

function openLevel(folder: string, prefix: string): Level {
  const runs = Array.from({ length: FILES }, (_, i): Run => ({
    file: path.join(folder, `${prefix}${i}`),
    pending: writer(0),
    size: 0,
  }));
  return { runs, pending: 0 };
}

/** Appends what is pending, so that no file stays open in between. */
function flush(level: Level): void {
  for (const { file, pending } of level.runs) {
    if (pending.length === 0) continue;
    const fd = fs.openSync(file, "a", 0o600);
    try {
      writeAll(fd, pending.bytes.subarray(0, pending.length));
    } finally {
      fs.closeSync(fd);
    }
    pending.length = 0;
  }
  level.pending = 0;
}

function deal(
  level: Level,
  depth: number,
  line: KeyedLine,
  limit: number,
): void {
  const run = level.runs[digit(line, depth)]!;
  encode(line, run.pending);
  run.size += HEADER + OVERHEAD + line.bytes.length;
  level.pending += HEADER + line.bytes.length;
  if (level.pending > limit) flush(level);
}

/** Reads until `into` is full; whether there was that much. */
function fill(fd: number, into: Uint8Array): boolean {
  for (let at = 0; at < into.length;) {
    const read = fs.readSync(fd, into, at, into.length - at, null);
    if (read === 0) return false;
    at += read;
  }
  return true;
}

/** Memory that files are read into, one after the other. */
interface Scratch {
  bytes: Uint8Array;
}

/** The first `length` bytes of the scratch, which grows to have them. */
function room(scratch: Scratch, length: number): Uint8Array {
  if (scratch.bytes.length < length) {
    scratch.bytes = new Uint8Array(Math.max(length, 2 * scratch.bytes.length));
  }
  return scratch.bytes.subarray(0, length);
}

/**
 * The lines of a file that is too large to be loaded; each is there until the
 * next is asked for.
 */
function* linesOf(file: string): Generator<KeyedLine> {
  const fd = fs.openSync(file, "r");
  const header = new Uint8Array(HEADER);
  const scratch = { bytes: new Uint8Array(0) };
  try {
    while (fill(fd, header)) {
      const length = new DataView(header.buffer).getUint32(16);
      const bytes = room(scratch, length);
      fill(fd, bytes);
      yield decode(header, 0, bytes);
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** All lines of a file, in memory that the next file will take. */
function loaded(file: string, scratch: Scratch): Array<KeyedLine> {
  const fd = fs.openSync(file, "r");
  const bytes = room(scratch, fs.fstatSync(fd).size);
  try {
    fill(fd, bytes);
  } finally {
    fs.closeSync(fd);
  }
  const lines: Array<KeyedLine> = [];
  for (let at = 0; at < bytes.length;) {
    const line = decode(bytes, at, bytes.subarray(at + HEADER));
    lines.push(line);
    at += HEADER + line.bytes.length;
  }
  return lines;
}

/** Lines in the order of their keys, in bounded memory. */
export interface Sorter {
  readonly add: (line: KeyedLine) => void;
  /**
   * To be asked for once, when all lines are in; each line is there until the
   * next is asked for.
   */
  readonly sorted: () => Generator<Uint8Array>;
  /** Takes the files away; may be called at any time. */
  readonly close: () => void;
}

function* drain(
  level: Level,
  depth: number,
  limit: number,
  scratch: Scratch = { bytes: new Uint8Array(0) },
): Generator<Uint8Array> {
  flush(level);
  for (const run of level.runs) {
    if (run.size === 0) continue;
    if (run.size > limit && depth < DEEPEST - 1) {
      yield* redeal(run, depth + 1, limit, scratch);
      continue;
    }
    const lines = loaded(run.file, scratch).sort(compare);
    fs.rmSync(run.file);
    for (const { bytes } of lines) yield bytes;
  }
}

function* redeal(
  run: Run,
  depth: number,
  limit: number,
  scratch: Scratch,
): Generator<Uint8Array> {
  const level = openLevel(
    path.dirname(run.file),
    path.basename(run.file) + "-",
  );
  for (const line of linesOf(run.file)) deal(level, depth, line, limit / 2);
  fs.rmSync(run.file);
  yield* drain(level, depth, limit, scratch);
}

/** A sorter that holds about `memory` bytes; its files are below `temporary`. */
export function sorter(
  memory: number,
  temporary: () => string = os.tmpdir,
): Sorter {
  // Half is for what is held, half for what is on its way in and out.
  const limit = memory / 2;
  let held: Array<KeyedLine> = [];
  let size = 0;
  let folder: string | undefined;
  let level: Level | undefined;
  const spill = () => {
    folder = fs.mkdtempSync(path.join(temporary(), "retrial-"));
    level = openLevel(folder, "run-");
    for (const line of held) deal(level, 0, line, limit / 2);
    held = [];
  };
  const add = (line: KeyedLine) => {
    if (level) return deal(level, 0, line, limit / 2);
    held.push({ ...line, bytes: line.bytes.slice() });
    size += OVERHEAD + line.bytes.length;
    if (size > limit) spill();
  };
  function* sorted() {
    if (level) return yield* drain(level, 0, limit);
    for (const { bytes } of held.sort(compare)) yield bytes;
  }
  const close = () => {
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  };
  return { add, sorted, close };
}
