/**
 * Columns of a row as numbers, flat over its episodes.
 *
 * @module
 */
import { cursor, place } from "./json_scan.ts";
import { type Numbers, readNumbers } from "./json_numbers.ts";
import { columnEnd, columnStart, Malformed, type RowIndex } from "./scan.ts";
import { columnIndex } from "./schema.ts";

const c = cursor();

/** Every episode must have a column that an option reads. */
export function needColumn(row: RowIndex, name: string, why: string): void {
  const index = columnIndex(name);
  for (let e = 0; e < row.episodes; e++) {
    if (columnStart(row, e, index) !== 0) continue;
    throw new Malformed(`episodes[${e}].${name} is missing, and ${why}`);
  }
}

/** A column of numbers that all episodes have, one episode after the other. */
export function readColumn(row: RowIndex, index: number, into: Numbers): void {
  into.length = 0;
  for (let e = 0; e < row.episodes; e++) {
    place(c, row.bytes, columnStart(row, e, index), columnEnd(row, e, index));
    readNumbers(c, into);
  }
}
