/**
 * Rows that stand together, handed on group by group. What is held is the largest
 * group (with `batch`, so many of them) and the batches that its rows stand in.
 *
 * @module
 */
import {
  addMoments,
  weightedMoments,
  whiten,
} from "../../../kernels/advantages/whiten.ts";
import { putText, recycle, take, writer } from "../../bytes.ts";
import { badLine, DataError, type Place, UsageError } from "../../errors.ts";
import type { Accumulator } from "../../jsonl.ts";
import { type Batch, forEachRow, type OnBadLine } from "../../lines.ts";
import {
  fieldSpan,
  Malformed,
  type RowIndex,
  rowIndex,
  taskOf,
  worldOf,
} from "../../scan.ts";
import { FIELDS } from "../../schema.ts";
import { idOf } from "../../keyed.ts";
import { estimate, finish } from "./estimate.ts";
import { explainTrial } from "./explain.ts";
import { addTrial, clearGroup, emptyGroup, type Group } from "./group.ts";
import { type CreditOptions, isRowwise, noteOf } from "./options.ts";
import { seenKeys } from "./seen.ts";
import { splicer } from "./splice.ts";

const MEBIBYTE = 2 ** 20;
const decoder = new TextDecoder();

/** A group with its rows. */
interface Held {
  readonly group: Group;
  readonly rows: Array<RowIndex>;
  count: number;
  /** Number of the batch that its first row stands in, and where. */
  batch: number;
  place: Place;
}

/** What a group is named by: a function for each part of `--group`. */
type KeyPart = (row: RowIndex) => string;

/** The value at `path` of a field, as JSON. */
function fieldPart(path: string): KeyPart {
  const [field, ...rest] = path.split(".");
  if (!FIELDS.includes(field as typeof FIELDS[number])) {
    throw new UsageError({
      message: `Cannot group by ${path}: rows have ${FIELDS.join(", ")}`,
    });
  }
  return (row) => {
    const span = fieldSpan(row, field as typeof FIELDS[number]);
    if (span === undefined) throw new Malformed(`${field} is missing`);
    const text = decoder.decode(row.bytes.subarray(...span));
    if (rest.length === 0) return text;
    let value = JSON.parse(text);
    for (const name of rest) value = value?.[name];
    if (value === undefined) throw new Malformed(`${path} is missing`);
    return JSON.stringify(value);
  };
}

/** Reads `--group`: the name of the group that a row is of. */
export function groupKey(group: string): (row: RowIndex) => string {
  const parts = group.split(",").map((part): KeyPart => {
    if (part === "task") return taskOf;
    return part === "world" ? worldOf : fieldPart(part);
  });
  if (parts.length === 1) return parts[0]!;
  return (row) => parts.map((part) => part(row)).join(" ");
}

function emptyHeld(): Held {
  const place = { origin: "", line: 0 };
  return { group: emptyGroup(), rows: [], count: 0, batch: 0, place };
}

/**
 * Groups rows and credits them; with `explained`, the id of a trial, gives not rows
 * but the text that says how that one's numbers are made.
 */
