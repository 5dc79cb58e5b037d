/**
 * `compose`: contexts, put together from sets of episodes.
 *
 * @module
 */
import { arrange, drawWeighted } from "../../kernels/packing/sets.ts";
import { foldIn, type Key } from "../../kernels/random/key.ts";
import {
  type Generator,
  generator,
  integer,
} from "../../kernels/random/generator.ts";
import { recycle, take, writer } from "../bytes.ts";
import { accumulate, type Accumulator } from "../jsonl.ts";
import {
  addCounts,
  type Batch,
  type Composed,
  type Counts,
  forEachRow,
  type OnBadLine,
} from "../lines.ts";
import { idOf, keyOf, stageKey, unit } from "../keyed.ts";
import { say } from "../progress.ts";
import { type RowIndex, rowIndex } from "../scan.ts";
import { transform } from "../stage.ts";
import {
  addSet,
  clearContext,
  type Context,
  emptyContext,
  putContext,
} from "./compose/context.ts";
import { type ComposeOptions, flags, setSize } from "./compose/options.ts";

const MEBIBYTE = 2 ** 20;

/** Return of each episode. */
function returnsOf(row: RowIndex): Float64Array {
  const returns = new Float64Array(row.episodes);
  for (let e = 0, i = 0; e < row.episodes; e++) {
    for (; i < row.ends[e]!; i++) {
      returns[e] = returns[e]! + row.rewards.values[i]!;
    }
  }
  return returns;
}

/** Draws the episodes of a set. */
function drawSet(options: ComposeOptions) {
  const { low, high } = setSize(options.set);
  const { every, order } = options;
  const odds = options["success-odds"];
  return (random: Generator, row: RowIndex): Int32Array => {
    const kept = Math.ceil(row.episodes / every);
    const size = low === Infinity
      ? kept
      : low + integer(random, high - low + 1);
    const weights = Float64Array.from(
      { length: kept },
      (_, i) => row.success[i * every] ? odds : 1,
    );
    // What has no weight is never drawn, not even where there is room.
    const drawable = weights.reduce((n, w) => n + (w > 0 ? 1 : 0), 0);
    const drawn = drawWeighted(random, weights, Math.min(size, drawable));
    const indices = drawn.map((i) => i * every);
    arrange(random, indices, order, returnsOf(row));
    return indices;
  };
}

const NONE: Composed = {
  sets: 0,
  episodes: 0,
  successes: 0,
  joined: 0,
  bursty: 0,
};

function told({ rows, steps, composed = NONE }: Counts): string {
  const { sets, episodes, successes, joined } = composed;
  const each = (n: number) => (n / rows).toFixed(1);
  const share = (n: number, of: number) => `${(100 * n / of).toFixed(1)} %`;
  return `${rows} contexts of ${each(sets)} sets, ${
    each(episodes)
  } episodes and ${each(steps)} steps; ${
    share(successes, episodes)
  } of episodes successful, ${
    share(joined, rows)
  } of contexts on several tasks\n`;
}

/** What is in one context. */
function countsOf(context: Context, bursty: boolean): Counts {
  const { boundaries, episodes, steps, successes } = context;
  const tasks = new Set(boundaries.map(({ task }) => task));
  const composed = {
    sets: boundaries.length,
    episodes,
    successes,
    joined: Number(tasks.size > 1),
    bursty: Number(bursty),
  };
  return { rows: 1, steps, composed };
}

/** Batches in, batches of contexts out. */
function composer(
  options: ComposeOptions,
  onBad?: OnBadLine,
): Accumulator {
  const { steps = Infinity, burstiness } = options;
  const sets = options.sets ?? (options.steps === undefined ? 1 : Infinity);
  const draw = drawSet(options);
  const stage: Key = stageKey(options.seed, "compose");
  const row = rowIndex();
  const out = writer(MEBIBYTE);
  // Of trials as they come, and of one trial that makes contexts of its own.
  const [joined, own] = [emptyContext(), emptyContext()];
  const none: Counts = { rows: 0, steps: 0, composed: NONE };
  // Of the batch under way, and of all.
  let [counts, totals] = [none, none];
  const isFull = (context: Context) =>
    context.steps >= steps || context.boundaries.length >= sets;
  const emit = (context: Context) => {
    if (context.episodes > 0) {
      putContext(context, out);
      counts = addCounts(counts, countsOf(context, context === own));
    }
    clearContext(context);
  };
  const addRow = () => {
    const key = keyOf(stage, idOf(row));
    const alone = unit(foldIn(key, "burst")) < burstiness;
    const context = alone ? own : joined;
    for (let k = 0;; k++) {
      const random = generator(foldIn(key, "set", k));
      const indices = draw(random, row);
      if (indices.length === 0) break;
      const before = context.steps;
      addSet(context, row, indices);
      const full = isFull(context);
      if (full) emit(context);
      // Episodes without steps would never fill it.
      if (full || !alone || context.steps === before) break;
    }
    if (alone) emit(own);
  };
  const give = (batch: Pick<Batch, "place" | "offset">): Batch | undefined => {
    if (out.length === 0) return undefined;
    const bytes = take(out);
    const given = counts;
    totals = addCounts(totals, given);
    counts = none;
    const { place, offset } = batch;
    const release = () => recycle(bytes);
    return { bytes, place, offset, counts: given, release };
  };
  let last: Pick<Batch, "place" | "offset"> | undefined;
  return {
    push: (batch: Batch): Batch | undefined => {
      last = batch;
      batch.release?.(forEachRow(batch, row, addRow, onBad));
      return give(batch);
    },
    finish: (): Batch | undefined => {
      emit(joined);
      const given = last && give(last);
      if (totals.rows > 0) say(told(totals));
      return given;
    },
  };
}

export const compose = transform({
  name: "compose",
  summary: "Put sets of episodes together into contexts",
  details:
    `A set is episodes of one trial: --set of them, drawn from each --every-th without
replacement, successful ones --success-odds times as likely, in --order. A context
is sets one behind the other, of trials as they come (shuffle first), until it has
--steps steps or --sets sets; nothing in its episodes tells that the task changed,
but "boundary" says which trial each set is of. With --burstiness P that share of
trials makes contexts of their own, set upon set. What was put together is said at
the end. The published Frozen Lake data is --set 20..40 --order shuffled with
--success-odds 5, 1 or 0.2, in contexts of 4,096 tokens (arXiv 2501.14176).`,
  flags,
  operands: "[FILE|DIR…]",
  examples: [
    "retrial compose --set 20..40 --order shuffled --success-odds 5 --steps 400 trials.jsonl",
    "retrial shuffle trials.jsonl | retrial compose --every 10 | retrial pack --context 200 --out packs",
  ],
}, (options, onBad) => accumulate("compose", () => composer(options, onBad)));
