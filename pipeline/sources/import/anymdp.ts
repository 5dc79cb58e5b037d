/**
 * AnyMDP's records as trials; see `../../anymdp_record.ts`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { UNKNOWN } from "../../../envs/policies/omnirl.ts";
import { shortest } from "../../../kernels/float32.ts";
import { decodeNpy, NpyError } from "../../../kernels/npy.ts";
import {
  type ArrayColumns,
  type ArrayName,
  ARRAYS,
  fileOf,
  FORMAT,
  RECORD,
  referenceOf,
  REST,
  type Rest,
  withArrays,
} from "../../anymdp_record.ts";
import { DataError, hostError } from "../../errors.ts";
import { Malformed, rowIndex, scanRow } from "../../scan.ts";
import type { Episode, Trial } from "../../schema.ts";
import { namedTask, type Origin, trialMaker } from "./trials.ts";

/** How to read what the arrays leave open. */
export interface RecordReading {
  /** The action of a separator; the largest if absent. */
  readonly actions: number | undefined;
  readonly ends: "terminated" | "truncated";
  readonly finalObservation: "given" | "repeat";
  readonly unfinished: "refuse" | "truncated";
  /** The reference of labels whose prompt names none. */
  readonly reference: string;
}

/** The arrays of a record: shape (rows,) each. */
type Arrays = { readonly [name in ArrayName]: Float64Array };

function wrong(file: string, problem: string): DataError {
  return new DataError({ message: `${file}: ${problem}` });
}

function isFile(file: string): boolean {
  return fs.existsSync(file) && fs.statSync(file).isFile();
}

/** The records in a folder, by number. */
function recordsIn(folder: string): ReadonlyArray<string> {
  const numbers = fs.readdirSync(folder).flatMap((name) => {
    const found = RECORD.exec(name);
    return found && !found[2] ? [[name, Number(found[1])] as const] : [];
  });
  return numbers.sort(([, a], [, b]) => a - b)
    .map(([name]) => path.join(folder, name));
}

/** Names of the files of a record. */
const OWN: ReadonlySet<string> = new Set([...ARRAYS.map(fileOf), REST]);

/** Records as named, by their folders or by files in them, and all in folders. */
export function recordFolders(
  operands: ReadonlyArray<string>,
): ReadonlyArray<string> {
  const found = operands.flatMap((operand) => {
    if (!fs.existsSync(operand)) {
      throw new DataError({
        message: `Cannot read ${operand}: no such file or folder`,
      });
    }
    if (OWN.has(path.basename(operand))) return [path.dirname(operand)];
    if (isFile(path.join(operand, fileOf("observations")))) return [operand];
    const records = isFile(operand) ? [] : recordsIn(operand);
    if (records.length > 0) return records;
    throw new DataError({
      message:
        `Cannot read ${operand}: there are no records (record-000000, …) in it`,
    });
  });
  // A manifest names each file of a record.
  return found.filter((folder, i) => folder !== found[i - 1]);
}

/** The files that records are read from. */
export function recordFiles(
  operands: ReadonlyArray<string>,
): ReadonlyArray<string> {
  return recordFolders(operands).flatMap((folder) =>
    [...OWN].map((name) => path.join(folder, name)).filter(isFile)
  );
}

function isCount(n: unknown): boolean {
  return Number.isSafeInteger(n) && n as number >= 0;
}

function checkEntries(values: Float64Array, name: ArrayName, file: string) {
  const [isRight, expected] = name === "rewards"
    ? [Number.isFinite, "a finite number"]
    : [isCount, "an integer from 0"];
  const at = values.findIndex((value) => !isRight(value));
  if (at < 0) return;
  throw wrong(file, `entry ${at} is ${values[at]}, not ${expected}`);
}

function contentsOf(file: string): Uint8Array {
  try {
    return fs.readFileSync(file);
  } catch (cause) {
    throw hostError(`read ${file}`, cause);
  }
}

function readArray(folder: string, name: ArrayName, digest: Digest) {
  const file = path.join(folder, fileOf(name));
  const bytes = contentsOf(file);
  digest.update(bytes);
  try {
    const { type, values } = decodeNpy(bytes);
    checkEntries(values, name, file);
    return type === "<f4" && name === "rewards" ? values.map(shortest) : values;
  } catch (error) {
    throw error instanceof NpyError ? wrong(file, error.message) : error;
  }
}

type Digest = ReturnType<typeof createHash>;

function readArrays(folder: string, digest: Digest): Arrays {
  const entries = ARRAYS.map((name) =>
    [name, readArray(folder, name, digest)] as const
  );
  const rows = entries[0]![1].length;
  for (const [name, values] of entries) {
    if (values.length === rows) continue;
    throw wrong(
      path.join(folder, fileOf(name)),
      `it has ${values.length} entries, and ${fileOf("observations")} ${rows}`,
    );
  }
  if (rows === 0) throw wrong(folder, "it has no steps");
  // There is an entry for each name.
  return Object.fromEntries(entries) as Arrays;
}

/** Rows of an episode; row `end` is its separator, if it has one. */
interface Cut {
  readonly from: number;
  readonly end: number;
}

/** The columns of an episode, its last observation given. */
function columnsOf(
  arrays: Arrays,
  { from, end }: Cut,
  last: number,
): ArrayColumns {
  const part = (name: ArrayName) => [...arrays[name].subarray(from, end)];
  return {
    observations: [...part("observations"), last],
    actions: part("actions_behavior"),
    rewards: part("rewards"),
    tags: part("tags"),
    labels: part("actions_label"),
  };
}

