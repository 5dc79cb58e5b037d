/**
 * `show`: one trial for a person.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Option from "effect/Option";
import * as Stream from "effect/Stream";
import * as fs from "node:fs";
import { DataError, type StageError } from "../errors.ts";
import { expandInputs, readFiles, writeStdout } from "../files.ts";
import { attempt, parseRow } from "../jsonl.ts";
import { type Batch, forEachRow } from "../lines.ts";
import { fieldSpan, rowIndex, spanText, taskOf } from "../scan.ts";
import type { Trial } from "../schema.ts";
import { type Sink, sink, type SinkInput } from "../stage.ts";
import { portray, type Render } from "./portrait.ts";

const utf8 = new TextEncoder();

/** The first row of a batch that is meant; any, if there is no id. */
function finder(id: string | undefined) {
  const row = rowIndex();
  return (batch: Batch): Trial | undefined => {
    let found: Trial | undefined;
    forEachRow(batch, row, () => {
      if (found) return;
      const [from, to] = fieldSpan(row, "id")!;
      const isMeant = id === undefined || spanText(row, from, to) === id ||
        taskOf(row) === id;
      if (isMeant) found = parseRow(row);
    });
    return found;
  };
}

/** The first word may be an id or the first of the files. */
function resolve(
  { words, files, rows }: SinkInput,
): Effect.Effect<Pick<SinkInput, "rows"> & { id?: string }, StageError> {
  const [word] = words;
  const given = files.length > 0 ? readFiles(files) : rows;
  if (word === undefined) return Effect.succeed({ rows: given });
  if (!fs.existsSync(word)) return Effect.succeed({ id: word, rows: given });
  return Effect.map(
    expandInputs([word]),
    (first) => ({ rows: readFiles([...first, ...files]) }),
  );
}

function run(
  steps: number,
  input: SinkInput,
  render: Render | undefined,
): Effect.Effect<void, StageError> {
  return Effect.gen(function* () {
    const { id, rows } = yield* resolve(input);
    const find = finder(id);
    const found = yield* rows.pipe(
      Stream.mapEffect((batch) => attempt("read rows", () => find(batch))),
      Stream.filter((trial) => trial !== undefined),
      Stream.runHead,
    );
    if (Option.isNone(found)) {
      const message = id === undefined
        ? "Cannot show a trial: there are no rows"
        : `Cannot show ${id}: no file, and no trial or task has that id`;
      return yield* Effect.fail(new DataError({ message }));
    }
    const text = portray(found.value, steps, render);
    yield* writeStdout(utf8.encode(text));
  });
}

const flags = {
  steps: {
    type: "count",
    default: 60,
    value: "N",
    summary: "steps shown of each episode",
  },
} as const;

/** `show`, with drawings of the tasks that `render` knows. */
export function showWith(render?: Render): Sink<"show", typeof flags> {
  return sink({
    name: "show",
    summary: "Print one trial for a person to read",
    details:
      `ID is that of a trial, or of a task for its first trial; without one, the
first row is shown. Steps read "seen ─action→ seen", with the reward behind the
action where it is not zero; text is printed line by line.`,
    operandsFirst: 1,
    flags,
    operands: "[ID] [FILE|DIR…]",
    examples: [
      "retrial show trials.jsonl",
      "retrial show dark-room-9x9-1f0c4a2b/3 dataset",
      "retrial credit trials.jsonl | retrial show --steps 10",
    ],
  }, (options, input) => run(options.steps, input, render));
}
