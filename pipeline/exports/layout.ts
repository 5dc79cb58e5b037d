/**
 * What a layout is that rows are exported in.
 *
 * @module
 */
import type { RowIndex } from "../scan.ts";

/** What the flags of `export` say, for any layout. */
export interface ExportOptions {
  readonly actions?: number | undefined;
  readonly reference?: string | undefined;
  readonly labels: "reference" | "behaviour";
}

/** What has been written. */
export interface Tally {
  readonly records: number;
  readonly rows: number;
  /** Numbers that do not come back as they were. */
  readonly rounded: number;
}

/** Writes rows, one after the other, into a folder. */
export interface RowExporter {
  /** Throws {@linkcode Malformed} where the layout cannot hold the row. */
  readonly write: (row: RowIndex) => void;
  readonly tally: () => Tally;
}

export interface Layout {
  /** Whether a name in a folder is one that this layout writes. */
  readonly owns: (name: string) => boolean;
  readonly open: (options: ExportOptions, folder: string) => RowExporter;
}