/** Holds a row with the action of separators against what else they have. */
function checkSeparator(arrays: Arrays, at: number, folder: string): void {
  const action = arrays.actions_behavior[at]!;
  const isSeparator = arrays.actions_label[at] === action &&
    arrays.rewards[at] === 0 && arrays.tags[at] === UNKNOWN &&
    arrays.prompts[at] === UNKNOWN;
  if (isSeparator) return;
  throw wrong(
    path.join(folder, fileOf("actions_behavior")),
    `entry ${at} is ${action}, the largest, but row ${at} does not separate ` +
      "episodes by its label, reward, tag and prompt: say --actions",
  );
}

/** Where the episodes of a record stand, by its separators. */
function cutsOf(
  arrays: Arrays,
  { actions }: RecordReading,
  folder: string,
): ReadonlyArray<Cut> {
  const taken = arrays.actions_behavior;
  const separator = actions ?? taken.reduce((a, b) => Math.max(a, b));
  const cuts: Array<Cut> = [];
  let from = 0;
  taken.forEach((action, at) => {
    if (action > separator) {
      throw wrong(
        path.join(folder, fileOf("actions_behavior")),
        `entry ${at} is ${action}, and there are ${separator} actions`,
      );
    }
    if (action < separator) return;
    if (actions === undefined) checkSeparator(arrays, at, folder);
    cuts.push({ from, end: at });
    from = at + 1;
  });
  return from < taken.length ? [...cuts, { from, end: taken.length }] : cuts;
}

/** The observation that an episode ends on, which needs a separator. */
function lastObservation(
  arrays: Arrays,
  { end }: Cut,
  reading: RecordReading,
  folder: string,
): number {
  const { observations } = arrays;
  if (end < observations.length) return observations[end]!;
  const { unfinished, finalObservation } = reading;
  if (unfinished === "truncated" && finalObservation === "repeat") {
    return observations[end - 1]!;
  }
  throw wrong(
    folder,
    `no separator behind the last step, entry ${
      end - 1
    }: how its episode ends ` +
      "and on which observation is not known; " +
      "--unfinished truncated --final-observation repeat takes it as cut off there",
  );
}

/** Which reference labelled an episode; all its steps must have the same. */
function labeller(
  { prompts }: Arrays,
  { from, end }: Cut,
  reference: string,
  folder: string,
): string {
  const first = prompts[from]!;
  for (let at = from; at < end; at++) {
    if (prompts[at] === first) continue;
    throw wrong(
      path.join(folder, fileOf("prompts")),
      `entry ${at} is ${prompts[at]}, and ${first} before it in its episode`,
    );
  }
  return referenceOf(first) ?? reference;
}

function episodeOf(
  arrays: Arrays,
  cut: Cut,
  reading: RecordReading,
  folder: string,
): Episode {
  const last = lastObservation(arrays, cut, reading, folder);
  const { labels, tags, ...columns } = columnsOf(arrays, cut, last);
  const isUnfinished = cut.end === arrays.tags.length;
  const terminated = !isUnfinished && reading.ends === "terminated";
  const reference = labeller(arrays, cut, reading.reference, folder);
  return {
    ...columns,
    terminated,
    truncated: !terminated,
    labels: { [reference]: labels },
    tags,
  };
}

function parseRest(file: string): Rest {
  const text = new TextDecoder().decode(contentsOf(file));
  let rest: Partial<Rest> | null;
  try {
    rest = JSON.parse(text);
  } catch (error) {
    throw wrong(file, `not JSON: ${(error as Error).message}`);
  }
  if (rest?.format !== FORMAT) {
    throw wrong(file, `format is ${rest?.format}, expected ${FORMAT}`);
  }
  const { lengths, trial } = rest;
  const isWhole = Array.isArray(lengths) && lengths.every(isCount) &&
    lengths.length === trial?.episodes?.length && Array.isArray(trial.episodes);
  if (isWhole) return rest as Rest;
  throw wrong(file, "lengths are not the steps of each of trial.episodes");
}

/** The episodes that lengths cut out, their separators checked. */
function restCuts(
  { lengths, actions }: Rest,
  { actions_behavior: taken }: Arrays,
  file: string,
): ReadonlyArray<Cut> {
  let from = 0;
  const cuts = lengths.map((length) => {
    const cut = { from, end: from + length };
    from = cut.end + 1;
    return cut;
  });
  const ends = new Set(cuts.map(({ end }) => end));
  const isRight = from === taken.length &&
    taken.every((action, at) => (action === actions) === ends.has(at));
  if (isRight) return cuts;
  throw wrong(file, "lengths and actions do not fit actions_behavior.npy");
}

function restored(arrays: Arrays, file: string): Trial {
  const rest = parseRest(file);
  const columns = restCuts(rest, arrays, file).map((cut) =>
    columnsOf(arrays, cut, arrays.observations[cut.end]!)
  );
  const row = withArrays(rest, columns);
  const bytes = new TextEncoder().encode(JSON.stringify(row) + "\n");
  try {
    scanRow(bytes, 0, bytes.length, rowIndex());
  } catch (error) {
    throw error instanceof Malformed
      ? wrong(file, `trial: ${error.message}`)
      : error;
  }
  // The scan has just held it against the schema.
  return row as unknown as Trial;
}

/** Reads records, one after the other, as trials. */
export function recordReader(
  reading: RecordReading,
  origin: Origin,
): (folder: string) => Trial {
  const makeTrial = trialMaker(origin);
  return (folder) => {
    const digest = createHash("sha256");
    const arrays = readArrays(folder, digest);
    const rest = path.join(folder, REST);
    if (isFile(rest)) return restored(arrays, rest);
    const episodes = cutsOf(arrays, reading, folder).map((cut) =>
      episodeOf(arrays, cut, reading, folder)
    );
    // Nothing says which records share a task, nor which task it is.
    const task = namedTask(origin.env, {}, [digest.digest("hex")]);
    return makeTrial(task, episodes);
  };
}
