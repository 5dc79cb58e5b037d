/**
 * `export`: rows in the layouts of other programs.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import * as fs from "node:fs";
import * as path from "node:path";
import { FOLDER_FLAGS } from "../chain.ts";
import { occupied } from "../dataset.ts";
import type { StageError } from "../errors.ts";
import { readFiles } from "../files.ts";
import { attempt, type Batches } from "../jsonl.ts";
import { forEachRow } from "../lines.ts";
import { say } from "../progress.ts";
import { rowIndex } from "../scan.ts";
import { sink } from "../stage.ts";
import { anymdp } from "./anymdp.ts";
import type { Layout, RowExporter, Tally } from "./layout.ts";

/** The layouts, by what `--to` calls them. */
const LAYOUTS = { anymdp } as const satisfies {
  readonly [name: string]: Layout;
};
type Name = keyof typeof LAYOUTS;
// Its keys are the names.
const NAMES = Object.keys(LAYOUTS) as ReadonlyArray<Name>;

/** Makes room for an export; what the layout does not write is left alone. */
function clear(folder: string, layout: Layout, overwrite: boolean): void {
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  if (names.length > 0 && !overwrite) throw occupied(folder, "it is not empty");
  for (const name of names.filter(layout.owns)) {
    fs.rmSync(path.join(folder, name), { recursive: true });
  }
  fs.mkdirSync(folder, { recursive: true });
}

function counted(count: number, name: string): string {
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}

function summary(folder: string, { records, rows, rounded }: Tally): string {
  const held = `${counted(records, "record")}, ${counted(rows, "row")}`;
  const loss = rounded > 0 ? `; ${counted(rounded, "reward")} lost digits` : "";
  return `${folder} now holds ${held}${loss}\n`;
}

function writeRows(
  rows: Batches,
  exporter: RowExporter,
  what: string,
): Effect.Effect<void, StageError> {
  const row = rowIndex();
  return Stream.runForEach(rows, (batch) =>
    attempt(what, () => {
      batch.release?.(forEachRow(batch, row, exporter.write));
    }));
}

export const exportRows = sink({
  name: "export",
  summary: "Write rows in the layout of another program",
  details:
    `anymdp: what OmniRL trains on. A folder DIR/record-000000 for each trial, with
observations, prompts, tags, actions_behavior, actions_label (uint32) and rewards
(float32) as .npy, one row a step. Behind each episode a row with its last
observation, the number of actions as action and label, reward 0, tag and prompt 7.
The number of actions is that of the task, drawn again, or --actions. Labels are
oracle@0.994 where there, else the only ones; prompts 0 to 3 stand for oracle@0,
0.5, 0.93 and 0.994, 7 for others. Tags are 7 where a row has none. Observations
and actions must be integers.

32-bit floats keep six digits of a reward; how many lost some is said at the end.
Beside the arrays, trial.json has the rest of the row: import --from anymdp gives
back the row that was, but for lost digits.`,
  operandsFirst: 0,
  flags: {
    to: {
      type: "text",
      choices: NAMES,
      required: true,
      value: "LAYOUT",
      summary: "layout to write",
    },
    ...FOLDER_FLAGS,
    actions: {
      type: "count",
      min: 1,
      max: 2 ** 32 - 1,
      value: "A",
      summary: "number of actions, where the environment is not known here",
    },
    reference: {
      type: "text",
      value: "NAME",
      summary: "labels to write, by the name of their reference",
    },
    labels: {
      type: "text",
      choices: ["reference", "behaviour"],
      default: "reference",
      value: "WHOSE",
      summary: "behaviour writes the actions that were taken as labels",
    },
  },
  operands: "[FILE|DIR…]",
  examples: [
    "retrial label --reference oracle trials.jsonl | retrial export --to anymdp --out records",
    "retrial export --to anymdp --labels behaviour --actions 4 --out records trials.jsonl",
  ],
}, (options, { files, rows }) =>
  Effect.gen(function* () {
    const { out } = options;
    const what = `write to ${out}`;
    const layout: Layout = LAYOUTS[options.to];
    const exporter = yield* attempt(what, () => {
      const opened = layout.open(options, out);
      clear(out, layout, options.overwrite);
      return opened;
    });
    const given = files.length > 0 ? readFiles(files) : rows;
    yield* writeRows(given, exporter, what);
    say(summary(out, exporter.tally()));
  }));
