/**
 * Rows that pass as bytes but for what is put in between.
 *
 * @module
 */
import { putBytes, type Writer } from "../bytes.ts";
import type { RowIndex } from "../scan.ts";

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
