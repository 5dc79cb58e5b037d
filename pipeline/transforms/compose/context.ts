/**
 * A context on its way: the episodes of sets, one behind the other, as the bytes
 * that they came as.
 *
 * @module
 */
import { putByte, putBytes, putText, type Writer } from "../../bytes.ts";
import { writer } from "../../bytes.ts";
import { idOf } from "../../keyed.ts";
import { fieldSpan, type RowIndex, taskOf } from "../../scan.ts";
import { SCHEMA } from "../../schema.ts";
import { joinedTask } from "../../tasks.ts";

const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const decoder = new TextDecoder();

/** Where a set begins, and what it is of. */
interface Boundary {
  readonly episode: number;
  readonly trial: string;
  readonly task: string;
}

/** See the module's own words. */
export interface Context {
  readonly bytes: Writer;
  episodes: number;
  steps: number;
  successes: number;
  boundaries: Array<Boundary>;
  /** Fields of the first trial, as text. */
  head: { readonly id: string; readonly task: string; readonly policy: string };
}

export function emptyContext(): Context {
  return {
    bytes: writer(1 << 16),
    episodes: 0,
    steps: 0,
    successes: 0,
    boundaries: [],
    head: { id: "", task: "", policy: "" },
  };
}

function fieldText(row: RowIndex, field: "task" | "policy"): string {
  const span = fieldSpan(row, field);
  return span ? decoder.decode(row.bytes.subarray(...span)) : "null";
}

/** Where the object of episode `e` begins. */
function episodeStart(row: RowIndex, e: number): number {
  let at = e === 0 ? fieldSpan(row, "episodes")![0] : row.closes[e - 1]! + 1;
  while (row.bytes[at] !== OPEN_OBJECT) at++;
  return at;
}

/** Adds a set: episodes of `row`, in the order of `indices`. */
export function addSet(
  context: Context,
  row: RowIndex,
  indices: Int32Array,
): void {
  const task = taskOf(row);
  if (context.boundaries.length === 0) {
    context.head = {
      id: idOf(row),
      task: fieldText(row, "task"),
      policy: fieldText(row, "policy"),
    };
  }
  context.boundaries.push({
    episode: context.episodes,
    trial: idOf(row),
    task,
  });
  for (const e of indices) {
    if (context.episodes++ > 0) putByte(context.bytes, COMMA);
    putBytes(
      context.bytes,
      row.bytes,
      episodeStart(row, e),
      row.closes[e]! + 1,
    );
    context.steps += row.ends[e]! - (e === 0 ? 0 : row.ends[e - 1]!);
    context.successes += row.success[e]!;
  }
}

/** The task of a context: that of its trials, or a name for all of theirs. */
function taskText({ boundaries, head }: Context): string {
  const tasks = [...new Set(boundaries.map(({ task }) => task))];
  if (tasks.length === 1) return head.task;
  return JSON.stringify(joinedTask(tasks, JSON.parse(head.task)));
}

/** Appends the context as a row, named for the trial that it begins with. */
export function putContext(context: Context, out: Writer): void {
  const { head, boundaries, bytes } = context;
  const id = JSON.stringify(`${head.id}+`);
  putText(
    out,
    `{"schema":"${SCHEMA}","id":${id},"task":${taskText(context)},"sample":0`,
  );
  if (head.policy !== "null") putText(out, `,"policy":${head.policy}`);
  putText(out, ',"episodes":[');
  putBytes(out, bytes.bytes, 0, bytes.length);
  putText(out, `],"boundary":${JSON.stringify(boundaries)}}\n`);
}

export function clearContext(context: Context): void {
  context.bytes.length = 0;
  context.episodes = context.steps = context.successes = 0;
  context.boundaries = [];
}
