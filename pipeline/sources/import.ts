/**
 * `import`: other people's logs as trials.
 *
 * @module
 */
import type * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import { DataError, type StageError, UsageError } from "../errors.ts";
import { readFile, readStdin } from "../files.ts";
import { attempt, type Batches, toBatches } from "../jsonl.ts";
import type { Batch } from "../lines.ts";
import type { Trial } from "../schema.ts";
import { source } from "../stage.ts";
import { type Asked, parseNames, TARGETS } from "./import/columns.ts";
import type { Reading } from "./import/episodes.ts";
import {
  csvRecords,
  jsonRecords,
  type RecordReader,
} from "./import/records.ts";
import {
  recordFiles,
  recordFolders,
  recordReader,
  type RecordReading,
} from "./import/anymdp.ts";
import { type Assembler, assembler, type Origin } from "./import/trials.ts";

const FORMATS = ["jsonl", "csv"] as const;
type Format = typeof FORMATS[number];
const EXTENSION = /\.(jsonl|ndjson|csv)(\.gz|\.zst)?$/;
const utf8 = new TextEncoder();

function formatOf(file: string, given: Format | undefined): Format {
  if (given !== undefined) return given;
  const extension = EXTENSION.exec(file)?.[1];
  if (extension === undefined) {
    throw new UsageError({
      message: `Cannot tell the format of ${file}: give --format jsonl or csv`,
    });
  }
  return extension === "csv" ? "csv" : "jsonl";
}

interface Input {
  readonly batches: Batches;
  readonly format: Format;
}

function inputs(
  files: ReadonlyArray<string>,
  format: Format | undefined,
): ReadonlyArray<Input> {
  if (files.length === 0) {
    return [{ batches: readStdin(), format: formatOf("stdin", format) }];
  }
  return files.map((file) => ({
    batches: toBatches(readFile(file), file),
    format: formatOf(file, format),
  }));
}

/** Trials as a batch; errors further on name the line in what we print. */
function printer() {
  let [line, offset] = [1, 0];
  return (trials: ReadonlyArray<Trial>): Batch => {
    const text = trials.map((trial) => JSON.stringify(trial) + "\n").join("");
    const bytes = utf8.encode(text);
    const batch = { bytes, place: { origin: "import", line }, offset };
    line += trials.length;
    offset += bytes.length;
    return batch;
  };
}

function trialsOf(
  reader: RecordReader,
  trials: Assembler,
  batch: Batch,
): ReadonlyArray<Trial> {
  const finished: Array<Trial> = [];
  for (const record of reader.read(batch)) {
    const trial = trials.push(record);
    if (trial) finished.push(trial);
  }
  return finished;
}

function importFrom(
  sources: ReadonlyArray<Input>,
  trials: Assembler,
): Batches {
  const print = printer();
  const what = "import steps";
  const fromFile = ({ batches, format }: Input) =>
    Stream.suspend(() => {
      trials.startFile();
      const reader = format === "csv" ? csvRecords() : jsonRecords();
      const end = attempt(what, (): ReadonlyArray<Trial> => {
        reader.finish();
        return [];
      });
      return batches.pipe(
        Stream.mapEffect((batch) =>
          attempt(what, () => trialsOf(reader, trials, batch))
        ),
        Stream.concat(Stream.fromEffect(end)),
      );
    });
  const last = attempt(what, () => {
    const trial = trials.finish();
    if (trial) return [trial];
    throw new DataError({ message: "Cannot import: there are no steps" });
  });
  return Stream.fromIterable(sources).pipe(
    Stream.flatMap(fromFile),
    Stream.concat(Stream.fromEffect(last)),
    Stream.filter((trials) => trials.length > 0),
    Stream.map(print),
  );
}

/** Flags that mean something of logs alone, and have no value if not given. */
const OF_STEPS = [
  "format",
  "map",
  "trial-by",
  "episode-by",
  "task-by",
  "text",
] as const;
/** The same, of records. */
const OF_RECORDS = ["actions", "ends"] as const;

/** Refuses flags that would mean nothing. */
function checkFlags(
  names: ReadonlyArray<string>,
  options: { readonly [name: string]: unknown },
): void {
  const isGiven = (value: unknown) =>
    Array.isArray(value) ? value.length > 0 : value !== undefined;
  const given = names.find((name) => isGiven(options[name]));
  if (given === undefined) return;
  throw new UsageError({
    message: `Cannot use --${given} with --from ${options.from}`,
  });
}

function importRecords(
  operands: ReadonlyArray<string>,
  reading: RecordReading,
  origin: Origin,
): Batches {
  if (operands.length === 0) {
    throw new UsageError({ message: "Cannot import records without a folder" });
  }
  const print = printer();
  const read = recordReader(reading, origin);
  return Stream.fromIterable(recordFolders(operands)).pipe(
    Stream.mapEffect((folder) =>
      attempt(`read ${folder}`, () => print([read(folder)]))
    ),
  );
}

/** Refuses a name of a column that --text cannot mean. */
function textColumns(names: ReadonlyArray<string>): ReadonlySet<string> {
  const allowed = ["observation", "action", "label"];
  const wrong = names.find((name) => !allowed.includes(name));
  if (wrong === undefined) {
    // Both are observations.
    const more = names.includes("observation") ? ["next_observation"] : [];
    return new Set([...names, ...more]);
  }
  throw new UsageError({
    message: `Cannot read ${wrong} as text: only ${allowed.join(", ")}`,
  });
}

