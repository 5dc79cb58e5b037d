/**
 * Steps of one episode, gathered in order and closed into columns.
 *
 * @module
 */
import { badLine, type Place } from "../../errors.ts";
import { Malformed } from "../../scan.ts";
import type { Episode, ObservationValue } from "../../schema.ts";
import { cellOf, type Layout, type Target } from "./columns.ts";
import type { Record } from "./records.ts";
import {
  asCount,
  asFlag,
  asNumber,
  asValue,
  isEmpty,
  kindOf,
} from "./values.ts";

/** How to read what a log leaves open. */
export interface Reading {
  readonly doneMeans: "terminated" | "truncated";
  readonly finalObservation: "given" | "repeat";
  readonly unfinished: "refuse" | "truncated";
  /** Targets whose text is never a number. */
  readonly text: ReadonlySet<string>;
  /** The name of the reference that the labels are from. */
  readonly reference: string;
}

/** An episode of which not all steps have been seen. */
export interface Draft {
  readonly name: string;
  readonly observations: Array<ObservationValue>;
  readonly actions: Array<ObservationValue>;
  readonly rewards: Array<number>;
  /** Optional columns, by target: as many entries as steps, or none. */
  readonly optional: Map<Target, Array<unknown>>;
  last: Place;
  t: number | undefined;
  next: ObservationValue | undefined;
  terminated: boolean;
  truncated: boolean;
  success: boolean | undefined;
  /** A row without action gave the last observation. */
  isComplete: boolean;
  finalValue: number | undefined;
}

export function openDraft(name: string, place: Place): Draft {
  return {
    name,
    observations: [],
    actions: [],
    rewards: [],
    optional: new Map(),
    last: place,
    t: undefined,
    next: undefined,
    terminated: false,
    truncated: false,
    success: undefined,
    isComplete: false,
    finalValue: undefined,
  };
}

export function hasEnded({ terminated, truncated }: Draft): boolean {
  return terminated || truncated;
}

/** The kinds of value seen so far; a file has one for each column. */
export type Kinds = Map<
  string,
  { readonly kind: string; readonly line: number }
>;

/** Everything that the reading of a step depends on. */
export interface Context {
  readonly layout: Layout;
  readonly reading: Reading;
  readonly kinds: Kinds;
}

function readValue(
  { layout, reading, kinds }: Context,
  record: Record,
  target: Target,
): ObservationValue {
  const cell = cellOf(layout, record, target);
  const value = asValue(target, cell, reading.text.has(target));
  const column = target === "next_observation" ? "observation" : target;
  const kind = kindOf(value);
  const before = kinds.get(column);
  if (before === undefined) {
    kinds.set(column, { kind, line: record.place.line });
  } else if (before.kind !== kind) {
    throw new Malformed(
      `${target} is ${kind}, but ${before.kind} at line ${before.line}`,
    );
  }
  return value;
}

function checkTime(draft: Draft, layout: Layout, record: Record): void {
  const cell = cellOf(layout, record, "t");
  if (isEmpty(cell)) return;
  const t = asCount("t", cell);
  const expected = draft.t === undefined ? t : draft.t + 1;
  if (t !== expected) throw new Malformed(`t is ${t}, expected ${expected}`);
  draft.t = t;
}

/** Whether the step ends its episode, from whichever flags the log has. */
function readEnd(draft: Draft, context: Context, record: Record): void {
  const flag = (target: Target) =>
    asFlag(target, cellOf(context.layout, record, target));
  const done = flag("done");
  let [terminated, truncated] = [flag("terminated"), flag("truncated")];
  if (done !== undefined) {
    const means = context.reading.doneMeans;
    if (terminated === undefined && truncated === undefined) {
      terminated = done && means === "terminated";
      truncated = done && means === "truncated";
    } else if (terminated === undefined) terminated = done && !truncated;
    else if (truncated === undefined) truncated = done && !terminated;
    if (done !== (terminated || truncated)) {
      throw new Malformed(
        `done is ${done}, but terminated ${terminated}, truncated ${truncated}`,
      );
    }
  }
  draft.terminated ||= terminated ?? false;
  draft.truncated ||= truncated ?? false;
}

const OPTIONAL: {
  readonly [target in Target]?: (cell: unknown, context: Context) => unknown;
} = {
  valid: (cell) => asFlag("valid", cell),
  logprob: (cell) => asNumber("logprob", cell),
  value: (cell) => asNumber("value", cell),
  label: (cell, { reading }) =>
    asValue("label", cell, reading.text.has("label")),
  response: (cell) => asValue("response", cell, true),
};

