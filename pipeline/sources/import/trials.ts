/**
 * Records to trials, one trial in memory at a time.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { badLine, type Place } from "../../errors.ts";
import { Malformed } from "../../scan.ts";
import {
  type Episode,
  type ParamRecord,
  SCHEMA,
  type TaskRow,
  type Trial,
} from "../../schema.ts";
import { type Asked, type Layout, layoutOf } from "./columns.ts";
import {
  addStep,
  closeDraft,
  type Draft,
  hasEnded,
  type Kinds,
  openDraft,
  type Reading,
} from "./episodes.ts";
import type { Record } from "./records.ts";
import { asName, asParam } from "./values.ts";

/** What a log does not say of itself. */
export interface Origin {
  readonly env: string;
  readonly policy: string;
}

export interface Assembler {
  /** To be called before the first record of each file. */
  readonly startFile: () => void;
  /** The trial before, if the record begins another. */
  readonly push: (record: Record) => Trial | undefined;
  /** The last trial. */
  readonly finish: () => Trial | undefined;
}

interface Open {
  readonly name: string;
  readonly task: TaskRow;
  readonly episodes: Array<Episode>;
  readonly names: Set<string>;
  draft: Draft;
}

function nameOf(columns: ReadonlyArray<string>, { fields }: Record): string {
  const names = columns.map((column) => asName(column, fields[column]));
  return names.length === 1 ? names[0]! : JSON.stringify(names);
}

/** A task that is known by its params, or by what is its own. */
export function namedTask(
  env: string,
  params: ParamRecord,
  own: ReadonlyArray<string>,
): TaskRow {
  const text = JSON.stringify([env, 0, params, ...own]);
  const id = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return { id: `${env}-${id}`, env, version: 0, params };
}

type MakeTrial = (task: TaskRow, episodes: ReadonlyArray<Episode>) => Trial;

/** Makes trials, numbered within their tasks, with what the origin says. */
export function trialMaker({ policy }: Origin): MakeTrial {
  const samples = new Map<string, number>();
  return (task, episodes) => {
    const sample = samples.get(task.id) ?? 0;
    samples.set(task.id, sample + 1);
    const id = `${task.id}/${sample}`;
    const by = { name: policy, params: {} };
    return { schema: SCHEMA, id, task, sample, policy: by, episodes };
  };
}

/**
 * The task of a trial. Where no column says which trials share one, each trial
 * has its own: what is not known to be the same problem must not be averaged
 * over as if it were.
 */
function taskOf({ env }: Origin, layout: Layout, record: Record): TaskRow {
  const { task, trial } = layout.grouping;
  const params = Object.fromEntries(
    task.map((column) => [column, asParam(column, record.fields[column])]),
  );
  const own = task.length === 0 ? [nameOf(trial, record)] : [];
  return namedTask(env, params, own);
}

/** Says where a record is wrong, where that was not said already. */
function at<A>(place: Place, run: () => A): A {
  try {
    return run();
  } catch (error) {
    throw error instanceof Malformed ? badLine(place, error.message) : error;
  }
}

export function assembler(
  asked: Asked,
  reading: Reading,
  origin: Origin,
): Assembler {
  const kinds: Kinds = new Map();
  const seen = new Map<string, Place>();
  const makeTrial = trialMaker(origin);
  let layout: Layout | undefined;
  let open: Open | undefined;

  const close = (): Trial | undefined => {
    if (open === undefined) return undefined;
    const { task, episodes, draft } = open;
    episodes.push(closeDraft(draft, reading));
    return makeTrial(task, episodes);
  };

  const begin = (name: string, record: Record, layout: Layout): Open => {
    const before = seen.get(name);
    if (before) {
      const by = layout.grouping.trial.join(" and ");
      throw new Malformed(
        `trial ${name} appears again, after ${before.origin}: line ` +
          `${before.line}; sort the log by ${by}`,
      );
    }
    seen.set(name, record.place);
    const task = taskOf(origin, layout, record);
    const draft = nextDraft(undefined, record, layout);
    return { name, task, episodes: [], names: new Set([draft.name]), draft };
  };

  const nextDraft = (
    trial: Open | undefined,
    record: Record,
    layout: Layout,
  ): Draft => {
    const { episode } = layout.grouping;
    const name = episode.length > 0
      ? nameOf(episode, record)
      : `${(trial?.episodes.length ?? -1) + 1}`;
    return openDraft(name, record.place);
  };

  /** Goes on to another episode of the trial where the record says so. */
  const turn = (trial: Open, record: Record, layout: Layout): void => {
    const { episode } = layout.grouping;
    const isFinal = isFinalRow(layout, record);
    const isOver = trial.draft.isComplete ||
      (hasEnded(trial.draft) && !isFinal);
    const stays = episode.length > 0
      ? nameOf(episode, record) === trial.draft.name
      : !isOver;
    if (stays) return;
    trial.episodes.push(closeDraft(trial.draft, reading));
    trial.draft = nextDraft(trial, record, layout);
    if (trial.names.has(trial.draft.name)) {
      throw new Malformed(
        `episode ${trial.draft.name} of trial ${trial.name} appears again`,
      );
    }
    trial.names.add(trial.draft.name);
  };

  const push = (record: Record): Trial | undefined =>
    at(record.place, () => {
      layout ??= layoutOf(asked, record);
      const name = nameOf(layout.grouping.trial, record);
      const isSame = open?.name === name;
      const before = isSame ? undefined : close();
      if (open && isSame) turn(open, record, layout);
      else open = begin(name, record, layout);
      addStep(open.draft, { layout, reading, kinds }, record);
      return before;
    });

  return { startFile: () => layout = undefined, push, finish: close };
}

function isFinalRow({ mapping }: Layout, { fields }: Record): boolean {
  return mapping.action.every((name) => {
    const cell = fields[name];
    return cell === undefined || cell === null || cell === "";
  });
}
