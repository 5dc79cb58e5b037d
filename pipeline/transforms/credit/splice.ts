/**
 * What `credit` writes into a row: columns, and values of reflections, each in its
 * place or behind what is there. All else passes as bytes.
 *
 * @module
 */
import {
  ascii,
  LINE_FEED,
  NUMBER_WIDTH,
  putAscii,
  putByte,
  reserve,
  writeNanos,
  writeNumber,
  type Writer,
} from "../../bytes.ts";
import {
  REFLECTION,
  REFLECTION_ADVANTAGE,
  REFLECTION_CLOSE,
  REFLECTION_RETURN,
} from "../../row_index.ts";
import {
  columnEnd,
  columnStart,
  hasReflection,
  type RowIndex,
} from "../../scan.ts";
import { emptyPrinted, type Printed, printList } from "../../printed.ts";
import { columnIndex } from "../../schema.ts";
import { type Copier, copyTo, putField, standsFirst } from "../copier.ts";

const RETURNS = columnIndex("returns");
const ADVANTAGES = columnIndex("advantages");
const REFLECTIONS = columnIndex("reflection");
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** Numbers of each step, flat, and of the reflection behind each episode. */
export interface Credited {
  readonly steps: Float64Array;
  /** Index of the trial's first step. */
  readonly first: number;
  readonly reflections: Float64Array;
  /** Index of the trial's first episode. */
  readonly firstEpisode: number;
}

/** A column that is written, with the value of the same name in reflections. */
interface Part {
  readonly column: number;
  readonly key: Uint8Array;
  readonly place: number;
  readonly reflectionKey: Uint8Array;
}

const PARTS: ReadonlyArray<Part> = [{
  column: RETURNS,
  key: ascii(',"returns":'),
  place: REFLECTION_RETURN,
  reflectionKey: ascii(',"return":'),
}, {
  column: ADVANTAGES,
  key: ascii(',"advantages":'),
  place: REFLECTION_ADVANTAGE,
  reflectionKey: ascii(',"advantage":'),
}];

/** Something to be put at `at`, in place of what ends at `to`, if anything. */
interface Edit {
  at: number;
  to: number;
  part: number;
  inReflection: boolean;
}

/** Two columns and two values of a reflection are the most of an episode. */
const edits: ReadonlyArray<Edit> = Array.from({ length: 4 }, () => ({
  at: 0,
  to: 0,
  part: 0,
  inReflection: false,
}));
const order: Array<Edit> = [];

function note(at: number, to: number, part: number, inReflection: boolean) {
  const edit = edits[order.length]!;
  edit.at = at;
  edit.to = to;
  edit.part = part;
  edit.inReflection = inReflection;
  // Stable: what stands at one place keeps the order of the parts.
  let i = order.length;
  order.push(edit);
  for (; i > 0 && order[i - 1]!.at > at; i--) order[i] = order[i - 1]!;
  order[i] = edit;
}

const WRITTEN = 1 << RETURNS | 1 << ADVANTAGES | 1 << REFLECTIONS;

/** Whether an episode has none of what is written, nor a reflection. */
function isPlain(row: RowIndex, e: number): boolean {
  return (row.present[e]! & WRITTEN) === 0;
}

/** Notes the edits of episode `e`, in the order in which they stand. */
function noteEdits(row: RowIndex, e: number, parts: number): void {
  order.length = 0;
  const base = REFLECTION * e;
  for (let p = 0; p < parts; p++) {
    const { column, place } = PARTS[p]!;
    const start = columnStart(row, e, column);
    note(start || row.closes[e]!, start && columnEnd(row, e, column), p, false);
    if (!hasReflection(row, e)) continue;
    const from = row.reflections[base + place]!;
    const close = row.reflections[base + REFLECTION_CLOSE]!;
    note(from || close, from && row.reflections[base + place + 1]!, p, true);
  }
}

/** The list of `values` from `from` to `to`. */
function putList(
  values: Float64Array,
  from: number,
  to: number,
  printed: Printed,
  out: Writer,
): void {
  reserve(out, (to - from + 1) * NUMBER_WIDTH);
  const { bytes } = out;
  bytes[out.length++] = OPEN;
  printList(values, from, to, printed, out);
  bytes[out.length++] = CLOSE;
}

function putOne(value: number, write: Printed["write"], out: Writer): void {
  reserve(out, NUMBER_WIDTH);
  out.length = write(out, out.length, value);
}

/** Appends a row; `credited` holds returns, and advantages where there are any. */
export type Splice = (
  row: RowIndex,
  credited: ReadonlyArray<Credited>,
  out: Writer,
) => void;

/** Writes rows with `text` as their credit; made once per stage. */
export function splicer(text: string, exact: boolean): Splice {
  const printed = PARTS.map(() =>
    emptyPrinted(exact ? writeNumber : writeNanos)
  );
  const copier: Copier = { copied: 0 };
  const putEpisode = (
    row: RowIndex,
    e: number,
    credited: ReadonlyArray<Credited>,
    out: Writer,
  ) => {
    const before = e === 0 ? 0 : row.ends[e - 1]!;
    if (isPlain(row, e)) {
      // Behind all else, as most rows have it: nothing is to be put in order.
      copyTo(row, copier, row.closes[e]!, out);
      for (let part = 0; part < credited.length; part++) {
        const { steps, first } = credited[part]!;
        putAscii(out, PARTS[part]!.key);
        const [from, to] = [first + before, first + row.ends[e]!];
        putList(steps, from, to, printed[part]!, out);
      }
      return;
    }
    noteEdits(row, e, credited.length);
    for (const { at, to, part, inReflection } of order) {
      const { steps, first, reflections, firstEpisode } = credited[part]!;
      const { key, reflectionKey } = PARTS[part]!;
      copyTo(row, copier, at, out);
      if (to === 0) putAscii(out, inReflection ? reflectionKey : key);
      const own = printed[part]!;
      if (inReflection) putOne(reflections[firstEpisode + e]!, own.write, out);
      else putList(steps, first + before, first + row.ends[e]!, own, out);
      if (to !== 0) copier.copied = to;
    }
  };
  return (row, credited, out) => {
    copier.copied = row.start;
    const first = standsFirst(row, "credit");
    if (first) putField(row, "credit", text, copier, out);
    for (let e = 0; e < row.episodes; e++) putEpisode(row, e, credited, out);
    if (!first) putField(row, "credit", text, copier, out);
    copyTo(row, copier, row.end, out);
    putByte(out, LINE_FEED);
  };
}
