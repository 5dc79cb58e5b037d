/**
 * `sample`: some of the rows, or of the tasks, chosen by a hash of their name.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import type { Key } from "../../kernels/random/key.ts";
import { UsageError } from "../errors.ts";
import {
  attempt,
  type BatchMapper,
  batchMapper,
  mapBatches,
  putRow,
  type Transform,
} from "../jsonl.ts";
import { type Batch, forEachRow, type OnBadLine } from "../lines.ts";
import { type RowIndex, rowIndex } from "../scan.ts";
import { transform } from "../stage.ts";
import { afterAll, inBatches } from "./held.ts";
import {
  compareKeys,
  keyOf,
  SEED_FLAG,
  stageKey,
  unit,
  unitOf,
  UNITS,
} from "../keyed.ts";
import { smallest } from "./smallest.ts";

interface Choice {
  readonly seed: string;
  readonly by: typeof UNITS[number];
}

/** The key of each row: equal for the rows of one unit. */
function rowKey({ seed, by }: Choice): (row: RowIndex) => Key {
  const key = stageKey(seed, "sample");
  const nameOf = unitOf[by];
  return (row) => keyOf(key, nameOf(row));
}

function fractionMapper(
  choice: Choice,
  fraction: number,
  onBad?: OnBadLine,
): BatchMapper {
  const key = rowKey(choice);
  return batchMapper((row, out) => {
    if (unit(key(row)) < fraction) putRow(row, out);
  }, onBad);
}

interface Line {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** Rows kept or dropped together. */
interface Group {
  readonly key: Key;
  readonly first: number;
  readonly lines: Array<Line>;
}

/** Equal keys are rows with one id, of which the earlier is kept. */
function compareGroups(a: Group, b: Group): number {
  return compareKeys(a.key, b.key) || a.first - b.first;
}

/** Holds the rows of the `count` groups whose keys are smallest so far. */
function reservoir(choice: Choice, count: number) {
  const kept = smallest(count, compareGroups);
  const byName = new Map<string, Group>();
  const key = rowKey(choice);
  const row = rowIndex();
  let index = 0;
  const add = () => {
    const group = { key: key(row), first: index++, lines: [] };
    const name = choice.by === "row" ? `${group.first}` : group.key.join();
    const known = byName.get(name);
    const bytes = () => row.bytes.slice(row.start, row.end + 1);
    if (known) known.lines.push({ index: group.first, bytes: bytes() });
    if (known) return;
    const isLate = kept.isFull() &&
      (count === 0 || compareGroups(group, kept.last()!) > 0);
    if (isLate) return;
    const held: Group = {
      ...group,
      lines: [{ index: group.first, bytes: bytes() }],
    };
    const gone = kept.offer(held);
    if (choice.by !== "row") {
      byName.set(name, held);
      if (gone) byName.delete(gone.key.join());
    }
  };
  const lines = () =>
    kept.items().flatMap((group) => group.lines)
      .sort((a, b) => a.index - b.index).map((line) => line.bytes);
  return { row, add, lines };
}

function countTransform(
  choice: Choice,
  count: number,
  onBad?: OnBadLine,
): Transform {
  const what = "sample rows";
  const made = attempt(what, () => reservoir(choice, count));
  return (batches) =>
    Stream.unwrap(Effect.map(made, ({ row, add, lines }) => {
      const read = (batch: Batch) => forEachRow(batch, row, add, onBad);
      const give = () => inBatches(lines(), "sample");
      return afterAll(batches, what, read, give);
    }));
}

const rows = transform({
  name: "sample",
  summary: "Keep some of the rows or tasks, at random",
  details:
    `--fraction keeps each row with that chance, by a hash of the seed and the row's
id: the same rows whatever their order and however they are sharded, and those of
a smaller fraction are among those of a larger one. --count keeps exactly so many
(all, if there are fewer), each set equally likely, in the order they came; it
holds these rows in memory, and no others. --by task or world keeps or drops all
rows of a task together, and --count then counts tasks.`,
  flags: {
    fraction: {
      type: "number",
      min: 0,
      max: 1,
      value: "P",
      summary: "chance of each row to be kept",
    },
    count: { type: "count", value: "N", summary: "how many to keep" },
    by: {
      type: "text",
      choices: UNITS,
      default: "row",
      value: "UNIT",
      summary: "what is kept or dropped as a whole",
    },
    seed: SEED_FLAG,
  },
  operands: "[FILE|DIR…]",
  examples: [
    "retrial sample --fraction 0.1 --seed 3 trials.jsonl",
    "retrial sample --count 100 --by task trials.jsonl",
  ],
}, (options, onBad): Transform => {
  const { fraction, count } = options;
  if (fraction !== undefined && count === undefined) {
    return mapBatches(() => fractionMapper(options, fraction, onBad));
  }
  if (count !== undefined && fraction === undefined) {
    return countTransform(options, count, onBad);
  }
  return refuse("give either --fraction or --count");
});

export const sample: typeof rows = {
  ...rows,
  mapper: (options, onBad) =>
    options.fraction !== undefined && options.count === undefined
      ? fractionMapper(options, options.fraction, onBad)
      : undefined,
};

function refuse(why: string): Transform {
  const error = new UsageError({ message: `Cannot sample: ${why}` });
  return () => Stream.fail(error);
}