function readOptional(draft: Draft, context: Context, record: Record): void {
  for (const [name, read] of Object.entries(OPTIONAL)) {
    const target = name as Target;
    const cell = cellOf(context.layout, record, target);
    const column = draft.optional.get(target) ?? [];
    const before = draft.actions.length - 1;
    if (isEmpty(cell) ? column.length > 0 : column.length < before) {
      const where = isEmpty(cell) ? "here" : "at the steps before";
      throw new Malformed(`${target} is empty ${where}, and not elsewhere`);
    }
    if (isEmpty(cell)) continue;
    draft.optional.set(target, column);
    column.push(read(cell, context));
  }
}

/** A row without action: what the last action led to. */
function finish(draft: Draft, context: Context, record: Record): void {
  const observation = readValue(context, record, "observation");
  checkNext(draft, observation);
  draft.observations.push(observation);
  draft.isComplete = true;
  const value = cellOf(context.layout, record, "value");
  if (!isEmpty(value)) draft.finalValue = asNumber("value", value);
}

function checkNext(draft: Draft, observation: ObservationValue): void {
  if (draft.next === undefined) return;
  if (JSON.stringify(draft.next) === JSON.stringify(observation)) return;
  throw new Malformed(
    `observation is not the next_observation of the step before it`,
  );
}

/** Adds the step of a record to its episode. */
export function addStep(draft: Draft, context: Context, record: Record): void {
  const { layout } = context;
  const isFinal = isEmpty(cellOf(layout, record, "action"));
  if (draft.isComplete || (hasEnded(draft) && !isFinal)) {
    throw new Malformed(
      `episode ${draft.name} goes on after its end at line ${draft.last.line}`,
    );
  }
  checkTime(draft, layout, record);
  const success = asFlag("success", cellOf(layout, record, "success"));
  draft.success = success ?? draft.success;
  if (isFinal) finish(draft, context, record);
  else {
    const observation = readValue(context, record, "observation");
    checkNext(draft, observation);
    draft.observations.push(observation);
    draft.actions.push(readValue(context, record, "action"));
    draft.rewards.push(asNumber("reward", cellOf(layout, record, "reward")));
    readOptional(draft, context, record);
    draft.next = isEmpty(cellOf(layout, record, "next_observation"))
      ? undefined
      : readValue(context, record, "next_observation");
  }
  readEnd(draft, context, record);
  draft.last = record.place;
}

/** The observation that the last action led to, or why there is none. */
function finalObservation(draft: Draft, reading: Reading): ObservationValue {
  if (draft.next !== undefined) return draft.next;
  const last = draft.observations.at(-1);
  if (reading.finalObservation === "repeat" && last !== undefined) return last;
  throw badLine(
    draft.last,
    `episode ${draft.name} has no observation behind its last action: ` +
      "it takes next_observation, a last row without action, or " +
      "--final-observation repeat",
  );
}

/** Values are T + 1: a terminated episode is worth nothing behind its end. */
function closeValues(draft: Draft): ReadonlyArray<unknown> | undefined {
  const values = draft.optional.get("value");
  if (values === undefined) return undefined;
  if (draft.finalValue !== undefined) return [...values, draft.finalValue];
  if (draft.terminated) return [...values, 0];
  throw badLine(
    draft.last,
    `episode ${draft.name} is truncated, and has no value behind its last ` +
      "action: it takes a last row without action, with that value",
  );
}

function closeEnd(draft: Draft, reading: Reading): void {
  if (hasEnded(draft)) return;
  if (reading.unfinished !== "truncated") {
    throw badLine(
      draft.last,
      `episode ${draft.name} stops without being terminated or truncated: ` +
        "--unfinished truncated takes it so",
    );
  }
  draft.truncated = true;
}

function present<A>(name: string, value: A | undefined): { [name: string]: A } {
  return value === undefined ? {} : { [name]: value };
}

/** The episode that a draft holds, its columns in the order of the schema. */
export function closeDraft(draft: Draft, reading: Reading): Episode {
  closeEnd(draft, reading);
  const { observations, actions, rewards, terminated, truncated } = draft;
  if (!draft.isComplete) observations.push(finalObservation(draft, reading));
  const labels = draft.optional.get("label");
  return {
    observations,
    actions,
    rewards,
    terminated,
    truncated,
    ...present("success", draft.success),
    ...present("valid", draft.optional.get("valid")),
    ...present("logprobs", draft.optional.get("logprob")),
    ...present("values", closeValues(draft)),
    ...present("labels", labels && { [reading.reference]: labels }),
    ...present("responses", draft.optional.get("response")),
  };
}
