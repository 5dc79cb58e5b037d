/**
 * Bytes to lines and lines to bytes, by the batch.
 *
 * What flows between stages is batches of whole lines: the same bytes that flow
 * through a pipe between processes, so that `then` and `|` cannot differ. A line
 * ends at byte 0x0A and nowhere else.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import {
  badLine,
  type DataError,
  hostError,
  type Place,
  type StageError,
} from "./errors.ts";
import {
  putByte,
  putBytes,
  recycle,
  take,
  type Writer,
  writer,
} from "./bytes.ts";
import { Malformed, type RowIndex, rowIndex, scanRow } from "./scan.ts";
import type { Trial } from "./schema.ts";

/** What is in a batch, where whoever made it has counted. */
export interface Counts {
  readonly rows: number;
  readonly steps: number;
  /** Tasks drawn for it, draws they took, and why others were refused. */
  readonly tasks?: number;
  readonly draws?: number;
  readonly refusals?: { readonly [reason: string]: number };
  /** What contexts were put together from. */
  readonly composed?: Composed;
}

/** Sums over contexts. */
export type Composed = {
  readonly sets: number;
  readonly episodes: number;
  readonly successes: number;
  /** Contexts of more than one task, and of one trial set upon set. */
  readonly joined: number;
  readonly bursty: number;
};

/** Sums by name. */
function added<N extends { readonly [name: string]: number }>(a: N, b: N): N {
  const sums: Record<string, number> = { ...a };
  for (const [name, n] of Object.entries(b)) sums[name] = (sums[name] ?? 0) + n;
  return sums as N;
}

/** What is in two batches, or in two shards. */
export function addCounts(a: Counts, b: Counts): Counts {
  const isDrawn = a.draws !== undefined || b.draws !== undefined;
  const composed = [a, b].flatMap(({ composed }) => composed ?? []);
  return {
    rows: a.rows + b.rows,
    steps: a.steps + b.steps,
    ...(isDrawn && {
      tasks: (a.tasks ?? 0) + (b.tasks ?? 0),
      draws: (a.draws ?? 0) + (b.draws ?? 0),
      refusals: added(a.refusals ?? {}, b.refusals ?? {}),
    }),
    ...(composed.length > 0 && {
      composed: composed.reduce(added),
    }),
  };
}

/** Whole lines, each with its line feed, and where the first one stood. */
export interface Batch {
  readonly bytes: Uint8Array;
  readonly place: Place;
  /** Byte offset of the first line in its origin. */
  readonly offset: number;
  /** The last line of the origin, which came without its line feed. */
  readonly torn?: boolean;
  readonly counts?: Counts;
  /**
   * Called by who has done with the bytes, so that their memory can serve again.
   * Who keeps a view of them just does not call it. Who went through all the lines
   * says how many there were: they need not be counted then.
   */
  readonly release?: (lines?: number) => void;
}

export type Batches<E = StageError> = Stream.Stream<Batch, E>;

/** What a transform is: batches to batches. */
export type Transform = (batches: Batches) => Batches;

const LINE_FEED = 0x0a;
const MEBIBYTE = 2 ** 20;

/** A line longer than this is refused rather than held in memory. */
export const LONGEST_LINE = 64 * MEBIBYTE;
const utf8 = new TextEncoder();
const decoder = new TextDecoder();

/** Cuts a run of chunks into batches; `finish` gives what is left at the end. */
interface Splitter {
  readonly push: (chunk: Uint8Array) => ReadonlyArray<Batch>;
  readonly finish: () => ReadonlyArray<Batch>;
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0;) {
    lines++;
    at = bytes.indexOf(LINE_FEED, at + 1);
  }
  return lines;
}

