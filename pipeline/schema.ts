/**
 * The row: one line of JSON, one trial (`retrial/trial@1`). This is the only
 * place where rows are defined; `scan.ts` holds lines against it.
 *
 * @module
 */

export const SCHEMA = "retrial/trial@1";

/** What an agent saw: a discrete code, a vector, or text. */
export type ObservationValue = number | ReadonlyArray<number> | string;

export type ParamRecord = {
  readonly [name: string]: number | boolean | string;
};

/** The hidden problem, by what it is made from. */
export interface TaskRow {
  /** Digest of env, version, params and seed, never of budgets. */
  readonly id: string;
  readonly env: string;
  readonly version: number;
  /** A 64-bit integer as a string; absent where the origin gave none. */
  readonly seed?: string;
  readonly params: ParamRecord;
  /**
   * Digest of the problem itself: equal where two seeds drew the same one. It is
   * what `split` keeps apart.
   */
  readonly world?: string;
  /** Draws that the sampler took to accept this task. */
  readonly draws?: number;
}

/** Text written after an episode and read before the next. */
export interface Reflection {
  readonly text: string;
  readonly valid?: boolean;
  readonly source?: string;
  readonly return?: number;
  readonly advantage?: number;
}

/** One reset to one end: T steps, as columns. */
export interface Episode {
  /** T + 1 of them: the last is what the last action led to. */
  readonly observations: ReadonlyArray<ObservationValue>;
  readonly actions: ReadonlyArray<number | string | ReadonlyArray<number>>;
  readonly rewards: ReadonlyArray<number>;
  readonly terminated: boolean;
  readonly truncated: boolean;
  readonly success?: boolean;
  readonly valid?: ReadonlyArray<boolean | number>;
  /** ln of the probability that the policy gave each action. */
  readonly logprobs?: ReadonlyArray<number>;
  /** The same under another policy: the one that is trained on these rows. */
  readonly target_logprobs?: ReadonlyArray<number>;
  /** T + 1 of them. */
  readonly values?: ReadonlyArray<number>;
  readonly labels?: { readonly [reference: string]: ReadonlyArray<unknown> };
  /** Which source of the policy each action came from, by its number. */
  readonly tags?: ReadonlyArray<number>;
  readonly returns?: ReadonlyArray<number>;
  readonly advantages?: ReadonlyArray<number>;
  readonly anchors?: ReadonlyArray<unknown>;
  readonly responses?: ReadonlyArray<string>;
  readonly tokens?: ReadonlyArray<unknown>;
  readonly reflection?: Reflection;
}

/** The episodes that one policy plays on one task, in order. */
export interface Trial {
  readonly schema: typeof SCHEMA;
  /** task.id "/" sample */
  readonly id: string;
  readonly task: TaskRow;
  /** Index of the trial within the group of its task. */
  readonly sample: number;
  readonly seed?: string;
  readonly policy: { readonly name: string; readonly params: ParamRecord };
  readonly episodes: ReadonlyArray<Episode>;
  /** Exact expected returns of an episode on the task, by who plays it. */
  readonly baselines?: { readonly [name: string]: number };
  /** The options that made the returns. */
  readonly credit?: { readonly [option: string]: unknown };
  readonly tags?: unknown;
  readonly boundary?: unknown;
}

/** What a column of an episode holds. */
export type ColumnKind =
  | "numbers"
  | "values"
  | "flag"
  | "labels"
  | "reflection"
  | "list";

/** A column of an episode: `extra` entries more than steps. */
export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly extra: 0 | 1;
  readonly required: boolean;
}

function column(
  name: string,
  kind: ColumnKind,
  extra: 0 | 1 = 0,
  required = false,
): Column {
  return { name, kind, extra, required };
}

/** The columns of an episode, in the order in which they are printed. */
export const COLUMNS: ReadonlyArray<Column> = [
  column("observations", "values", 1, true),
  column("actions", "values", 0, true),
  column("rewards", "numbers", 0, true),
  column("terminated", "flag", 0, true),
  column("truncated", "flag", 0, true),
  column("success", "flag"),
  column("valid", "values"),
  column("logprobs", "numbers"),
  column("target_logprobs", "numbers"),
  column("values", "numbers", 1),
  column("labels", "labels"),
  column("tags", "numbers"),
  column("returns", "numbers"),
  column("advantages", "numbers"),
  column("anchors", "values"),
  column("responses", "list"),
  column("tokens", "list"),
  column("reflection", "reflection"),
];

/** The index of a column in {@linkcode COLUMNS}. */
export function columnIndex(name: string): number {
  return COLUMNS.findIndex((column) => column.name === name);
}

/** The fields of a row, and those that each must have. */
export const FIELDS = [
  "schema",
  "id",
  "task",
  "sample",
  "seed",
  "policy",
  "episodes",
  "baselines",
  "credit",
  "tags",
  "boundary",
] as const;

export const REQUIRED_FIELDS = ["id", "task", "sample", "episodes"] as const;
