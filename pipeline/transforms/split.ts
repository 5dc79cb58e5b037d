/**
 * `split`: deals rows out to the parts of a dataset by their hidden problem, so
 * that no problem is on two sides.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { suggestion } from "../flags.ts";
import { take, writer } from "../bytes.ts";
import { type BatchMapper, batchMapper, putRow } from "../jsonl.ts";
import { forEachRow, type OnBadLine } from "../lines.ts";
import { type RowIndex, rowIndex, worldOf } from "../scan.ts";
import { type Router, rowTransform } from "../stage.ts";
import { keyOf, SEED_FLAG, stageKey, unit } from "../keyed.ts";

/** A part of a dataset; `below` is where its share of [0, 1) ends. */
interface Part {
  readonly name: string;
  readonly below: number;
}

/** What Hugging Face reads as the name of a split. */
const NAME = /^\w+(\.\w+)*$/;
const TOLERANCE = 1e-9;

function wrongParts(text: string, why: string): UsageError {
  return new UsageError({
    message: `Cannot set --parts to ${JSON.stringify(text)}: ${why}`,
  });
}

/** `train=0.8,test=0.2` */
export function parseParts(text: string): ReadonlyArray<Part> {
  const parts: Array<Part> = [];
  let below = 0;
  for (const pair of text.split(",")) {
    const [name = "", share = "", ...rest] = pair.trim().split("=");
    const fraction = share.trim() === "" ? NaN : Number(share);
    if (!(fraction >= 0 && fraction <= 1) || rest.length > 0) {
      throw wrongParts(text, `${pair} is not of the form name=fraction`);
    }
    if (!NAME.test(name)) {
      throw wrongParts(text, `${name} is not letters, digits, _ and dots`);
    }
    if (parts.some((part) => part.name === name)) {
      throw wrongParts(text, `${name} is there twice`);
    }
    parts.push({ name, below: below += fraction });
  }
  if (Math.abs(below - 1) <= TOLERANCE) return withWhole(parts);
  throw wrongParts(text, `the fractions sum to ${below}, not to 1`);
}

/** The sum may fall short of 1 by rounding; nothing may fall behind it. */
function withWhole(parts: ReadonlyArray<Part>): ReadonlyArray<Part> {
  const whole = parts.at(-1)!.below;
  return parts.map((part) =>
    part.below === whole ? { ...part, below: 1 } : part
  );
}

interface SplitOptions {
  readonly parts: string;
  readonly seed: string;
}

/** The index of the part that a row belongs to. */
function partOf(
  options: SplitOptions,
  parts: ReadonlyArray<Part>,
): (row: RowIndex) => number {
  const key = stageKey(options.seed, "split");
  return (row) => {
    const u = unit(keyOf(key, worldOf(row)));
    return parts.findIndex(({ below }) => u < below);
  };
}

function router(options: SplitOptions, onBad?: OnBadLine): Router {
  const parts = parseParts(options.parts);
  const place = partOf(options, parts);
  const row = rowIndex();
  const outs = parts.map(() => writer());
  return {
    splits: parts.map(({ name }) => name),
    route: (batch) => {
      forEachRow(batch, row, () => putRow(row, outs[place(row)]!), onBad);
      return outs.map(take);
    },
  };
}

function onlyPart(
  options: SplitOptions,
  name: string,
  onBad?: OnBadLine,
): BatchMapper {
  const parts = parseParts(options.parts);
  const names = parts.map((part) => part.name);
  const wanted = names.indexOf(name);
  if (wanted < 0) {
    const near = suggestion(name, names) || ` (there is ${names.join(", ")})`;
    throw new UsageError({
      message: `Cannot keep only ${name}: no part${near}`,
    });
  }
  const place = partOf(options, parts);
  return batchMapper((row, out) => {
    if (place(row) === wanted) putRow(row, out);
  }, onBad);
}

const rows = rowTransform({
  name: "split",
  summary: "Deal rows out to train, test and so on, no task on two sides",
  details:
    `Rows with the same task.world (task.id where there is none) go to the same part:
two seeds can draw the same hidden problem, and it must not be learned from and
tested on. The part is a hash of the seed and that name, so rows stay where they
are when others come or go, and parts of one dataset agree with those of another.
The fractions are of tasks and hold on average: of 100 tasks at 0.8, expect 80
give or take 8. With --out DIR the parts become data/<part>-*.jsonl; with --only
one of them goes to standard output.`,
  flags: {
    parts: {
      type: "text",
      default: "train=0.8,test=0.2",
      value: "NAME=FRACTION,…",
      summary: "the parts and their shares, which sum to 1",
    },
    only: {
      type: "text",
      value: "NAME",
      summary: "print the rows of this part",
    },
    seed: SEED_FLAG,
  },
  operands: "[FILE|DIR…]",
  examples: [
    "retrial split --parts train=0.9,valid=0.05,test=0.05 --out dataset trials.jsonl",
    "retrial split --only test trials.jsonl > test.jsonl",
  ],
}, (options, onBad) => {
  if (options.only !== undefined) return onlyPart(options, options.only, onBad);
  throw new UsageError({
    message:
      "Cannot split to one stream: give --out DIR, or --only NAME for one part",
  });
});

export const split: typeof rows = {
  ...rows,
  router: (options, onBad) =>
    options.only === undefined ? router(options, onBad) : undefined,
};
