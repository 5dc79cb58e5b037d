/**
 * Rows out of trial records: columns to bytes, with no object in between.
 *
 * @module
 */
import {
  SUCCESS,
  TERMINATED,
  type TrialRecord,
  TRUNCATED,
} from "../envs/rollout.ts";
import {
  LINE_FEED,
  NUMBER_WIDTH,
  putAscii,
  putByte,
  putNumbers,
  putText,
  reserve,
  writeInteger,
  writeNumber,
  type Writer,
} from "./bytes.ts";
import { SCHEMA, type TaskRow } from "./schema.ts";
import { joinedTask } from "./tasks.ts";

const COMMA = 0x2c;
const ZERO = 0x30;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CLOSE_OBJECT = 0x7d;
/** Room for an integer below 10^9 and the comma behind it. */
const INTEGER_WIDTH = 10;

const OBSERVATIONS = bytesOf('{"observations":[');
const ACTIONS = bytesOf('],"actions":[');
const REWARDS = bytesOf('],"rewards":[');
const BEHIND_REWARDS = bytesOf("]");
const VALID = ',"valid":[';
const LOGPROBS = ',"logprobs":';
const TAGS = bytesOf(',"tags":[');

/** How an episode ended, for each combination of flags. */
const ENDS = Array.from({ length: 8 }, (_, flags) =>
  bytesOf(
    `,"terminated":${Boolean(flags & TERMINATED)},"truncated":${
      Boolean(flags & TRUNCATED)
    }`,
  ));
const SUCCESSES = Array.from(
  { length: 8 },
  (_, flags) => bytesOf(`,"success":${Boolean(flags & SUCCESS)}`),
);

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** What stands before the episodes of a row. */
export interface Head {
  readonly task: TaskRow;
  readonly sample: number;
  readonly seed: string;
  /** `{"name":…,"params":…}` */
  readonly policy: string;
}

export function putHead(out: Writer, head: Head): void {
  const { task, sample, seed, policy } = head;
  const id = JSON.stringify(`${task.id}/${sample}`);
  putText(
    out,
    `{"schema":"${SCHEMA}","id":${id},"task":${
      JSON.stringify(task)
    },"sample":${sample},"seed":"${seed}","policy":${policy},"episodes":[`,
  );
}

function copy(bytes: Uint8Array, at: number, text: Uint8Array): number {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text[i]!;
  return at + text.length;
}

/** Integers `from` to `to` of a column, each with a comma behind it. */
function writeIntegers(
  bytes: Uint8Array,
  at: number,
  column: Int32Array,
  from: number,
  to: number,
): number {
  for (let i = from; i < to; i++) {
    const n = column[i]!;
    if (n < 10) bytes[at++] = ZERO + n;
    else if (n < 100) {
      const tens = (n * 205) >> 11;
      bytes[at] = ZERO + tens;
      bytes[at + 1] = ZERO + n - tens * 10;
      at += 2;
    } else at = writeInteger(bytes, at, n);
    bytes[at++] = COMMA;
  }
  return at;
}

function writeRewards(
  out: Writer,
  at: number,
  column: Float64Array,
  from: number,
  to: number,
): number {
  const { bytes } = out;
  for (let i = from; i < to; i++) {
    const reward = column[i]!;
    if (reward === 0) bytes[at++] = ZERO;
    else if (reward === 1) bytes[at++] = ZERO + 1;
    else at = writeNumber(out, at, reward);
    bytes[at++] = COMMA;
  }
  return at;
}

/** Takes back the comma behind the last entry of a list, if there is one. */
function closeList(bytes: Uint8Array, at: number): number {
  return bytes[at - 1] === COMMA ? at - 1 : at;
}

function writeVectors(
  out: Writer,
  at: number,
  record: TrialRecord,
  from: number,
  to: number,
): number {
  const { bytes } = out;
  const { width, values } = record.vectors!;
  for (let i = from; i < to; i++) {
    bytes[at++] = OPEN;
    const first = record.codes[i]! * width;
    for (let d = 0; d < width; d++) {
      at = writeNumber(out, at, values[first + d]!);
      bytes[at++] = COMMA;
    }
    bytes[at - 1] = CLOSE;
    bytes[at++] = COMMA;
  }
  return at;
}

function putObservations(
  out: Writer,
  record: TrialRecord,
  from: number,
  to: number,
): void {
  if (record.values) {
    const shown = record.values.slice(from, to).map((value) =>
      JSON.stringify(value)
    );
    return putText(out, shown.join(",") + ",");
  }
  const width = record.vectors
    ? record.vectors.width * NUMBER_WIDTH + 3
    : INTEGER_WIDTH;
  reserve(out, (to - from) * width);
  const write = record.vectors ? writeVectors : writeCodes;
  out.length = write(out, out.length, record, from, to);
}

