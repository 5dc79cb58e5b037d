/**
 * The layout `anymdp`: a folder of six arrays for each trial, as OmniRL's own
 * loader reads them; see `../anymdp_record.ts`.
 *
 * @module
 */
import * as path from "node:path";
import { oracleName } from "../../envs/policies/oracle.ts";
import { UNKNOWN } from "../../envs/policies/omnirl.ts";
import { shortest } from "../../kernels/float32.ts";
import { encodeNpy } from "../../kernels/npy.ts";
import {
  type ArrayName,
  ARRAYS,
  fileOf,
  promptOf,
  RECORD,
  recordName,
  REST,
  withoutArrays,
} from "../anymdp_record.ts";
import { UsageError } from "../errors.ts";
import { parseRow } from "../jsonl.ts";
import { Malformed, type RowIndex } from "../scan.ts";
import type { Episode, Trial } from "../schema.ts";
import { writeFolder } from "../shard.ts";
import { perTask, redrawn } from "../tasks.ts";
import type { ExportOptions, Layout } from "./layout.ts";

/** Unsigned integers of 32 bits. */
const INTEGERS = 2 ** 32;
/** The reference of OmniRL's own labels, opt3. */
const OPT3 = oracleName(0.994);
const utf8 = new TextEncoder();

/** Arrays of shape (steps + episodes,). */
type Arrays =
  & { readonly [name in Exclude<ArrayName, "rewards">]: Uint32Array }
  & { readonly rewards: Float32Array };

function emptyArrays(rows: number): Arrays {
  const integers = () => new Uint32Array(rows);
  return {
    observations: integers(),
    prompts: integers(),
    tags: integers(),
    actions_behavior: integers(),
    actions_label: integers(),
    rewards: new Float32Array(rows),
  };
}

/** An integer in [0, limit), or what it is instead. */
function checked(
  value: unknown,
  limit: number,
  column: string,
  t: number,
): number {
  const isInteger = Number.isInteger(value) && value as number >= 0 &&
    value as number < limit;
  if (isInteger) return value as number;
  throw new Malformed(
    `${column}[${t}] is ${
      JSON.stringify(value)
    }, and anymdp holds integers from 0 to ${limit - 1} there`,
  );
}

function checkedReward(reward: number, column: string, t: number): number {
  if (Number.isFinite(Math.fround(reward))) return reward;
  throw new Malformed(
    `${column}[${t}] is ${reward}, beyond the 32-bit floats of anymdp`,
  );
}

/** Copies a column of integers into an array from `at` on. */
function putColumn(
  array: Uint32Array,
  at: number,
  list: ReadonlyArray<unknown>,
  limit: number,
  column: string,
): void {
  list.forEach((value, t) => {
    array[at + t] = checked(value, limit, column, t);
  });
}

/** What the arrays of one trial are made with. */
interface Filling {
  /** How many actions there are: the action of a separator. */
  readonly actions: number;
  /** Whose labels; absent for the behaviour's own actions. */
  readonly reference: string | undefined;
}

/** The labels of an episode, and what errors call them. */
function labelsOf(
  { labels, actions }: Episode,
  e: number,
  reference: string | undefined,
): readonly [ReadonlyArray<unknown>, string] {
  if (reference === undefined) return [actions, `episodes[${e}].actions`];
  const column = `episodes[${e}].labels.${reference}`;
  const list = labels?.[reference];
  if (list === undefined) throw new Malformed(`${column} is missing`);
  return [list, column];
}