function splitter(origin: string): Splitter {
  const carry: Writer = writer(0);
  let line = 1;
  let offset = 0;
  /** The last batch, whose lines are counted where nobody has said how many. */
  let last: { readonly bytes: Uint8Array; lines?: number } | undefined;
  const batch = (bytes: Uint8Array, torn = false): Batch => {
    if (last) line += last.lines ?? countLines(last.bytes);
    const place = { origin, line };
    const own: typeof last = last = { bytes };
    const release = (lines = countLines(bytes)) => {
      own.lines = lines;
      recycle(bytes);
    };
    const made = { bytes, place, offset, release, ...(torn && { torn }) };
    offset += bytes.length;
    return made;
  };
  const keep = (chunk: Uint8Array) => {
    putBytes(carry, chunk);
    if (carry.length <= LONGEST_LINE) return;
    const limit = `${LONGEST_LINE / MEBIBYTE} MiB`;
    throw badLine({ origin, line }, `the line is longer than ${limit}`);
  };
  // The line that began in an earlier chunk is a batch of its own, so that the
  // whole lines of this one need not be copied.
  const push = (chunk: Uint8Array) => {
    const batches: Array<Batch> = [];
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    let from = 0;
    if (carry.length > 0 && end > 0) {
      from = chunk.indexOf(LINE_FEED) + 1;
      keep(chunk.subarray(0, from));
      batches.push(batch(take(carry)));
    }
    if (end > from) batches.push(batch(chunk.subarray(from, end)));
    if (end < chunk.length) keep(chunk.subarray(end));
    return batches;
  };
  const finish = () => {
    if (carry.length === 0) return [];
    putByte(carry, LINE_FEED);
    return [batch(take(carry), true)];
  };
  return { push, finish };
}

/** Chunks of bytes, wherever they end, as batches of whole lines. */
export function toBatches(
  chunks: Stream.Stream<Uint8Array, StageError>,
  origin: string,
): Batches {
  return Stream.suspend(() => {
    const { push, finish } = splitter(origin);
    return chunks.pipe(
      Stream.mapEffect((chunk) => attempt("split lines", () => push(chunk))),
      Stream.concat(Stream.fromEffect(Effect.sync(finish))),
      Stream.flatMap((cut) => Stream.fromArray(cut)),
    );
  });
}

/** What to do with a line that is not a row. */
export type OnBadLine = (error: DataError, line: Uint8Array) => void;

/** The default: the first bad line ends the stage. */
export function failOnBadLine(error: DataError): void {
  throw error;
}

/** Calls `use` with each line of a batch, as places in its bytes. */
export function forEachLine(
  batch: Batch,
  use: (start: number, end: number, line: number) => void,
): void {
  const { bytes, place } = batch;
  let line = place.line;
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(LINE_FEED, start);
    use(start, end, line++);
    start = end + 1;
  }
}

/** What is wrong with a line, and where it stands. */
function explain(batch: Batch, line: number, start: number, cause: Malformed) {
  const place = { origin: batch.place.origin, line };
  return batch.torn
    ? badLine(
      place,
      `torn last line at byte ${batch.offset + start}: ${cause.message}`,
    )
    : badLine(place, cause.message);
}

/**
 * Reads rows at the door; a line that is not one goes to `onBad`. Who keeps rows
 * gives a function that says what to read the next line into. Returns how many
 * lines there were.
 */
export function forEachRow(
  batch: Batch,
  into: RowIndex | (() => RowIndex),
  use: (row: RowIndex, line: number) => void,
  onBad: OnBadLine = failOnBadLine,
): number {
  const { bytes, place } = batch;
  let line = place.line;
  for (let start = 0; start < bytes.length; line++) {
    const row = typeof into === "function" ? into() : into;
    try {
      scanRow(bytes, start, bytes.length, row);
      use(row, line);
      start = row.end + 1;
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      const end = bytes.indexOf(LINE_FEED, start) + 1;
      onBad(explain(batch, line, start, error), bytes.subarray(start, end));
      start = end;
    }
  }
  return line - place.line;
}

/** Writes what becomes of one row: a line with its line feed, or nothing. */
export type RowMapper = (row: RowIndex, out: Writer) => void;

/** A transform of rows one by one, as a plain function over batches. */
export type BatchMapper = (batch: Batch) => Batch;

