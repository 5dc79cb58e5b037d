/**
 * Rows cut into windows, and these put into arrays.
 *
 * @module
 */
import { windowsOf } from "../../../kernels/packing/windows.ts";
import { idOf, keyOf, stageKey, unit } from "../../keyed.ts";
import { type Batch, forEachRow } from "../../lines.ts";
import type { FloatColumn, Observed } from "../../pack_layout.ts";
import { type RowIndex, rowIndex, scanRow } from "../../scan.ts";
import { fillWindow } from "./fill.ts";
import type { Filler } from "./filler.ts";
import { emptySteps, readAtDoor, readSteps, type Wanted } from "./trial.ts";

/** How rows are cut; plain data, which passes between threads. */
export interface Cut {
  readonly context: number;
  readonly stride: number;
  readonly offset: "none" | "random";
  readonly seed: string;
  readonly label: string | undefined;
  readonly columns: ReadonlyArray<FloatColumn>;
}

/** What was cut. */
export interface Tally {
  rows: number;
  /** Steps of these rows, and those that windows hold. */
  steps: number;
  packed: number;
}

export interface Cutter {
  /** Cuts the rows of a batch; gives how many lines it had. */
  readonly add: (batch: Batch) => number;
  /** What is wanted of rows, once there was one. */
  readonly wanted: () => Wanted | undefined;
  /** What was cut since this was last asked. */
  readonly tally: () => Tally;
}

/** What packs say of observations. */
export function observedOf({ observed }: Wanted): Observed {
  return typeof observed === "number"
    ? { kind: "vector", width: observed }
    : { kind: "discrete", n: observed.n };
}

/** Cuts rows, of the first of which `wantedOf` says what is wanted of all. */
export function cutter(
  { context, stride, offset, seed, label, columns }: Cut,
  wantedOf: (row: RowIndex) => Wanted,
  into: Filler,
): Cutter {
  const key = stageKey(seed, "pack");
  const row = rowIndex();
  const steps = emptySteps(columns);
  let wanted: Wanted | undefined;
  let tally: Tally = { rows: 0, steps: 0, packed: 0 };
  const offsetOf = () =>
    offset === "none" ? 0 : Math.floor(unit(keyOf(key, idOf(row))) * stride);
  const addRow = () => {
    if (!wanted) {
      wanted = wantedOf(row);
      readAtDoor(row, wanted, steps);
      scanRow(row.bytes, row.start, row.end, row);
    }
    readSteps(row, wanted, steps);
    const trial = row.ends[row.episodes - 1]!;
    into.widen({
      context,
      observed: observedOf(wanted),
      actions: wanted.actions.n,
      positions: trial,
      labelled: label !== undefined,
      tagged: wanted.tagged,
      columns,
    });
    const cut = { context, stride, offset: offsetOf() };
    for (const window of windowsOf(trial, cut)) {
      into.fill((arrays, w) =>
        fillWindow(arrays, w, context, row, steps, window, wanted!)
      );
      tally.packed += window.to - window.from;
    }
    tally.rows++;
    tally.steps += trial;
  };
  return {
    add: (batch) => forEachRow(batch, row, addRow),
    wanted: () => wanted,
    tally: () => {
      const given = tally;
      tally = { rows: 0, steps: 0, packed: 0 };
      return given;
    },
  };
}
