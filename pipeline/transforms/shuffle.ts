/**
 * `shuffle`: the rows in a random order, each order equally likely.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import {
  attempt,
  type Batch,
  forEachRow,
  type OnBadLine,
  type Transform,
} from "../jsonl.ts";
import { rowIndex } from "../scan.ts";
import { transform } from "../stage.ts";
import { afterAll, inBatches } from "./held.ts";
import { keyOf, SEED_FLAG, stageKey } from "./keyed.ts";
import { type Sorter, sorter } from "./runs.ts";

const MEBIBYTE = 2 ** 20;

interface ShuffleOptions {
  readonly seed: string;
  readonly memory: number;
}

/** Puts each row under a key of its place: equal rows are shuffled as well. */
function reader(sorter: Sorter, seed: string, onBad?: OnBadLine) {
  const stage = stageKey(seed, "shuffle");
  const row = rowIndex();
  let index = 0;
  return (batch: Batch) => {
    const add = () => {
      const [low, high] = keyOf(stage, index);
      const bytes = batch.bytes.subarray(row.start, row.end + 1);
      sorter.add({ high, low, index: index++, bytes });
    };
    forEachRow(batch, row, add, onBad);
  };
}

function shuffled(options: ShuffleOptions, onBad?: OnBadLine): Transform {
  const what = "shuffle rows";
  const acquired = Effect.acquireRelease(
    Effect.sync(() => sorter(options.memory * MEBIBYTE)),
    (sorter) => Effect.sync(sorter.close),
  );
  return (batches) =>
    Stream.unwrap(
      Effect.gen(function* () {
        const sorter = yield* acquired;
        const read = yield* attempt(
          what,
          () => reader(sorter, options.seed, onBad),
        );
        const give = () => inBatches(sorter.sorted(), "shuffle");
        return afterAll(batches, what, read, give);
      }),
    );
}

export const shuffle = transform({
  name: "shuffle",
  summary: "Put the rows in a random order",
  details:
    `Every order is equally likely: this is no window that rows pass through. The order
depends on the seed, the rows and the order they came in, and on nothing else.
Rows beyond --memory wait in a temporary folder (in TMPDIR, as large as the
rows), which is removed at the end. Nothing is printed before all is read.`,
  flags: {
    seed: SEED_FLAG,
    memory: {
      type: "count",
      default: 32,
      min: 1,
      value: "MIB",
      summary: "rows held in memory, in MiB; more go to a temporary folder",
    },
  },
  operands: "[FILE|DIR…]",
  examples: [
    "retrial shuffle --seed 3 trials.jsonl > shuffled.jsonl",
    "zstdcat data/*.zst | retrial shuffle --memory 1024 | zstd > shuffled.jsonl.zst",
  ],
}, shuffled);
