/**
 * The records that OmniRL is trained on (Wang and others 2025, arXiv 2502.02869):
 * a folder of six arrays, one row a step, and behind each episode a row that
 * separates it from the next. Exports write them and imports read them.
 *
 * A seventh file, `trial.json`, is ours: what the arrays cannot hold.
 *
 * @module
 */
import { DISCOUNTS, TAGS, UNKNOWN } from "../envs/policies/omnirl.ts";
import { oracleName } from "../envs/policies/oracle.ts";
import type { Trial } from "./schema.ts";

/** The arrays of a record, each in the file of its name. */
export const ARRAYS = [
  "observations",
  "prompts",
  "tags",
  "actions_behavior",
  "actions_label",
  "rewards",
] as const;
export type ArrayName = typeof ARRAYS[number];

export function fileOf(name: ArrayName): string {
  return `${name}.npy`;
}

/** The file beside the arrays. */
export const REST = "trial.json";

/** Names of records, and of those that were not finished. */
export const RECORD = /^record-(\d{6,})(\.partial)?$/;

export function recordName(index: number): string {
  return `record-${String(index).padStart(6, "0")}`;
}

/** The references that prompts stand for: oracles by discount, then learners. */
const PROMPTS = TAGS.slice(0, UNKNOWN).map((name, id) =>
  DISCOUNTS[id] === undefined ? name : oracleName(DISCOUNTS[id])
);

/** The prompt of steps that this reference labelled. */
export function promptOf(reference: string | undefined): number {
  const id = reference === undefined ? -1 : PROMPTS.indexOf(reference);
  return id < 0 ? UNKNOWN : id;
}

/** The reference that a prompt stands for, if it stands for one. */
export function referenceOf(prompt: number): string | undefined {
  return PROMPTS[prompt];
}

/** Columns that are arrays, and the array of each. */
const COLUMNS = {
  observations: "observations",
  actions: "actions_behavior",
  rewards: "rewards",
  tags: "tags",
} as const;
const LABELS = fileOf("actions_label");

/** A row with the names of files in the place of what they hold. */
export interface Rest {
  readonly format: typeof FORMAT;
  /** How many actions there are: the action of a separator. */
  readonly actions: number;
  /** Steps of each episode. */
  readonly lengths: ReadonlyArray<number>;
  readonly trial: { readonly episodes: ReadonlyArray<unknown> };
}

export const FORMAT = "retrial/anymdp@1";

/** The columns of an episode that arrays hold. */
export interface ArrayColumns {
  readonly observations: ReadonlyArray<number>;
  readonly actions: ReadonlyArray<number>;
  readonly rewards: ReadonlyArray<number>;
  readonly tags: ReadonlyArray<number>;
  readonly labels: ReadonlyArray<number>;
}

/** Replaces members of an object in their places; what is none stays. */
function replaced(
  value: unknown,
  change: (name: string, member: unknown) => unknown,
): unknown {
  const isObject = typeof value === "object" && value !== null &&
    !Array.isArray(value);
  if (!isObject) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, change(name, member)]),
  );
}

function isColumn(name: string): name is keyof typeof COLUMNS {
  return Object.hasOwn(COLUMNS, name);
}

/** What the arrays of a trial leave out; `reference` is the one they hold. */
export function withoutArrays(
  trial: Trial,
  actions: number,
  reference: string | undefined,
): Rest {
  const episodes = trial.episodes.map((episode) =>
    replaced(episode, (name, value) => {
      if (isColumn(name)) return fileOf(COLUMNS[name]);
      if (name !== "labels") return value;
      return replaced(
        value,
        (label, list) => label === reference ? LABELS : list,
      );
    })
  );
  const lengths = trial.episodes.map(({ actions }) => actions.length);
  return { format: FORMAT, actions, lengths, trial: { ...trial, episodes } };
}

/** The row that {@linkcode withoutArrays} made this of, with these columns. */
export function withArrays(
  { trial }: Rest,
  columns: ReadonlyArray<ArrayColumns>,
): unknown {
  const episodes = trial.episodes.map((episode, e) =>
    replaced(episode, (name, value) => {
      const isHeld = isColumn(name) && value === fileOf(COLUMNS[name]);
      if (isHeld) return columns[e]![name];
      if (name !== "labels") return value;
      return replaced(
        value,
        (_, list) => list === LABELS ? columns[e]!.labels : list,
      );
    })
  );
  return { ...trial, episodes };
}
