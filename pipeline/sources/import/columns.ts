/**
 * Which column of a log is what: by its name, or as `--map` says.
 *
 * @module
 */
import { badLine, UsageError } from "../../errors.ts";
import { pairs, suggestion } from "../../flags.ts";
import type { Record } from "./records.ts";

/** What columns can be, and the names that they have unless mapped. */
export const TARGETS = [
  "observation",
  "action",
  "reward",
  "terminated",
  "truncated",
  "done",
  "next_observation",
  "t",
  "success",
  "valid",
  "logprob",
  "value",
  "label",
  "response",
] as const;
export type Target = typeof TARGETS[number];

const REQUIRED: ReadonlyArray<Target> = ["observation", "action", "reward"];

/** Names of columns: several where they are the parts of a vector. */
export type Mapping = { readonly [target in Target]: ReadonlyArray<string> };

/** `reward=r,observation=x+y`, given any number of times. */
export function parseMap(list: ReadonlyArray<string>): Mapping {
  const parts = list.flatMap((text) => text.split(","));
  const given = pairs("map", parts.map((part) => part.trim()));
  for (const target of Object.keys(given)) {
    if (TARGETS.some((known) => known === target)) continue;
    const near = suggestion(target, TARGETS);
    throw new UsageError({
      message: `Cannot map ${target}: no such column of a step${near}`,
    });
  }
  // A column that was said to be one thing is not another by its name as well.
  const taken = new Set(
    Object.values(given).flatMap((name) => name.split("+")),
  );
  const names = (target: Target) => {
    const name = given[target] ?? (taken.has(target) ? undefined : target);
    return name === undefined ? [] : [name];
  };
  const entries = TARGETS.map((target) => [target, names(target)]);
  // There is an entry for each target.
  return Object.fromEntries(entries) as Mapping;
}

/** `a,b` */
export function parseNames(text: string | undefined): ReadonlyArray<string> {
  return text === undefined
    ? []
    : text.split(",").map((name) => name.trim()).filter((name) => name !== "");
}

/** The columns by which steps stand together. */
export interface Grouping {
  readonly trial: ReadonlyArray<string>;
  /** None where an episode ends where its last step says so. */
  readonly episode: ReadonlyArray<string>;
  readonly task: ReadonlyArray<string>;
}

/** Where everything is in a file. */
export interface Layout {
  readonly mapping: Mapping;
  readonly grouping: Grouping;
}

/** What the shell said of columns; absent is left to the first record. */
export interface Asked {
  readonly map: ReadonlyArray<string>;
  readonly trialBy?: string | undefined;
  readonly episodeBy?: string | undefined;
  readonly taskBy?: string | undefined;
}

/** Refuses a column that the first record has not. */
function need(record: Record, name: string, why: string): void {
  const names = Object.keys(record.fields);
  if (names.includes(name)) return;
  const near = suggestion(name, names) ||
    ` (there are ${names.slice(0, 20).join(", ")})`;
  throw badLine(record.place, `no column ${name}${why}${near}`);
}

/** `x+y` as x and y, unless there is a column of that name. */
function withParts(mapping: Mapping, record: Record): Mapping {
  const parts = (name: string) =>
    Object.hasOwn(record.fields, name) ? [name] : name.split("+");
  const split = ([target, names]: [string, ReadonlyArray<string>]) => [
    target,
    names.flatMap(parts),
  ];
  // The same targets as before.
  return Object.fromEntries(Object.entries(mapping).map(split)) as Mapping;
}

function grouping(asked: Asked, record: Record): Grouping {
  const own = (name: string) =>
    Object.hasOwn(record.fields, name) ? [name] : [];
  const by = (given: string | undefined, name: string) =>
    given === undefined ? own(name) : parseNames(given);
  const groups = {
    trial: by(asked.trialBy, "trial"),
    episode: by(asked.episodeBy, "episode"),
    task: by(asked.taskBy, "task"),
  };
  if (groups.trial.length === 0) {
    need(record, "trial", ": name those of a trial with --trial-by");
  }
  for (const name of Object.values(groups).flat()) need(record, name, "");
  return groups;
}

/** The layout of a file, from its first record. */
export function layoutOf(asked: Asked, record: Record): Layout {
  const mapping = withParts(parseMap(asked.map), record);
  for (const target of TARGETS) {
    const names = mapping[target];
    if (names.length === 0 && !REQUIRED.includes(target)) continue;
    const isMapped = names.join("+") !== target;
    // Success is known at the end, so other records may be the first with it.
    const isNeeded = isMapped && target !== "success";
    if (!isNeeded && !REQUIRED.includes(target)) continue;
    const hint = isMapped ? "" : `: map it with --map ${target}=COLUMN`;
    for (const name of names) need(record, name, hint);
  }
  return { mapping, grouping: grouping(asked, record) };
}

/** The cell of a target: a list where it has several columns. */
export function cellOf(
  { mapping }: Layout,
  { fields }: Record,
  target: Target,
): unknown {
  const names = mapping[target];
  if (names.length === 1) return fields[names[0]!];
  const cells = names.map((name) => fields[name]);
  const isAbsent = cells.every((cell) => cell === undefined || cell === "");
  return isAbsent ? undefined : cells;
}
