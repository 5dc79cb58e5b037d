/**
 * `credit`: the returns of each step, within its episode and across the episodes
 * after it. Everything else in a row passes as the bytes it came as.
 *
 * @module
 */
import {
  CROSS_FORMS,
  reflectionReturn,
  type ReturnOptions,
  trialReturns,
} from "../../kernels/returns.ts";
import {
  ascii,
  NUMBER_WIDTH,
  putAscii,
  putByte,
  reserve,
  writeNanos,
  writeNumber,
  type Writer,
} from "../bytes.ts";
import { batchMapper, type RowMapper } from "../jsonl.ts";
import {
  columnEnd,
  columnStart,
  hasReflection,
  Malformed,
  type RowIndex,
} from "../scan.ts";
import { columnIndex } from "../schema.ts";
import { rowTransform } from "../stage.ts";
import { type Copier, copyTo, putField, standsFirst } from "./copier.ts";

const RETURNS = columnIndex("returns");
const SUCCESS = columnIndex("success");
const RETURNS_KEY = ascii(',"returns":');
const RETURN_KEY = ascii(',"return":');
const LINE_FEED = 0x0a;
const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

type WriteNumber = (out: Writer, at: number, x: number) => number;

function putReturns(
  returns: Float64Array,
  from: number,
  to: number,
  write: WriteNumber,
  out: Writer,
): void {
  reserve(out, (to - from + 1) * NUMBER_WIDTH);
  const { bytes } = out;
  let at = out.length;
  bytes[at++] = OPEN;
  for (let i = from; i < to; i++) {
    if (i > from) bytes[at++] = COMMA;
    at = write(out, at, returns[i]!);
  }
  bytes[at++] = CLOSE;
  out.length = at;
}

/** Every episode must say whether it succeeded where successes are counted. */
function needSuccess(row: RowIndex): void {
  for (let e = 0; e < row.episodes; e++) {
    if (columnStart(row, e, SUCCESS) !== 0) continue;
    throw new Malformed(
      `episodes[${e}].success is missing, and --cross orbit counts successes`,
    );
  }
}

/** Rewards near the largest double can add up to more than that. */
function needFinite({ ends, episodes }: RowIndex, returns: Float64Array): void {
  const steps = ends[episodes - 1]!;
  let zero = 0;
  for (let i = 0; i < steps; i++) zero += returns[i]! * 0;
  if (zero === 0) return;
  const e = ends.findIndex((end) =>
    !returns.subarray(0, end).every(Number.isFinite)
  );
  throw new Malformed(`episodes[${e}].rewards add up to no finite number`);
}

/** The options of `credit`, as the row keeps them. */
export interface CreditOptions extends ReturnOptions {
  /** Print returns to the last bit rather than to nine decimals. */
  readonly exact: boolean;
}

/** What the parts of a row are written with. */
interface Pen {
  readonly write: WriteNumber;
  readonly copier: Copier;
  readonly out: Writer;
}

/** The returns of episode `e`, which are `from` to `to` of `returns`. */
function putColumn(
  row: RowIndex,
  e: number,
  returns: Float64Array,
  pen: Pen,
): void {
  const { copier, out } = pen;
  const start = columnStart(row, e, RETURNS);
  copyTo(row, copier, start || row.closes[e]!, out);
  if (start === 0) putAscii(out, RETURNS_KEY);
  const from = e === 0 ? 0 : row.ends[e - 1]!;
  putReturns(returns, from, row.ends[e]!, pen.write, out);
  if (start !== 0) copier.copied = columnEnd(row, e, RETURNS);
}

/** The return of the reflection after episode `e`. */
function putReflection(
  row: RowIndex,
  e: number,
  value: number,
  { write, copier, out }: Pen,
): void {
  const from = row.reflections[3 * e]!;
  copyTo(row, copier, from || row.reflections[3 * e + 2]!, out);
  if (from === 0) putAscii(out, RETURN_KEY);
  reserve(out, NUMBER_WIDTH);
  out.length = write(out, out.length, value);
  if (from !== 0) copier.copied = row.reflections[3 * e + 1]!;
}

/** Returns and reflection of one episode, in the order in which they stand. */
function putEpisode(
  row: RowIndex,
  e: number,
  returns: Float64Array,
  reflection: number,
  pen: Pen,
): void {
  if (!hasReflection(row, e)) return putColumn(row, e, returns, pen);
  const start = columnStart(row, e, RETURNS);
  const returnsFirst = start !== 0 && start < row.reflections[3 * e + 2]!;
  if (returnsFirst) putColumn(row, e, returns, pen);
  putReflection(row, e, reflection, pen);
  if (!returnsFirst) putColumn(row, e, returns, pen);
}

function creditRow(options: CreditOptions): RowMapper {
  const { gamma, gammaTrial, cross, exact } = options;
  const note = JSON.stringify({ gamma, gamma_trial: gammaTrial, cross });
  const write = exact ? writeNumber : writeNanos;
  const copier: Copier = { copied: 0 };
  let returns = new Float64Array(1024);
  return (row, out) => {
    if (cross === "orbit") needSuccess(row);
    const { ends, episodes, success } = row;
    const rewards = row.rewards.values;
    if (returns.length < rewards.length) {
      returns = new Float64Array(rewards.length);
    }
    const columns = { rewards, ends, episodes, success };
    trialReturns(columns, options, returns);
    needFinite(row, returns);
    copier.copied = row.start;
    const pen = { write, copier, out };
    const first = standsFirst(row, "credit");
    if (first) putField(row, "credit", note, copier, out);
    for (let e = 0; e < episodes; e++) {
      const reflection = cross === "orbit"
        ? returns[0] ?? 0
        : reflectionReturn(columns, returns, e);
      putEpisode(row, e, returns, reflection, pen);
    }
    if (!first) putField(row, "credit", note, copier, out);
    copyTo(row, copier, row.end, out);
    putByte(out, LINE_FEED);
  };
}

export const credit = rowTransform({
  name: "credit",
  summary: "Credit each step with its return, within and across episodes",
  details:
    `Writes episodes[i].returns and episodes[i].reflection.return, and the
options as "credit". With g the return within an episode (--gamma), the forms are
  lamer         g + gamma^(steps left) * gamma_trial * G of the next episode
  paper         g + sum over later episodes m of gamma_trial^(m-n) * g of m
  orbit         the number of successful episodes, for every step
  differential  the paper's form over gains: each episode less the one before
A reflection is credited as the first step of the episode that follows it.
Returns are printed to nine decimals; --exact prints every bit.`,
  flags: {
    "gamma": {
      type: "number",
      default: 0.95,
      min: 0,
      max: 1,
      value: "G",
      summary: "discount from step to step",
    },
    "gamma-trial": {
      type: "number",
      default: 0.6,
      min: 0,
      max: 1,
      value: "T",
      summary: "discount from episode to episode",
    },
    "cross": {
      type: "text",
      default: "lamer",
      choices: CROSS_FORMS,
      value: "FORM",
      summary: "form of credit across episodes",
    },
    "exact": { type: "switch", summary: "print returns to the last bit" },
  },
  operands: "[FILE|DIR…]",
  examples: [
    "retrial credit --gamma 0.95 --gamma-trial 0.9 trials.jsonl",
    "zcat trials.jsonl.gz | retrial credit --cross paper | jq .episodes[0].returns",
  ],
}, (options, onBad) =>
  batchMapper(
    creditRow({
      gamma: options.gamma,
      gammaTrial: options["gamma-trial"],
      cross: options.cross,
      exact: options.exact,
    }),
    onBad,
  ));
