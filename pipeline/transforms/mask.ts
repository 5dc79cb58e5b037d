/**
 * `mask`: hides tags, as OmniRL does before it trains (Wang and others 2025, arXiv
 * 2502.02869). Everything else in a row passes as the bytes it came as.
 *
 * @module
 */
import { foldIn } from "../../kernels/random/key.ts";
import { UNKNOWN } from "../../envs/policies/omnirl.ts";
import { LINE_FEED, putByte, putNumbers } from "../bytes.ts";
import { batchMapper, type RowMapper } from "../jsonl.ts";
import { columnEnd, columnStart, type RowIndex } from "../scan.ts";
import { columnIndex } from "../schema.ts";
import { rowTransform } from "../stage.ts";
import { type Copier, copyTo } from "./copier.ts";
import { idOf, keyOf, SEED_FLAG, stageKey, unit } from "../keyed.ts";

const TAGS = columnIndex("tags");

/** Probabilities that the tags of a trial, and of each episode, are hidden. */
interface Shares {
  readonly trials: number;
  readonly episodes: number;
  readonly seed: string;
}

/** Which episodes of a row are hidden: by the row's id and their index alone. */
function chooser(shares: Shares) {
  const stage = stageKey(shares.seed, "mask");
  return (row: RowIndex): (e: number) => boolean => {
    const key = keyOf(stage, idOf(row));
    if (unit(foldIn(key, "trial")) < shares.trials) return () => true;
    return (e) => unit(foldIn(key, "episode", e)) < shares.episodes;
  };
}

/** Steps of an episode. */
function lengthOf(row: RowIndex, e: number): number {
  return row.ends[e]! - (e === 0 ? 0 : row.ends[e - 1]!);
}

function maskRow(shares: Shares): RowMapper {
  const choose = chooser(shares);
  const copier: Copier = { copied: 0 };
  return (row, out) => {
    const isHidden = choose(row);
    copier.copied = row.start;
    for (let e = 0; e < row.episodes; e++) {
      const from = columnStart(row, e, TAGS);
      if (from === 0 || !isHidden(e)) continue;
      copyTo(row, copier, from, out);
      putNumbers(out, new Uint8Array(lengthOf(row, e)).fill(UNKNOWN));
      copier.copied = columnEnd(row, e, TAGS);
    }
    copyTo(row, copier, row.end, out);
    putByte(out, LINE_FEED);
  };
}

export const mask = rowTransform({
  name: "mask",
  summary: "Hide tags of some trials and episodes from who is trained on them",
  details:
    `Tags say which source of the policy took each action. A hidden one is ${UNKNOWN}. With
probability --trials all tags of a trial are hidden; of the others, each episode's
are with probability --episodes: of all episodes, 27.75 % as it stands. Which ones
depends on the seed, the row's id and the episode's index alone, so that rows may
come in any order and shards. Rows without tags pass as they are.`,
  flags: {
    trials: {
      type: "number",
      default: 0.15,
      min: 0,
      max: 1,
      value: "P",
      summary: "probability that all tags of a trial are hidden",
    },
    episodes: {
      type: "number",
      default: 0.15,
      min: 0,
      max: 1,
      value: "P",
      summary: "probability that those of an episode are",
    },
    seed: SEED_FLAG,
  },
  operands: "[FILE|DIR…]",
  examples: [
    "retrial mask --seed 3 trials.jsonl",
    "retrial generate --env anymdp --policy omnirl --episodes 8 then mask --trials 0 --episodes 0.5 | jq -c '.episodes[].tags[:9]'",
  ],
}, (options, onBad) => batchMapper(maskRow(options), onBad));
