/**
 * `import`: other people's logs as trials.
 *
 * @module
 */
import type * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import { DataError, type StageError, UsageError } from "../errors.ts";
import { readFile, readStdin } from "../files.ts";
import { attempt, type Batch, type Batches, toBatches } from "../jsonl.ts";
import type { Trial } from "../schema.ts";
import { source } from "../stage.ts";
import { type Asked, parseNames, TARGETS } from "./import/columns.ts";
import type { Reading } from "./import/episodes.ts";
import {
  csvRecords,
  jsonRecords,
  type RecordReader,
} from "./import/records.ts";
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
  summary: "Turn a log of steps (JSONL or CSV, a step a line) into trials",
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
disabled, or with next_observation from final_obs.`,
  flags: {
    from: {
      type: "text",
      choices: ["steps"],
      default: "steps",
      value: "KIND",
      summary: "what the log is made of",
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
  },
  operands: "[FILE…]",
  examples: [
    "retrial import --map reward=r,done=terminal --trial-by run steps.csv",
    "retrial import --task-by size,seed --env maze --policy ppo log.jsonl.zst",
  ],
}, (options, operands) => {
  const asked: Asked = {
    map: options.map,
    trialBy: options["trial-by"],
    episodeBy: options["episode-by"],
    taskBy: options["task-by"],
  };
  const made = attempt("import steps", () => {
    const reading: Reading = {
      doneMeans: options["done-means"],
      finalObservation: options["final-observation"],
      unfinished: options.unfinished,
      text: textColumns(parseNames(options.text)),
      reference: options.reference,
    };
    const origin: Origin = { env: options.env, policy: options.policy };
    const sources = inputs(operands, options.format);
    return importFrom(sources, assembler(asked, reading, origin));
  });
  return Stream.unwrap(made as Effect.Effect<Batches, StageError>);
});