export const importSteps = source({
  name: "import",
  summary:
    "Turn a log of steps (JSONL or CSV), or AnyMDP's arrays, into trials",
  details: `Columns have these names, or those that --map gives them:
  ${TARGETS.join(" ")}
and trial, episode, task. observation, action and reward must be there. A vector
is a JSON list in one cell, or columns joined by +: --map observation=x+y. In CSV
what looks like a number is one, unless --text says not. t must grow by one. done
means terminated, unless there is a truncated column or --done-means truncated.
value ends with the value behind the last action, or 0 if terminated.

Steps stand in order and those of a trial stand together; one trial is held in
memory. Without an episode column an episode ends where its last step says so.
Trials with equal --task-by columns share a task, and those become its params;
without, each trial has a task of its own. The observation behind the last action
comes from next_observation, or from a last row without action. A log of an
autoreset environment, where that row is the first of the next episode, does not
say what its last action led to, and is refused or misread: record with autoreset
disabled, or with next_observation from final_obs.

--from anymdp reads the folders record-000000, … of export --to anymdp, or of
OmniRL's own programs. With trial.json a record is the row that it was. Without,
rows with action --actions separate episodes, each record has a task of its own,
and labels go by the name of their prompt (oracle@0.994 for 3), or by --reference.
A record that does not end with a separator does not say what its last action led
to: it takes both --unfinished truncated and --final-observation repeat.`,
  flags: {
    from: {
      type: "text",
      choices: ["steps", "anymdp"],
      default: "steps",
      value: "KIND",
      summary: "logs of steps, or folders of arrays",
    },
    format: {
      type: "text",
      choices: FORMATS,
      value: "FORMAT",
      summary: "by the name of the file, unless given",
    },
    map: {
      type: "list",
      value: "NAME=COLUMN,…",
      summary: "columns under other names; may be repeated",
    },
    "trial-by": {
      type: "text",
      value: "COLUMNS",
      summary: "columns that name a trial, with commas; trial",
    },
    "episode-by": {
      type: "text",
      value: "COLUMN",
      summary: "column that names an episode in its trial; episode if there",
    },
    "task-by": {
      type: "text",
      value: "COLUMNS",
      summary: "columns that name the task, with commas; task if there",
    },
    text: {
      type: "text",
      value: "NAMES",
      summary: "of observation, action, label: those never read as numbers",
    },
    env: {
      type: "text",
      default: "imported",
      value: "NAME",
      summary: "name of the environment",
    },
    policy: {
      type: "text",
      default: "imported",
      value: "NAME",
      summary: "name of the policy",
    },
    reference: {
      type: "text",
      default: "reference",
      value: "NAME",
      summary: "name of the policy that labels are from",
    },
    "done-means": {
      type: "text",
      choices: ["terminated", "truncated"],
      default: "terminated",
      value: "END",
      summary: "what done says where no other column does",
    },
    "final-observation": {
      type: "text",
      choices: ["given", "repeat"],
      default: "given",
      value: "HOW",
      summary: "repeat the last observation where none is given behind it",
    },
    unfinished: {
      type: "text",
      choices: ["refuse", "truncated"],
      default: "refuse",
      value: "HOW",
      summary: "what an episode is that stops without an end",
    },
    actions: {
      type: "count",
      min: 1,
      value: "A",
      summary: "of anymdp: number of actions; the largest there, if not given",
    },
    ends: {
      type: "text",
      choices: ["terminated", "truncated"],
      value: "END",
      summary: "of anymdp: how episodes end; truncated, if not given",
    },
  },
  operands: "[FILE|DIR…]",
  examples: [
    "retrial import --map reward=r,done=terminal --trial-by run steps.csv",
    "retrial import --task-by size,seed --env maze --policy ppo log.jsonl.zst",
    "retrial import --from anymdp --actions 5 --ends terminated records",
  ],
}, (options, operands) => {
  const made = attempt("import", (): Batches => {
    const origin: Origin = { env: options.env, policy: options.policy };
    if (options.from === "anymdp") {
      checkFlags(OF_STEPS, options);
      return importRecords(operands, {
        actions: options.actions,
        ends: options.ends ?? "truncated",
        finalObservation: options["final-observation"],
        unfinished: options.unfinished,
        reference: options.reference,
      }, origin);
    }
    checkFlags(OF_RECORDS, options);
    const asked: Asked = {
      map: options.map,
      trialBy: options["trial-by"],
      episodeBy: options["episode-by"],
      taskBy: options["task-by"],
    };
    const reading: Reading = {
      doneMeans: options["done-means"],
      finalObservation: options["final-observation"],
      unfinished: options.unfinished,
      text: textColumns(parseNames(options.text)),
      reference: options.reference,
    };
    const sources = inputs(operands, options.format);
    return importFrom(sources, assembler(asked, reading, origin));
  });
  return Stream.unwrap(made as Effect.Effect<Batches, StageError>);
}, {
  inputs: ({ from }, operands) =>
    from === "anymdp" ? recordFiles(operands) : undefined,
});
