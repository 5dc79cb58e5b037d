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
import { badLine, hostError, type StageError } from "./errors.ts";
import {
  LINE_FEED,
  putByte,
  putBytes,
  recycle,
  take,
  type Writer,
  writer,
} from "./bytes.ts";
import {
  type Batch,
  failOnBadLine,
  forEachRow,
  type OnBadLine,
} from "./lines.ts";
import { type RowIndex, rowIndex } from "./scan.ts";
import type { Trial } from "./schema.ts";

export type Batches<E = StageError> = Stream.Stream<Batch, E>;

/** What a transform is: batches to batches. */
export type Transform = (batches: Batches) => Batches;

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