/** Writes an episode and its separator from row `at` on. */
function putEpisode(
  arrays: Arrays,
  at: number,
  episode: Episode,
  e: number,
  { actions, reference }: Filling,
): void {
  const { observations, rewards, tags } = episode;
  const name = (column: string) => `episodes[${e}].${column}`;
  const end = at + rewards.length;
  const { actions_behavior: taken, actions_label: labelled } = arrays;
  putColumn(
    arrays.observations,
    at,
    observations,
    INTEGERS,
    name("observations"),
  );
  putColumn(taken, at, episode.actions, actions, name("actions"));
  taken[end] = actions;
  const [labels, column] = labelsOf(episode, e, reference);
  putColumn(labelled, at, labels, actions, column);
  labelled[end] = actions;
  rewards.forEach((reward, t) => {
    arrays.rewards[at + t] = checkedReward(reward, name("rewards"), t);
  });
  arrays.prompts.fill(promptOf(reference), at, end).fill(UNKNOWN, end, end + 1);
  arrays.tags.fill(UNKNOWN, at, end + 1);
  if (tags) putColumn(arrays.tags, at, tags, INTEGERS, name("tags"));
}

function arraysOf(trial: Trial, filling: Filling): Arrays {
  const { episodes } = trial;
  const rows = episodes.reduce(
    (sum, { actions }) => sum + actions.length + 1,
    0,
  );
  const arrays = emptyArrays(rows);
  let at = 0;
  episodes.forEach((episode, e) => {
    putEpisode(arrays, at, episode, e, filling);
    at += episode.actions.length + 1;
  });
  return arrays;
}

/** The reference whose labels a trial is written with. */
function chooseReference(trial: Trial, given: string | undefined): string {
  const names = Object.keys(trial.episodes[0]!.labels ?? {});
  if (given !== undefined) {
    if (names.includes(given)) return given;
    const known = names.length > 0
      ? `there are ${names.join(", ")}`
      : "none are";
    throw new Malformed(`episodes[0].labels has no ${given}: ${known}`);
  }
  if (names.includes(OPT3)) return OPT3;
  if (names.length === 1) return names[0]!;
  throw new Malformed(
    names.length === 0
      ? "episodes[0].labels is missing: run label first, or say --labels behaviour"
      : `episodes[0].labels has ${
        names.join(", ")
      }: choose one with --reference`,
  );
}

/** How many actions the task of a row has. */
function countActions(given: number | undefined): (row: RowIndex) => number {
  if (given !== undefined) return () => given;
  const drawn = perTask((row) => {
    const { env, task } = redrawn(row);
    const actions = env.actions(task);
    if (typeof actions === "number") return actions;
    throw new Malformed(`task.env is ${env.name}, whose actions are vectors`);
  });
  return (row) => {
    try {
      return drawn(row);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw new Malformed(
        `${error.message}; --actions says how many there are`,
      );
    }
  };
}

/** Rewards that another 32-bit float is the nearest decimal of. */
function roundedIn({ episodes }: Trial): number {
  const isRounded = (reward: number) =>
    shortest(Math.fround(reward)) !== reward;
  return episodes.reduce(
    (sum, { rewards }) => sum + rewards.filter(isRounded).length,
    0,
  );
}

function open(options: ExportOptions, folder: string) {
  const { labels, reference: given } = options;
  if (given !== undefined && labels === "behaviour") {
    throw new UsageError({
      message: "Cannot use --reference with --labels behaviour",
    });
  }
  const actionsOf = countActions(options.actions);
  let [records, rows, rounded] = [0, 0, 0];
  const write = (row: RowIndex) => {
    const trial = parseRow(row);
    const actions = actionsOf(row);
    const reference = labels === "behaviour"
      ? undefined
      : chooseReference(trial, given);
    const arrays = arraysOf(trial, { actions, reference });
    const rest = JSON.stringify(withoutArrays(trial, actions, reference));
    const files = ARRAYS.map((name) => [fileOf(name), encodeNpy(arrays[name])]);
    writeFolder(path.join(folder, recordName(records)), {
      ...Object.fromEntries(files),
      [REST]: utf8.encode(rest + "\n"),
    });
    records++;
    rows += arrays.rewards.length;
    rounded += roundedIn(trial);
  };
  return { write, tally: () => ({ records, rows, rounded }) };
}

export const anymdp: Layout = { owns: (name) => RECORD.test(name), open };
