/**
 * Lines of other people's logs as records: a name and a value for each column.
 *
 * @module
 */
import { type CsvError, parse } from "csv-parse/sync";
import { putBytes, take, type Writer, writer } from "../../bytes.ts";
import { badLine, type Place } from "../../errors.ts";
import { LONGEST_LINE } from "../../jsonl.ts";
import { type Batch, forEachLine } from "../../lines.ts";

/** One line of a log; in CSV every value is text. */
export interface Record {
  readonly place: Place;
  readonly fields: { readonly [column: string]: unknown };
}

/** Reads the batches of one file. */
export interface RecordReader {
  readonly read: (batch: Batch) => ReadonlyArray<Record>;
  /** To be called behind the last batch. */
  readonly finish: () => void;
}

const QUOTE = 0x22;
const decoder = new TextDecoder();

function parseObject(text: string, place: Place): Record["fields"] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badLine(place, `not JSON: ${(error as Error).message}`);
  }
  const isObject = typeof value === "object" && value !== null &&
    !Array.isArray(value);
  if (!isObject) throw badLine(place, "not a JSON object");
  // It has just been seen to be an object.
  return value as Record["fields"];
}

/** A JSON object on each line; empty lines are passed over. */
export function jsonRecords(): RecordReader {
  const read = (batch: Batch) => {
    const records: Array<Record> = [];
    forEachLine(batch, (start, end, line) => {
      const text = decoder.decode(batch.bytes.subarray(start, end)).trim();
      if (text === "") return;
      const place = { origin: batch.place.origin, line };
      records.push({ place, fields: parseObject(text, place) });
    });
    return records;
  };
  return { read, finish: () => {} };
}

function countQuotes(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(QUOTE); at >= 0;) {
    count++;
    at = bytes.indexOf(QUOTE, at + 1);
  }
  return count;
}

interface CsvRow {
  readonly record: ReadonlyArray<string>;
  readonly info: { readonly lines: number };
}

function parseCsv(bytes: Uint8Array, place: Place): ReadonlyArray<CsvRow> {
  const { origin, line } = place;
  try {
    const rows: unknown = parse(bytes, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    });
    // What `info: true` makes of rows, which the package's types leave out.
    return rows as ReadonlyArray<CsvRow>;
  } catch (error) {
    const { lines = 1, message } = error as CsvError & { lines?: number };
    throw badLine({ origin, line: line + lines - 1 }, `not CSV: ${message}`);
  }
}

function asRecord(
  names: ReadonlyArray<string>,
  cells: ReadonlyArray<string>,
  place: Place,
): Record {
  if (cells.length !== names.length) {
    const expected = `expected ${names.length} as in the header`;
    throw badLine(place, `${cells.length} columns, ${expected}`);
  }
  const fields = Object.fromEntries(names.map((name, i) => [name, cells[i]]));
  return { place, fields };
}

function headerOf(
  cells: ReadonlyArray<string>,
  place: Place,
): ReadonlyArray<string> {
  const names = cells.map((cell) => cell.trim());
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice === undefined) return names;
  throw badLine(place, `the column ${twice} is there twice`);
}

/**
 * CSV with a header (RFC 4180). A record may span lines within quotes, so bytes
 * are held back until their quotes are even, which is where a record can end.
 */
export function csvRecords(): RecordReader {
  const held: Writer = writer(0);
  let [quotes, line, origin] = [0, 1, ""];
  let names: ReadonlyArray<string> | undefined;
  const record = ({ record, info }: CsvRow) => {
    const place = { origin, line: line + info.lines - 1 };
    if (names) return [asRecord(names, record, place)];
    names = headerOf(record, place);
    return [];
  };
  const read = (batch: Batch) => {
    if (held.length === 0) line = batch.place.line;
    origin = batch.place.origin;
    putBytes(held, batch.bytes);
    quotes += countQuotes(batch.bytes);
    if (quotes % 2 === 1 && held.length <= LONGEST_LINE) return [];
    return parseCsv(take(held), { origin, line }).flatMap(record);
  };
  const finish = () => {
    if (held.length > 0) {
      throw badLine({ origin, line }, "a quote is not closed");
    }
  };
  return { read, finish };
}
