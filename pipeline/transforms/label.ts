/**
 * `label`: what references that know the task would have done at each step.
 * Everything else in a row passes as the bytes it came as.
 *
 * @module
 */
import type { Action } from "../../envs/actions.ts";
import {
  ascii,
  LINE_FEED,
  putAscii,
  putByte,
  putNumbers,
  putText,
  type Writer,
} from "../bytes.ts";
import {
  cursor,
  enter,
  nextMember,
  place,
  readString,
  skipList,
  toValue,
} from "../json_scan.ts";
import { batchMapper, type RowMapper } from "../jsonl.ts";
import { columnEnd, columnStart, type RowIndex } from "../scan.ts";
import { columnIndex, type TaskRow } from "../schema.ts";
import { rowTransform } from "../stage.ts";
import { perTask, redrawn } from "../tasks.ts";
import { type Copier, copyTo, putField, standsFirst } from "./copier.ts";
import { learnerOn } from "./label/learners.ts";
import {
  baselinesOn,
  type Labels,
  readReferences,
  type Reference,
  type References,
  referencesOn,
} from "./label/references.ts";
import { type ReadStates, statesOf } from "./label/states.ts";

const LABELS = columnIndex("labels");
const LABELS_KEY = ascii(',"labels":{');
const COMMA = 0x2c;
const CLOSE_OBJECT = 0x7d;

/** What is worked out for a task, for all rows on it that follow each other. */
interface Solved {
  readonly references: ReadonlyArray<Reference>;
  /** The field of that name as JSON, where it is asked for. */
  readonly baselines: string | undefined;
  readonly readStates: ReadStates;
  readonly learners: ReadonlyArray<
    { readonly name: string; readonly label: (row: RowIndex) => Labels }
  >;
}

function solve(row: TaskRow, references: References): Solved {
  const { env, task } = redrawn(row);
  return {
    references: referencesOn(env, task, references),
    baselines: references.baselines
      ? JSON.stringify(baselinesOn(env, task, references))
      : undefined,
    readStates: statesOf(env, task),
    learners: references.learners.map((learner) => ({
      name: learner.policy.name,
      label: learnerOn(env, task, learner),
    })),
  };
}

/** Labels by name. */
type Named = ReadonlyMap<string, Labels>;

/** What the parts of a row are written with. */
interface Pen {
  readonly copier: Copier;
  readonly out: Writer;
}

function putActions(actions: ReadonlyArray<Action>, out: Writer): void {
  // The actions of a task are all integers or all vectors.
  if (typeof actions[0] === "object") putText(out, JSON.stringify(actions));
  else putNumbers(out, actions as ReadonlyArray<number>);
}

/** Appends members of the object that is being written. */
function putMembers(
  labels: Iterable<readonly [string, Labels]>,
  e: number,
  isFirst: boolean,
  out: Writer,
): void {
  let comma = !isFirst;
  for (const [name, episodes] of labels) {
    if (comma) putByte(out, COMMA);
    putText(out, `${JSON.stringify(name)}:`);
    putActions(episodes[e]!, out);
    comma = true;
  }
}

const shared = cursor();

/** Labels into those that are there: by name in their place, or behind them. */
function mergeLabels(
  row: RowIndex,
  e: number,
  labels: Named,
  { copier, out }: Pen,
): void {
  const end = columnEnd(row, e, LABELS);
  const left = new Map(labels);
  let isEmpty = true;
  const c = shared;
  place(c, row.bytes, columnStart(row, e, LABELS), end);
  for (let more = enter(c); more; more = nextMember(c)) {
    isEmpty = false;
    const name = readString(c);
    toValue(c);
    const from = c.at;
    skipList(c);
    const made = labels.get(name);
    if (made === undefined) continue;
    copyTo(row, copier, from, out);
    putActions(made[e]!, out);
    copier.copied = c.at;
    left.delete(name);
  }
  copyTo(row, copier, end - 1, out);
  putMembers(left, e, isEmpty, out);
}

function putLabels(row: RowIndex, e: number, labels: Named, pen: Pen): void {
  if (columnStart(row, e, LABELS) !== 0) {
    return mergeLabels(row, e, labels, pen);
  }
  const { copier, out } = pen;
  copyTo(row, copier, row.closes[e]!, out);
  putAscii(out, LABELS_KEY);
  putMembers(labels, e, true, out);
  putByte(out, CLOSE_OBJECT);
}

function labelRow(references: References): RowMapper {
  const copier: Copier = { copied: 0 };
  const lookUp = perTask((task) => solve(task, references));
  return (row, out) => {
    const { references, baselines, readStates, learners } = lookUp(row);
    const states = references.length > 0 ? readStates(row) : [];
    // All of them before anything is written: a row may still be refused.
    const labels = new Map([
      ...references.map(({ name, label }) => [name, label(states)] as const),
      ...learners.map(({ name, label }) => [name, label(row)] as const),
    ]);
    copier.copied = row.start;
    const first = standsFirst(row, "baselines");
    const putBaselines = () => {
      if (baselines === undefined) return;
      putField(row, "baselines", baselines, copier, out);
    };
    if (first) putBaselines();
    for (let e = 0; e < row.episodes; e++) {
      putLabels(row, e, labels, { copier, out });
    }
    if (!first) putBaselines();
    copyTo(row, copier, row.end, out);
    putByte(out, LINE_FEED);
  };
}

export const label = rowTransform({
  name: "label",
  summary: "Label each step with what another policy would do there",
  details:
    `Writes episodes[i].labels: a list of actions, one a step, by the reference's name.
  optimal   the best action with the steps that are left, as --policy optimal
  oracle    the best action at a discount as if there were no last step, as
            --policy oracle; named oracle@G, one for each of --gamma
  a learner what --policy NAME would do now, had it seen the trial so far (thompson,
            ucb, frontier, q-learning and so on; it knows no more than they do)
The task is drawn again from task.env, task.params and task.seed. The state of a
step is read off its observation; where several states look alike it is followed
from the start by the actions; a world that is not a finite MDP is played again by
the row's seed, and must show what the row says; learners always play it again.
Labels of other names are kept.
--baselines writes what an episode on the task pays on average, worked out exactly,
to uniform play and to each reference; query makes scores of them, 0 for uniform
play and 1 for the best.`,
  flags: {
    "reference": {
      type: "text",
      value: "NAME,…",
      summary:
        "optimal, oracle, learners; optimal, with --gamma both, if not given",
    },
    "reference-param": {
      type: "list",
      value: "k=v",
      summary: "parameter of the learner; may be repeated",
    },
    "gamma": {
      type: "text",
      value: "G,…",
      summary: "discounts of oracle, 0.994 if not given",
    },
    "baselines": {
      type: "switch",
      summary: "write expected returns of uniform play and of the references",
    },
  },
  operands: "[FILE|DIR…]",
  examples: [
    "retrial label trials.jsonl",
    "retrial label --reference oracle --gamma 0,0.5,0.93,0.994 trials.jsonl | jq .episodes[0].labels",
    "retrial label --reference frontier --reference-param moves=given trials.jsonl",
  ],
}, (options, onBad) =>
  batchMapper(
    labelRow(readReferences(options)),
    onBad,
  ));
