/**
 * Batches of whole lines, and the rows in them.
 *
 * @module
 */
import { LINE_FEED } from "./bytes.ts";
import { badLine, type DataError, type Place } from "./errors.ts";
import { Malformed, type RowIndex, rowIndex, scanRow } from "./scan.ts";

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