function writeCodes(
  out: Writer,
  at: number,
  record: TrialRecord,
  from: number,
  to: number,
): number {
  return writeIntegers(out.bytes, at, record.codes, from, to);
}

/** The entries of a list that others open and close. */
function putActions(
  out: Writer,
  { actions, actionVectors }: TrialRecord,
  from: number,
  to: number,
): void {
  if (actionVectors) {
    const text = JSON.stringify(actionVectors.slice(from, to));
    return putText(out, text.slice(1, -1));
  }
  reserve(out, (to - from) * INTEGER_WIDTH);
  const { bytes, length } = out;
  out.length = closeList(
    bytes,
    writeIntegers(bytes, length, actions, from, to),
  );
}

function putEpisode(out: Writer, record: TrialRecord, e: number): void {
  const from = e === 0 ? 0 : record.ends[e - 1]!;
  const to = record.ends[e]!;
  reserve(out, 64);
  out.length = copy(out.bytes, out.length, OBSERVATIONS);
  putObservations(out, record, from + e, to + e + 1);
  out.length = closeList(out.bytes, out.length);
  putAscii(out, ACTIONS);
  putActions(out, record, from, to);
  reserve(out, (to - from) * (NUMBER_WIDTH + 1) + 128);
  const { bytes } = out;
  let at = copy(bytes, out.length, REWARDS);
  at = closeList(bytes, writeRewards(out, at, record.rewards, from, to));
  at = copy(bytes, at, BEHIND_REWARDS);
  const flags = record.flags[e]! & 7;
  at = copy(bytes, at, ENDS[flags]!);
  out.length = record.solvable ? copy(bytes, at, SUCCESSES[flags]!) : at;
  if (record.valid) putValid(out, record.valid.subarray(from, to));
  if (record.logprobs) {
    putText(out, LOGPROBS);
    putNumbers(out, record.logprobs.subarray(from, to));
  }
  if (record.sources) putTags(out, record.sources.subarray(from, to));
}

/** Which source each action came from. */
function putTags(out: Writer, tags: Uint8Array): void {
  reserve(out, TAGS.length + tags.length * INTEGER_WIDTH + 2);
  const { bytes } = out;
  let at = copy(bytes, out.length, TAGS);
  for (let i = 0; i < tags.length; i++) {
    if (i > 0) bytes[at++] = COMMA;
    at = writeInteger(bytes, at, tags[i]!);
  }
  bytes[at++] = CLOSE;
  out.length = at;
}

function putValid(out: Writer, valid: Uint8Array): void {
  const shown = Array.from(valid, (flag) => String(flag === 1));
  putText(out, `${VALID}${shown.join(",")}]`);
}

/** Episodes of a record, with a comma between them. */
function putEpisodes(out: Writer, record: TrialRecord): void {
  for (let e = 0; e < record.episodes; e++) {
    if (e > 0) putByte(out, COMMA);
    putEpisode(out, record, e);
    putByte(out, CLOSE_OBJECT);
  }
}

/** One line: the head, then the episodes of the record. */
export function putTrial(out: Writer, head: Head, record: TrialRecord): void {
  putHead(out, head);
  putEpisodes(out, record);
  putByte(out, CLOSE);
  putByte(out, CLOSE_OBJECT);
  putByte(out, LINE_FEED);
}

/**
 * One line for a trial on several tasks, one behind the other, as `compose`
 * writes contexts: a joined task, and boundary notes, which here also have the
 * task and the seed that each stretch can be played again from.
 */
export function putJoined(
  out: Writer,
  heads: ReadonlyArray<Head>,
  records: ReadonlyArray<TrialRecord>,
): void {
  const { task, sample, policy } = heads[0]!;
  const joined = joinedTask(heads.map(({ task: { id } }) => id), task);
  const id = `${task.id}/${sample}+`;
  const text = JSON.stringify({ schema: SCHEMA, id, task: joined, sample });
  putText(out, `${text.slice(0, -1)},"policy":${policy},"episodes":[`);
  let episode = 0;
  const boundary = records.map((record, i) => {
    if (i > 0) putByte(out, COMMA);
    putEpisodes(out, record);
    const { task: drawn, seed } = heads[i]!;
    const trial = `${drawn.id}/${sample}`;
    const note = { episode, trial, task: drawn.id, seed, drawn };
    episode += record.episodes;
    return note;
  });
  putText(out, `],"boundary":${JSON.stringify(boundary)}}\n`);
}
