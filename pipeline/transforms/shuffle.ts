/**
 * `shuffle`: the rows in a random order, each order equally likely.
 *
 * @module
 */
import { reserve } from "../bytes.ts";
import { transform } from "../stage.ts";
import { keyOf, SEED_FLAG, stageKey } from "../keyed.ts";
import { MEMORY_FLAG, ordered, type PutKey } from "./ordered.ts";

/** 64 bits by the place of a row: equal rows are shuffled as well. */
function placeKey(seed: string): PutKey {
  const stage = stageKey(seed, "shuffle");
  let index = 0;
  return (_, key) => {
    const [low, high] = keyOf(stage, index++);
    reserve(key, 8);
    key.view.setUint32(0, high);
    key.view.setUint32(4, low);
    key.length = 8;
  };
}

export const shuffle = transform(
  {
    name: "shuffle",
    summary: "Put the rows in a random order",
    details:
      `Every order is equally likely: this is no window that rows pass through. The order
depends on the seed, the rows and the order they came in, and on nothing else.
Rows beyond --memory wait in a temporary folder (in TMPDIR, as large as the
rows), which is removed at the end. Nothing is printed before all is read.`,
    flags: { seed: SEED_FLAG, memory: MEMORY_FLAG },
    operands: "[FILE|DIR…]",
    examples: [
      "retrial shuffle --seed 3 trials.jsonl > shuffled.jsonl",
      "zstdcat data/*.zst | retrial shuffle --memory 1024 | zstd > shuffled.jsonl.zst",
    ],
  },
  ({ seed, memory }, onBad) =>
    ordered("shuffle", memory, () => placeKey(seed), onBad),
);
