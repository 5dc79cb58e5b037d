/**
 * All rows in another order, in bounded memory.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import { type Writer, writer } from "../bytes.ts";
import { attempt, type Transform } from "../jsonl.ts";
import { type Batch, forEachRow, type OnBadLine } from "../lines.ts";
import { type RowIndex, rowIndex } from "../scan.ts";
import { afterAll, inBatches } from "./held.ts";
import { sorter } from "./runs.ts";

const MEBIBYTE = 2 ** 20;

/** The flag of a stage that holds rows, and writes more to files. */
export const MEMORY_FLAG = {
  type: "count",
  default: 32,
  min: 1,
  value: "MIB",
  summary: "rows held in memory, in MiB; more go to a temporary folder",
} as const;

/** Writes the key by whose bytes a row has its place. */
export type PutKey = (row: RowIndex, key: Writer) => void;

/**
 * Rows in the order of their keys, those of equal keys in the order they came.
 * `makeKey` is called once for each stream, and may throw a tagged error.
 */
export function ordered(
  stage: string,
  memory: number,
  makeKey: () => PutKey,
  onBad?: OnBadLine,
): Transform {
  const what = `${stage} rows`;
  const acquired = Effect.acquireRelease(
    Effect.sync(() => sorter(memory * MEBIBYTE)),
    (sorter) => Effect.sync(sorter.close),
  );
  return (batches) =>
    Stream.unwrap(
      Effect.gen(function* () {
        const sorter = yield* acquired;
        const putKey = yield* attempt(what, makeKey);
        const row = rowIndex();
        const key = writer(64);
        const add = () => {
          key.length = 0;
          putKey(row, key);
          const line = row.bytes.subarray(row.start, row.end + 1);
          sorter.add(key.bytes.subarray(0, key.length), line);
        };
        const read = (batch: Batch) => forEachRow(batch, row, add, onBad);
        const give = () => inBatches(sorter.sorted(), stage);
        return afterAll(batches, what, read, give);
      }),
    );
}