/** Applies `mapRow` to each row. What is written comes out in one batch. */
export function batchMapper(
  mapRow: RowMapper,
  onBad: OnBadLine = failOnBadLine,
): BatchMapper {
  const row = rowIndex();
  const out = writer(MEBIBYTE);
  return (batch) => {
    let [rows, steps] = [0, 0];
    out.length = 0;
    const map = () => {
      const before = out.length;
      mapRow(row, out);
      if (out.length === before) return;
      rows++;
      steps += row.ends[row.episodes - 1]!;
    };
    const lines = forEachRow(batch, row, map, onBad);
    const counts = { ...batch.counts, rows, steps };
    batch.release?.(lines);
    const bytes = take(out);
    return { ...batch, bytes, counts, release: () => recycle(bytes) };
  };
}

/** A {@linkcode BatchMapper} as a transform; making it may throw a tagged error. */
export function mapBatches(makeMapper: () => BatchMapper): Transform {
  return (batches) =>
    Stream.unwrap(
      Effect.map(attempt("map rows", makeMapper), (mapper) =>
        batches.pipe(
          Stream.mapEffect((batch) => attempt("map rows", () => mapper(batch))),
          Stream.filter((batch) => batch.bytes.length > 0),
        )),
    );
}

/** What holds rows from batch to batch: takes batches in, gives some out. */
export interface Accumulator {
  readonly push: (batch: Batch) => Batch | undefined;
  /** What is left at the end. */
  readonly finish: () => Batch | undefined;
}

/** An {@linkcode Accumulator} as a transform; making it may throw a tagged error. */
export function accumulate(
  what: string,
  make: () => Accumulator,
): Transform {
  return (batches) =>
    Stream.unwrap(
      Effect.map(attempt(what, make), ({ push, finish }) =>
        batches.pipe(
          Stream.mapEffect((batch) => attempt(what, () => push(batch))),
          Stream.concat(Stream.fromEffect(attempt(what, finish))),
          Stream.filter((batch): batch is Batch => batch !== undefined),
        )),
    );
}

/** Runs host or row code, with what it throws as a tagged error. */
export function attempt<A>(
  what: string,
  run: () => A,
): Effect.Effect<A, StageError> {
  return Effect.try({ try: run, catch: (cause) => hostError(what, cause) });
}

/** {@linkcode attempt} for host code that answers later. */
export function promised<A>(
  what: string,
  run: () => Promise<A>,
): Effect.Effect<A, StageError> {
  return Effect.tryPromise({
    try: run,
    catch: (cause) => hostError(what, cause),
  });
}

/** Counts the rows and steps of a batch that came without counts. */
export function countRows(batch: Batch): Counts {
  if (batch.counts) return batch.counts;
  let [rows, steps] = [0, 0];
  const row = rowIndex();
  forEachRow(batch, row, () => {
    rows++;
    steps += row.ends[row.episodes - 1]!;
  });
  return { rows, steps };
}

/** Copies a row as it stands. */
export function putRow(row: RowIndex, out: Writer): void {
  putBytes(out, row.bytes, row.start, row.end);
  putByte(out, LINE_FEED);
}

/** Trials as batches, for code that makes them. */
export function fromTrials(
  trials: Iterable<Trial>,
  origin = "trials",
): Batches {
  let line = 1;
  return Stream.fromIterable(trials).pipe(
    Stream.map((trial) => ({
      bytes: utf8.encode(JSON.stringify(trial) + "\n"),
      place: { origin, line: line++ },
      offset: 0,
    })),
  );
}

/** Batches as trials, for code that reads them; each row is checked. */
export function toTrials(
  batches: Batches,
): Stream.Stream<Trial, StageError> {
  return Stream.suspend(() => {
    const row = rowIndex();
    const parse = (batch: Batch) => {
      const trials: Array<Trial> = [];
      forEachRow(batch, row, () => trials.push(parseRow(row)));
      return trials;
    };
    return batches.pipe(
      Stream.mapEffect((batch) => attempt("read rows", () => parse(batch))),
      Stream.flatMap((trials) => Stream.fromIterable(trials)),
    );
  });
}

/** The trial that a scanned row holds. */
export function parseRow(row: RowIndex): Trial {
  return JSON.parse(decoder.decode(row.bytes.subarray(row.start, row.end)));
}
