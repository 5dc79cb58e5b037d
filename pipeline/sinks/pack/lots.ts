/**
 * Lots of windows, cut out of lines apart from others, and put together with these.
 *
 * A row that needs wider integers than all before it begins another file. Who cuts
 * some of the rows has met some of those before alone, so such a row begins another
 * lot there too, and files are the same as if one had cut all of it.
 *
 * @module
 */
import type { Batch } from "../../lines.ts";
import {
  type ArraysShape,
  type Filled,
  packBlank,
  reused,
} from "../../pack_layout.ts";
import { type Cut, type Cutter, cutter, type Tally } from "./cut.ts";
import { type Filler, filler } from "./filler.ts";
import type { Bound, Wanted } from "./trial.ts";

/** What is to be done with lines. */
export interface Job {
  readonly cut: Cut;
  readonly wanted: Wanted;
}

/** A batch whose bytes are among those of others. */
export type Part =
  & Pick<Batch, "place" | "offset" | "torn">
  & { readonly length: number };

/** Lines to cut; plain data. */
export interface Lines {
  /** The same each time, but for bounds, which go up. */
  readonly job: Job;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly batches: ReadonlyArray<Part>;
  /** Lots that were given, to be filled anew. */
  readonly spare: ReadonlyArray<Filled>;
}

/** Windows of a lot that are filled. */
export interface Lot {
  readonly lot: Filled;
  readonly windows: number;
}

/** What lines were cut into; plain data. */
export interface CutLines {
  /** Those that were cut, back. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lots: ReadonlyArray<Lot>;
  /** With the bounds of what was met so far. */
  readonly wanted: Wanted;
  /** What arrays are made for after the last row, whether it fills any or not. */
  readonly shape: ArraysShape;
  readonly tally: Tally;
}

/** Bytes of a lot, about: as many as of lines. */
const LOT_BYTES = 2 ** 20;

/** A function that cuts lines, each time those behind the ones before. */
export function lotCutter(most = LOT_BYTES): (lines: Lines) => CutLines {
  const spare: Array<Filled> = [];
  let lots: Array<Lot> = [];
  const into: Filler = filler<Filled>({
    take: (shape) => {
      const lot = reused(spare, shape);
      if (lot) return lot;
      const { windows, arrays } = packBlank(shape, most);
      return { windows, arrays, shape };
    },
    give: (lot, windows) => lots.push({ lot, windows }),
  });
  let cutting: Cutter | undefined;
  return ({ job, bytes, batches, spare: returned }) => {
    cutting ??= cutter(job.cut, () => job.wanted, into);
    spare.push(...returned);
    let from = 0;
    for (const { length, ...rest } of batches) {
      cutting.add({ ...rest, bytes: bytes.subarray(from, from + length) });
      from += length;
    }
    into.flush();
    const given = lots;
    lots = [];
    return {
      bytes,
      lots: given,
      wanted: cutting.wanted()!,
      shape: into.shape()!,
      tally: cutting.tally(),
    };
  };
}

/** Raises a bound to one that was met elsewhere. */
function raise(bound: Bound | number, met: Bound | number): void {
  if (typeof bound === "number" || typeof met === "number") return;
  bound.n = Math.max(bound.n, met.n);
}

/** Adds lots behind those before, and what was met to what is known. */
export function putTogether(
  { lots, wanted, shape }: CutLines,
  known: Wanted,
  into: Filler,
): void {
  for (const { lot, windows } of lots) into.append(lot, windows);
  into.widen(shape);
  raise(known.observed, wanted.observed);
  raise(known.actions, wanted.actions);
}
