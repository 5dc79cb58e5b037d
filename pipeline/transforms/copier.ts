/**
 * Rows that pass as bytes but for what is put in between.
 *
 * @module
 */
import { putBytes, putText, type Writer } from "../bytes.ts";
import { fieldSpan, type RowIndex } from "../scan.ts";
import type { FIELDS } from "../schema.ts";

/** Copies a row; its bytes up to `copied` are done with. */
export interface Copier {
  copied: number;
}

/** Copies the row's bytes up to `to`. */
export function copyTo(
  row: RowIndex,
  copier: Copier,
  to: number,
  out: Writer,
): void {
  putBytes(out, row.bytes, copier.copied, to);
  copier.copied = to;
}

/** Whether the row has a field, and before its episodes. */
export function standsFirst(
  row: RowIndex,
  field: typeof FIELDS[number],
): boolean {
  const span = fieldSpan(row, field);
  return span !== undefined && span[0] < fieldSpan(row, "episodes")![0];
}

/** A field of the row as `text`: in its place, or behind all others. */
export function putField(
  row: RowIndex,
  field: typeof FIELDS[number],
  text: string,
  copier: Copier,
  out: Writer,
): void {
  const span = fieldSpan(row, field);
  copyTo(row, copier, span ? span[0] : row.close, out);
  putText(out, span ? text : `,"${field}":${text}`);
  if (span) copier.copied = span[1];
}