export function grouper(
  options: CreditOptions,
  onBad?: OnBadLine,
  explained?: string,
): Accumulator {
  const keyOf = isRowwise(options) ? idOf : groupKey(options.group);
  const splice = splicer(noteOf(options), options.exact);
  let isFound = explained === undefined;
  const seen = seenKeys();
  const out = writer(MEBIBYTE);
  const free: Array<Held> = [];
  // Groups that are whole and wait to be whitened with others.
  let waiting: Array<Held> = [];
  let moments = weightedMoments();
  let open = emptyHeld();
  let key: string | undefined;
  const batches: Array<Batch> = [];
  let oldest = 0;
  let [rows, steps] = [0, 0];
  let first: Place | undefined;

  const explain = ({ group, rows, count }: Held) => {
    const trial = rows.findIndex((row, k) =>
      k < count && idOf(row) === explained
    );
    if (trial < 0) return;
    isFound = true;
    const whitening = options.whiten ? moments : undefined;
    const asked = { group, row: rows[trial]!, trial, whitening };
    putText(out, explainTrial(asked, options));
  };
  const spliceAll = (held: Held) => {
    const { group } = held;
    let [firstStep, firstEpisode] = [0, 0];
    for (let k = 0; k < held.count; k++) {
      const row = held.rows[k]!;
      const at = { first: firstStep, firstEpisode };
      splice(row, [
        { ...at, steps: group.returns, reflections: group.episodeReturns },
        {
          ...at,
          steps: group.advantages,
          reflections: group.episodeAdvantages,
        },
      ], out);
      firstStep += row.ends[row.episodes - 1]!;
      firstEpisode += row.episodes;
    }
    rows += held.count;
    steps += group.steps;
  };
  const emit = (held: Held) => {
    finish(held.group, options);
    first ??= held.place;
    if (explained === undefined) spliceAll(held);
    else explain(held);
    clearGroup(held.group);
    held.count = 0;
    free.push(held);
  };
  const emitWaiting = () => {
    if (!Number.isFinite(moments.squares)) {
      const problem =
        "advantages from here on are too far apart to be whitened";
      throw badLine(waiting[0]!.place, problem);
    }
    for (const held of waiting) {
      const { advantages, steps, reflections } = held.group;
      whiten(advantages, steps + reflections, moments);
      emit(held);
    }
    waiting = [];
    moments = weightedMoments();
  };
  const close = () => {
    if (open.count === 0) return;
    const held = open;
    open = free.pop() ?? emptyHeld();
    try {
      if (options.advantage !== "none") estimate(held.group, options);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw badLine(held.place, `the group of ${key}: ${error.message}`);
    }
    if (!options.whiten) return emit(held);
    const { advantages, steps, reflections } = held.group;
    const counted = options.reflections === "none" ? 0 : reflections;
    addMoments(moments, advantages, steps + counted);
    waiting.push(held);
    if (waiting.length === options.batch) emitWaiting();
  };
  const begin = (next: string, place: Place) => {
    close();
    if (!seen.add(next)) {
      throw badLine(
        place,
        `${options.group} ${next} was there before, and others since: rows of a group must stand together, and retrial sort puts them so`,
      );
    }
    key = next;
  };
  /** Lets go of batches that no row stands in any more. */
  const release = () => {
    const held = waiting[0] ?? open;
    const needed = held.count > 0 ? held.batch : oldest + batches.length;
    while (batches.length > 0 && oldest < needed) {
      batches.shift()!.release?.();
      oldest++;
    }
  };
  const give = (place: Place | undefined): Batch | undefined => {
    if (out.length === 0) return undefined;
    const bytes = take(out);
    // Text is no rows, and whoever counts it shall find that out.
    const counts = explained === undefined && { counts: { rows, steps } };
    const made = { bytes, place: first ?? place!, offset: 0, ...counts };
    [rows, steps, first] = [0, 0, undefined];
    return { ...made, release: () => recycle(bytes) };
  };
  const push = (batch: Batch): Batch | undefined => {
    const number = oldest + batches.length;
    batches.push(batch);
    let spare = rowIndex();
    const add = (row: RowIndex, line: number) => {
      const next = keyOf(row);
      const place = { origin: batch.place.origin, line };
      if (next !== key) begin(next, place);
      addTrial(open.group, row, options);
      if (open.count === 0) [open.batch, open.place] = [number, place];
      // The row that was there before is free to read the next line into.
      spare = open.rows[open.count] ?? rowIndex();
      open.rows[open.count++] = row;
    };
    forEachRow(batch, () => spare, add, onBad);
    const made = give(batch.place);
    release();
    return made;
  };
  const end = (): Batch | undefined => {
    close();
    emitWaiting();
    if (!isFound) {
      throw new DataError({
        message: `Cannot explain ${explained}: no such trial`,
      });
    }
    const made = give(undefined);
    release();
    return made;
  };
  return { push, finish: end };
}
