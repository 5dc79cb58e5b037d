/**
 * `sort`: the rows in the order of one of their names.
 *
 * @module
 */
import { putText, reserve, type Writer } from "../bytes.ts";
import {
  fieldSpan,
  type RowIndex,
  spanText,
  taskOf,
  worldOf,
} from "../scan.ts";
import { transform } from "../stage.ts";
import { MEMORY_FLAG, ordered, type PutKey } from "./ordered.ts";

const WORD = 2 ** 32;

/** An integer in [0, 2^53), so that its bytes order it; the first is 0. */
function putCount(key: Writer, n: number): void {
  reserve(key, 8);
  key.view.setUint32(key.length, Math.floor(n / WORD));
  key.view.setUint32(key.length + 4, n >>> 0);
  key.length += 8;
}

function sampleOf(row: RowIndex): number {
  const [from, to] = fieldSpan(row, "sample")!;
  return Number(spanText(row, from, to));
}

/** Text without a byte 0, as a count begins with: "a" stands before "a…". */
function putName(key: Writer, text: string): void {
  const from = key.length;
  putText(key, text);
  // No byte of UTF-8 is 255.
  for (let i = from; i < key.length; i++) key.bytes[i]!++;
}

/** A decimal integer of any size: of two, the one with more digits is larger. */
function putSeed(row: RowIndex, key: Writer): void {
  const span = fieldSpan(row, "seed");
  if (!span) return;
  const seed = spanText(row, ...span);
  putCount(key, seed.length);
  putText(key, seed);
}

/** What rows are sorted by. */
const KEYS = {
  task: (row, key) => putText(key, taskOf(row)),
  world: (row, key) => putText(key, worldOf(row)),
  id: (row, key) => {
    putName(key, taskOf(row));
    putCount(key, sampleOf(row));
  },
  sample: (row, key) => putCount(key, sampleOf(row)),
  seed: putSeed,
} as const satisfies { readonly [name: string]: PutKey };

type Name = keyof typeof KEYS;

export const sort = transform({
  name: "sort",
  summary: "Put the rows in the order of their tasks",
  details:
    `Rows of one task stand together then, as stages that compare the trials of a
group want them. Names are in the order of their UTF-8 bytes (as LC_ALL=C sort has
them), numbers in that of their size: --by id is by task and then by sample, of
which 2 stands before 10. Rows that agree keep the order they came in; those
without a world go by their task, those without a seed come first. Rows beyond
--memory wait in a temporary folder (in TMPDIR, as large as the rows), which is
removed at the end. Nothing is printed before all is read.`,
  flags: {
    by: {
      type: "text",
      choices: Object.keys(KEYS) as ReadonlyArray<Name>,
      default: "task",
      value: "NAME",
      summary: "what decides the order",
    },
    memory: MEMORY_FLAG,
  },
  operands: "[FILE|DIR…]",
  examples: [
    "retrial sort trials.jsonl > grouped.jsonl",
    "retrial sort --by id --memory 1024 data/ | zstd > sorted.jsonl.zst",
  ],
}, ({ by, memory }, onBad) => ordered("sort", memory, () => KEYS[by], onBad));
